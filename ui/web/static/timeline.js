// SPDX-License-Identifier: GPL-3.0-or-later
// The picture of what plays: its topics and chapters as marks, what was heard, and where an answer lies.

import { $, clock, make, say } from "./dom.js";
import { t } from "./texts.js";

const HIGH = 100; // the height of the heat in the units of its picture
const COLD = 0.04; // warmth under which there is nothing to see

let of = null; // the id of the episode
let topics = [];
let whole = 0; // seconds
let stretches = []; // what was heard: [start, end]
let described = -1; // the topic whose card is shown

const share = (seconds) => `${Math.min(100, Math.max(0, (100 * seconds) / (whole || 1)))}%`;

const drawHeard = () => {
  $("heard").replaceChildren(...(whole ? stretches : []).map(([start, end]) => {
    const stretch = make("span", {});
    stretch.style.left = share(start);
    stretch.style.width = share(end - start);
    return stretch;
  }));
};

// How warm each of the topics is: the most that any part of it has, 0..1.
export const warmths = (segments, parts, length) => segments.map((topic, i) => {
  const end = topic.end ?? segments[i + 1]?.start ?? length;
  return Math.max(0, ...parts.filter(([from, to]) => from < end && to > topic.start).map(([, , value]) => value));
});

// The card over the bar: what the topic under the pointer is about.
const describe = (seconds) => {
  const i = seconds === null ? -1 : topics.findLastIndex((topic) => topic.start <= seconds);
  const card = $("band-card");
  card.hidden = seconds === null;
  if (seconds === null) { described = -1; return; }
  $("band-time").textContent = clock(seconds);
  card.style.setProperty("--at", String(seconds / (whole || 1)));
  if (i === described && i >= 0) return;
  described = i;
  $("band-title").textContent = topics[i]?.title ?? "";
  say("band-summary", topics[i]?.summary ?? "");
};

export const timeline = {
  // Draw an episode of so many seconds; what was heard goes with another episode.
  draw(episode, seconds) {
    if (episode?.id !== of) [stretches, of] = [[], episode?.id ?? null];
    whole = seconds;
    topics = episode?.segments ?? [];
    described = -1;
    $("band-card").hidden = true;
    $("bands").replaceChildren(...topics.map((topic) => {
      const band = make("span", { class: "band" });
      band.style.left = share(topic.start);
      band.style.width = share(topic.end - topic.start);
      return band;
    }));
    $("chapter-marks").replaceChildren(...(episode?.chapters ?? []).map((chapter) => {
      const mark = make("span", { class: "chapter-mark" });
      mark.style.left = share(chapter.start);
      return mark;
    }));
    drawHeard();
  },

  // The topic that sounds.
  show(topic) {
    [...$("bands").children].forEach((band, i) => band.classList.toggle("current", i === topic));
  },

  // What has been listened to: [start, end] in seconds.
  heard(id, heard) {
    if (id !== of && of !== null) return;
    stretches = heard;
    drawHeard();
  },

  // Where an answer lies: [start, end, warmth 0..1] in order, and the moments that were found.
  heat(parts, moments) {
    const warm = parts.some(([, , value]) => value > COLD) && whole > 0;
    $("heat").hidden = !warm && !moments.length;
    const x = (seconds) => ((1000 * seconds) / (whole || 1)).toFixed(1);
    const steps = parts.map(([start, end, value]) => {
      const y = (HIGH * (1 - value)).toFixed(1);
      return `L${x(start)} ${y}L${x(end)} ${y}`;
    });
    $("heat-path").setAttribute("d", warm ? `M${x(parts[0][0])} ${HIGH}${steps.join("")}L${x(parts.at(-1)[1])} ${HIGH}Z` : "");
    $("marks").replaceChildren(...moments.map((moment) => {
      const mark = make("span", {
        class: "mark", "data-seek": moment.start, "data-episode": moment.episode, title: t("Play from {time}", { time: clock(moment.start) }),
      });
      mark.style.left = share(moment.start);
      return mark;
    }));
  },

  start() {
    const range = $("position");
    range.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "mouse") return;
      const { left, width } = $("bands").getBoundingClientRect();
      describe(Math.min(1, Math.max(0, (event.clientX - left) / (width || 1))) * whole);
    });
    range.addEventListener("pointerleave", () => describe(null));
  },
};
