// SPDX-License-Identifier: GPL-3.0-or-later
// The picture of an episode: a band for each topic, chapters, what was heard, and where an answer lies.

import { $, clock, make, say } from "./dom.js";

const HIGH = 100; // the height of the heat in the units of its picture
const COLD = 0.04; // warmth under which there is nothing to see

let topics = [];
let whole = 0;
let described = -1; // the band whose card is shown

const share = (seconds) => `${Math.min(100, Math.max(0, (100 * seconds) / (whole || 1)))}%`;

const name = (topic) => `${clock(topic.start)}, ${topic.title || "Untitled"}`;

const band = (topic, i) => {
  const button = make(
    "button", {
      type: "button", class: "band", "data-band": i, "data-seek": topic.start, "data-episode": topic.episode,
      "aria-label": `Play from ${name(topic)}`, tabindex: i ? -1 : 0,
    },
    make("span", {}, topic.title),
  );
  button.style.left = share(topic.start);
  button.style.width = share(topic.end - topic.start);
  return button;
};

// The card under the bands: what the topic under the pointer or the focus is about.
const describe = (i) => {
  if (i === described) return;
  described = i;
  const card = $("band-card");
  const topic = topics[i];
  card.hidden = !topic;
  for (const other of $("bands").children) other.removeAttribute("aria-describedby");
  if (!topic) return;
  $("bands").children[i].setAttribute("aria-describedby", "band-summary");
  $("band-time").textContent = `${clock(topic.start)} – ${clock(topic.end)}`;
  $("band-title").textContent = topic.title || "Untitled";
  say("band-summary", topic.summary);
  const middle = (topic.start + topic.end) / 2 / (whole || 1);
  card.style.setProperty("--at", String(Math.min(1, Math.max(0, middle))));
};

const over = (event) => Number(event.target.closest?.("[data-band]")?.dataset.band ?? -1);

const focus = (i) => {
  const all = /** @type {HTMLElement[]} */ ([...$("bands").children]);
  const next = all[Math.max(0, Math.min(all.length - 1, i))];
  for (const other of all) other.tabIndex = other === next ? 0 : -1;
  next?.focus();
};

const onKey = (event) => {
  const i = over(event);
  const to = { ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: topics.length - 1 };
  if (i < 0 || !(event.key in to)) return;
  focus(to[event.key]);
  event.preventDefault();
  event.stopPropagation();
};

export const timeline = {
  // Draw an episode of so many seconds anew; there is no heat until a question has been asked.
  draw(episode, seconds) {
    whole = seconds;
    topics = (episode?.segments ?? []).map((topic) => ({ ...topic, episode: episode.id }));
    described = -1;
    $("band-card").hidden = true;
    $("bands").replaceChildren(...topics.map(band));
    $("bands").hidden = !topics.length;
    $("chapter-marks").replaceChildren(...(episode?.chapters ?? []).map((chapter) => {
      const mark = make("span", { class: "chapter-mark", title: `Chapter: ${chapter.title}` });
      mark.style.left = share(chapter.start);
      return mark;
    }));
    this.heat([], []);
  },

  // The playhead, and the topic it is in.
  show(seconds, topic) {
    $("playhead").style.left = share(seconds);
    [...$("bands").children].forEach((button, i) => {
      if (i === topic) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    });
  },

  // What has been listened to: [start, end] in seconds.
  heard(stretches) {
    $("heard").replaceChildren(...stretches.map(([start, end]) => {
      const stretch = make("span", {});
      stretch.style.left = share(start);
      stretch.style.width = share(end - start);
      return stretch;
    }));
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
        class: "mark", "data-seek": moment.start, "data-episode": moment.episode, title: `Play from ${clock(moment.start)}`,
      });
      mark.style.left = share(moment.start);
      return mark;
    }));
  },

  start() {
    const bands = $("bands");
    bands.addEventListener("pointerover", (event) => describe(over(event)));
    // a click, too, leaves the focus on a band: only who came by keyboard is shown what it is about without pointing
    const focused = () => describe(document.activeElement.matches(":focus-visible") ? over({ target: document.activeElement }) : -1);
    bands.addEventListener("pointerleave", focused);
    bands.addEventListener("focusin", focused);
    bands.addEventListener("focusout", () => describe(-1));
    bands.addEventListener("keydown", onKey);
  },
};
