// SPDX-License-Identifier: GPL-3.0-or-later
// The answer on the page: sentences with the times they rest on, the speakers' own words, and what was asked before.

import { $, clock, make, say, tab, timeButton } from "./dom.js";
import { shelf } from "./episode_list.js";
import { chosen } from "./episode_view.js";
import { excerpt } from "./excerpt.js";
import { share } from "./export.js";

const MOST_MOMENTS = 3;
const WORTH_SHOWING = 0.3; // confidence from which a moment that the answer does not use is still of interest

const KEPT = 30; // answers of a conversation

let conversation = []; // answers, oldest first
let drawn = -1; // sentences of the present answer that stand on the page; -1 while another answer does

const title = (moment) => {
  if (moment.episode === chosen()?.id) return "";
  return shelf.known(moment.episode)?.title ?? "";
};

const cite = (moment) => timeButton(
  moment.start, moment.episode, [moment.speaker, title(moment)].filter(Boolean).join(", "),
);

const small = (name, text, label, act) => {
  const button = make("button", { type: "button", class: `own ${name}`, "aria-label": label, title: label }, text);
  button.onclick = act;
  return button;
};

// The button that lets one hear a moment alone, and that ends it.
const hear = (moment) => {
  const OWN = "In their own words";
  const label = `Hear ${moment.speaker || "them"} say it, from ${clock(moment.start)} to ${clock(moment.end)}`;
  let sounding = false;
  const tell = (now) => {
    sounding = now;
    button.textContent = now ? "Stop" : OWN;
    button.setAttribute("aria-label", now ? `Stop ${moment.speaker || "them"}` : label);
    button.classList.toggle("sounding", now);
  };
  const button = small("hear", OWN, label, () => {
    if (sounding) { excerpt.stop(); return; }
    excerpt.hear(moment, () => tell(false));
    tell(true);
  });
  return button;
};

// What can be done with a moment: hear only that, or keep it.
const tools = (moment) => make(
  "span", { class: "moment-tools" }, shelf.known(moment.episode)?.audio ? hear(moment) : null,
  small("clip", "Clip", `Keep a clip from ${clock(moment.start)}: sound, quote and link`, () => share.clip(moment)),
);

const paragraph = (sentence, withTools) => make(
  "p", { class: "sentence" }, make("span", { class: "words" }, sentence.text),
  ...sentence.moments.flatMap((moment) => [" ", cite(moment), withTools ? tools(moment) : null]),
);

// Add the sentences that are not there yet; those that are stay as they are, and with them the focus.
const fill = (sentences) => {
  $("sentences").append(...sentences.slice(drawn).map((sentence) => paragraph(sentence, true)));
  drawn = Math.max(drawn, sentences.length);
};

// Draw the whole of an answer; returns its moments, for the timeline.
const draw = (answer) => {
  answers.tell(answer);
  say("remark", answer.remark);
  const cited = answer.sentences.flatMap((sentence) => sentence.moments);
  const within = (moment) => cited.some((other) => other.start < moment.end && moment.start < other.end
    && other.episode === moment.episode);
  const more = answer.moments
    .filter((moment) => !answer.covered || (moment.confidence >= WORTH_SHOWING && !within(moment)))
    .slice(0, MOST_MOMENTS);
  $("evidence").hidden = !more.length;
  $("evidence-title").textContent = answer.covered ? "More on this" : "The nearest moments";
  $("moments").replaceChildren(...more.map((moment) => make(
    "li", { class: "moment" }, cite(moment),
    make("div", { class: "moment-text" },
      make("p", { class: "moment-speaker" }, [moment.speaker, title(moment)].filter(Boolean).join(" · ")),
      make("blockquote", {}, moment.quote), tools(moment)),
  )));
  drawEarlier();
  return answer.covered ? [...cited, ...more] : more;
};

const drawEarlier = () => {
  const before = conversation.slice(0, -1);
  $("earlier").hidden = !before.length;
  $("earlier-count").textContent = `Asked before (${before.length})`;
  $("earlier-list").replaceChildren(...before.toReversed().map((answer) => make(
    "li", { class: "earlier-answer" }, make("p", { class: "asked" }, answer.question), ...answer.sentences.map((sentence) => paragraph(sentence, false)),
  )));
};

export const answers = {
  // Another question was asked: what is drawn from now on belongs to its answer.
  next() { drawn = -1; },

  // Draw as much of an answer as there is, or more of it.
  tell({ question, sentences, covered = true }) {
    $("answer").hidden = false;
    $("asked").textContent = question;
    $("verdict").hidden = covered;
    if (drawn < 0) {
      for (const id of ["evidence", "remark"]) $(id).hidden = true;
      $("sentences").replaceChildren();
      drawn = 0;
    }
    fill(sentences);
  },

  // The whole of an answer is there; returns its moments, for the timeline.
  show(answer) {
    conversation = [...conversation, answer].slice(-KEPT);
    tab.remember(`talk:${chosen()?.id}`, conversation);
    const moments = draw(answer);
    $("sentences").scrollIntoView({ block: "nearest" });
    return moments;
  },

  // Be in the conversation about an episode that this tab had before; returns the moments of its last answer.
  restore(id) {
    conversation = tab.recall(`talk:${id}`, []);
    drawn = -1;
    return conversation.length ? draw(conversation.at(-1)) : [];
  },

  // Mark the sentence that is being read; -1 for none.
  sounding(now) {
    [...$("sentences").children].forEach((line, i) => line.classList.toggle("sounding", i === now));
  },

  // The answer as one says it, with its times.
  inWords(answer) {
    const times = answer.sentences.flatMap((sentence) => sentence.moments.map((moment) => clock(moment.start)));
    return `${answer.covered ? "Answer" : "Not covered"}: ${answer.sentences.map((sentence) => sentence.text).join(" ")}`
      + (times.length ? ` At ${[...new Set(times)].join(", ")}.` : "");
  },

  conversation: () => conversation,

  forget() {
    conversation = [];
    drawn = -1;
    $("answer").hidden = true;
    drawEarlier();
  },
};
