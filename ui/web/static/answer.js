// SPDX-License-Identifier: GPL-3.0-or-later
// The answer on the page: sentences with the times they rest on, the speakers' own words, and what was asked before.

import { $, clock, make, ownButton, say, tab, timeButton } from "./dom.js";
import { shelf } from "./episode_list.js";
import { excerpt } from "./excerpt.js";
import { share } from "./export.js";
import { kept } from "./kept.js";
import { headers } from "./progress.js";
import { t } from "./texts.js";
import { view } from "./views.js";

const MOST_MOMENTS = 3;
const WORTH_SHOWING = 0.3; // confidence from which a moment that the answer does not use is still of interest
const LEAST_WORDS = 5; // of a quote that says something by itself
const KEPT = 30; // answers of a conversation
const RECENT = 12 * 3600; // seconds for which the last answer stands open when one comes back

let where = ""; // the place whose conversation is on the page
let conversation = []; // its answers, oldest first
let drawn = -1; // sentences of the present answer that stand on the page; -1 while another answer does
let now = ""; // the question on the page

// The title of a moment's episode.
const called = (moment) => shelf.known(moment.episode)?.title ?? "";

// The same, unless that is the one on the page.
const title = (moment) => (moment.episode === view().episode ? "" : called(moment));

const cite = (moment) => timeButton(
  moment.start, moment.episode, [moment.speaker, title(moment)].filter(Boolean).join(", "),
);

const small = (name, text, label, act) => ownButton(text, act, { class: name, "aria-label": label, title: label });

// The button that lets one hear a moment alone, and that ends it.
const hear = (moment) => {
  const OWN = t("In their own words");
  const span = { from: clock(moment.start), to: clock(moment.end) };
  const label = `${OWN}: ${moment.speaker || ""} ${t("from {from} to {to}", span)}`;
  let sounding = false;
  const tell = (on) => {
    sounding = on;
    text.textContent = on ? t("Stop") : OWN;
    button.setAttribute("aria-label", on ? `${t("Stop")}: ${moment.speaker || t("the excerpt")}` : label);
    button.classList.toggle("sounding", on);
  };
  const button = small("hear", "", label, () => {
    if (sounding) { excerpt.stop(); return; }
    excerpt.hear(moment, () => tell(false));
    tell(true);
  });
  // the wider of both words keeps the place, so that nothing moves under the pointer
  const text = make("span", {}, OWN);
  button.append(text);
  button.dataset.width = OWN;
  return button;
};

// What can be done with a moment: hear only that, save it, or take it away.
const tools = (moment) => {
  const save = small("save", t("Save"), t("Save the moment at {time}", { time: clock(moment.start) }), async () => {
    if (await kept.save(moment, now)) done();
  });
  const done = () => {
    save.textContent = t("Saved");
    save.setAttribute("aria-label", `${t("Saved")}: ${clock(moment.start)}`);
  };
  if (kept.has(moment)) done();
  return make("span", { class: "moment-tools" }, shelf.known(moment.episode)?.audio ? hear(moment) : null, save,
    small("clip", t("Clip"), t("Clip from {time}: sound, quote and link", { time: clock(moment.start) }), () => share.clip(moment)));
};

// A moment with a row of its own: when, whose, what is said there, and what can be done with it.
const row = (moment, name = title(moment)) => make(
  "li", { class: "moment" }, cite(moment),
  make("div", { class: "moment-text" },
    make("p", { class: "moment-speaker" }, [moment.speaker, name].filter(Boolean).join(" · ")),
    moment.quote === name ? null : make("blockquote", {}, moment.quote), tools(moment)),
);

/**
 * What stands before the list in a sentence that only lists its moments ("3 parts: at 1:05, …"), which is read out as
 * far as one can remember it; null for any other sentence.
 * @param {{text: string, moments: any[]}} sentence
 * @param {(moment: any) => string} name the title of a moment's episode
 */
export const lead = ({ text, moments }, name) => {
  if (moments.length < 2) return null;
  const [first] = moments;
  const begins = [name(first), first.quote, `at ${clock(first.start)}`].filter(Boolean).map((told) => text.indexOf(told))
    .filter((at) => at === 0 || text.slice(0, Math.max(0, at)).endsWith(": "));
  return begins.length ? text.slice(0, Math.min(...begins)) : null;
};

// A sentence with where it rests on; one that lists has a row for each thing, and all of them.
const paragraph = (sentence, withTools) => {
  const words = lead(sentence, called);
  if (words === null || !withTools) {
    return make("p", { class: "sentence" }, make("span", { class: "words" }, sentence.text),
      ...sentence.moments.flatMap((moment) => [" ", named(moment), " ", cite(moment), withTools ? tools(moment) : null]));
  }
  const wide = new Set(sentence.moments.map(({ episode }) => episode)).size > 1;
  return make("div", { class: "sentence" }, words ? make("p", { class: "words" }, words) : null,
    make("ol", { class: "moments listed" }, ...sentence.moments.map((moment) => row(moment, wide ? called(moment) : title(moment)))));
};

// Add the sentences that are not there yet; those that are stay as they are, and with them the focus.
const fill = (sentences) => {
  $("sentences").append(...sentences.slice(drawn).map((sentence) => paragraph(sentence, true)));
  drawn = Math.max(drawn, sentences.length);
};

const named = (moment) => {
  const name = title(moment);
  return name ? make("span", { class: "of" }, name) : null;
};

// The moments beside an answer that say more on it: none that it quotes already, none of a few words.
export const further = (answer) => {
  const cited = answer.sentences.flatMap((sentence) => sentence.moments);
  const within = (moment) => cited.some((other) => other.start < moment.end && moment.start < other.end
    && other.episode === moment.episode);
  const best = Math.max(0, ...answer.moments.map((moment) => moment.confidence));
  const tells = (moment) => moment.quote.split(/\s+/).length >= LEAST_WORDS;
  return answer.moments.filter((moment) => tells(moment) && (!answer.covered
    || (moment.confidence >= Math.max(WORTH_SHOWING, best / 2) && !within(moment)))).slice(0, MOST_MOMENTS);
};

// Draw the whole of an answer; returns its moments, for the timeline.
const draw = (answer) => {
  answers.tell(answer, where);
  say("remark", answer.remark);
  const cited = answer.sentences.flatMap((sentence) => sentence.moments);
  const more = further(answer);
  $("evidence").hidden = !more.length;
  $("evidence-title").textContent = answer.covered ? t("More on this") : t("The nearest moments");
  $("moments").replaceChildren(...more.map((moment) => row(moment)));
  drawEarlier();
  return answer.covered ? [...cited, ...more] : more;
};

const drawEarlier = () => {
  const before = $("answer").hidden ? conversation : conversation.slice(0, -1);
  $("earlier").hidden = !before.length;
  $("earlier-count").textContent = t("Asked before ({n})", { n: before.length });
  $("earlier-list").replaceChildren(...before.toReversed().map((answer) => make(
    "li", { class: "earlier-answer" }, make("p", { class: "asked" }, answer.question), ...answer.sentences.map((sentence) => paragraph(sentence, false)),
  )));
};

// An answer as it is kept.
const plain = ({ question, covered, remark, sentences, moments }) => ({ question, covered, remark, sentences, moments });

const keep = (place0, answer) => {
  const body = JSON.stringify({ scope: place0, answer: plain(answer) });
  fetch("api/conversations", { method: "POST", headers, body }).catch(() => {}); // this tab remembers it, too
  tab.remember(`talk:${place0}`, [...tab.recall(`talk:${place0}`, []), { ...answer, at: Date.now() / 1000 }].slice(-KEPT));
};

const clear = () => {
  $("answer").hidden = true;
  for (const id of ["evidence", "remark"]) $(id).hidden = true;
  drawn = -1;
};

export const answers = {
  // Another question was asked: what is drawn from now on belongs to its answer.
  next(place0) { if (place0 === where) drawn = -1; },

  // A question is on its way: it stands there at once.
  asked(question, place0) {
    if (place0 !== where) return;
    now = question;
    clear();
    $("answer").hidden = false;
    $("asked").textContent = question;
    $("verdict").hidden = true;
    $("sentences").replaceChildren();
    drawEarlier();
  },

  // It was a command: the answer before it comes back.
  undo() {
    clear();
    $("hint").scrollIntoView({ block: "nearest" });
    if (conversation.length) { $("answer").hidden = false; draw(conversation.at(-1)); }
  },

  // Draw as much of an answer as there is, or more of it.
  tell({ question, sentences, covered = true }, place0) {
    if (place0 !== where) return;
    now = question;
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
  show(answer, place0) {
    keep(place0, answer);
    if (place0 !== where) return [];
    conversation = [...conversation, answer].slice(-KEPT);
    const moments = draw(answer);
    $("sentences").scrollIntoView({ block: "nearest" });
    return moments;
  },

  // Be in the conversation of a place; returns the moments of its last answer, or null when it is there already.
  async restore(place0) {
    if (place0 === where) return null;
    where = place0;
    conversation = tab.recall(`talk:${place0}`, []);
    clear();
    const show = async () => {
      await shelf.need(conversation.flatMap((answer) => answer.sentences).flatMap(({ moments }) => moments).map(({ episode }) => episode));
      if (where !== place0) return [];
      const last = conversation.at(-1);
      const open = last && Date.now() / 1000 - (last.at ?? 0) < RECENT;
      if (open) return draw(last);
      drawEarlier();
      return [];
    };
    const moments = await show();
    if (where !== place0) return moments;
    const before = conversation.length;
    try {
      const reply = await fetch(`api/conversations?scope=${encodeURIComponent(place0)}`, { headers });
      if (!reply.ok || where !== place0) return moments;
      const all = await reply.json();
      if (where !== place0 || conversation.length !== before || all.length <= before) return moments;
      conversation = all;
      clear();
      return show();
    } catch {
      return moments;
    }
  },

  // Mark the sentence that is being read; -1 for none.
  sounding(i0) {
    [...$("sentences").children].forEach((line, i) => line.classList.toggle("sounding", i === i0));
  },

  // The answer as one says it, with its times.
  inWords(answer) {
    const times = answer.sentences.flatMap((sentence) => sentence.moments.map((moment) => clock(moment.start)));
    return `${answer.covered ? t("Answer") : t("Not covered")}: ${answer.sentences.map((sentence) => sentence.text).join(" ")}`
      + (times.length ? ` ${t("At {times}.", { times: [...new Set(times)].join(", ") })}` : "");
  },

  conversation: () => conversation,

  // The moments of the present answer, best first.
  moments() {
    const last = conversation.at(-1);
    return last ? [...last.sentences.flatMap((sentence) => sentence.moments), ...last.moments] : [];
  },
};
