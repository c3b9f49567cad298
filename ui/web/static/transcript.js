// SPDX-License-Identifier: GPL-3.0-or-later
// The transcript: paragraphs by speaker that follow the sound, a click to go there, and a search in it. The browser
// lays out only the paragraphs in sight (content-visibility), and words are marked without an element for each.

import { $, fetchJson, make, timeButton } from "./dom.js";
import { chosen } from "./episode_view.js";
import { player } from "./player.js";
import { t } from "./texts.js";
import { places, words } from "./words.js";

const PARAGRAPH = 30; // seconds of transcript under one time
const VOICES = 6; // colours for speakers
const MOST_FOUND = 2000;
const marks = CSS.highlights; // missing in old browsers: then lines are marked, words not

let of = null; // the episode whose transcript is drawn
let cues = [];
let lines = []; // the element of each cue
let texts = []; // for the search, of each paragraph: {text, there: its words once they are looked for, offsets: [[offset, element]]}
let current = -1;
let following = true;
let found = []; // ranges
let at = -1;

const panel = () => $("transcript-lines");

const paragraphs = () => {
  const all = [];
  for (const cue of cues) {
    const last = all.at(-1);
    if (last && last.speaker === cue.speaker && cue.start - last.start < PARAGRAPH) last.cues.push(cue);
    else all.push({ start: cue.start, speaker: cue.speaker, cues: [cue] });
  }
  return all;
};

const draw = (id) => {
  const voices = [...new Set(cues.map((cue) => cue.speaker))];
  lines = [];
  texts = [];
  const drawn = paragraphs().map(({ start, speaker, cues: some }) => {
    const flow = make("p", {});
    const offsets = [];
    let text = "";
    for (const cue of some) {
      const line = make("span", { class: "cue", "data-cue": cue.start }, cue.text);
      lines.push(line);
      offsets.push([text.length, line]);
      text += `${cue.text} `;
      flow.append(line, " ");
    }
    texts.push({ text, there: null, offsets });
    const voice = speaker ? voices.indexOf(speaker) % VOICES : 0;
    return make("div", { class: "paragraph", "data-voice": voice }, make("p", { class: "speaker" }, timeButton(start, id, speaker), speaker), flow);
  });
  panel().replaceChildren(...drawn);
  if (!cues.length) panel().textContent = t("There is no transcript yet.");
};

const scrollTo = (element, block = "center") => {
  const [box, view] = [element.getBoundingClientRect(), panel().getBoundingClientRect()];
  const room = block === "center" ? (view.height - box.height) / 2 : view.height / 3;
  panel().scrollBy({ top: box.top - view.top - room, behavior: "instant" });
};

const follow = (on) => {
  following = on;
  $("to-now").hidden = on || !lines.length;
  if (on && lines[current]) scrollTo(lines[current], "third");
};

// The line that is said at a second; -1 before the first.
const lineAt = (seconds) => {
  let [low, high] = [0, cues.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cues[middle].start <= seconds + 0.05) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

// Mark a line as the one that is said.
const markLine = (i) => {
  lines[current]?.classList.remove("current");
  lines[i]?.classList.add("current");
  current = i;
};

// The word that sounds, when the transcript knows the times of words.
const markWord = (cue, line, seconds) => {
  if (!marks) return;
  const i = cue?.words?.findLastIndex(([start]) => start <= seconds + 0.05) ?? -1;
  if (i < 0) { marks.delete("em-word"); return; }
  const text = line.firstChild;
  let from = 0;
  for (const [, word] of cue.words.slice(0, i)) from = Math.max(from, cue.text.indexOf(word, from) + word.length);
  from = cue.text.indexOf(cue.words[i][1], from);
  if (from < 0) return;
  const range = new Range();
  range.setStart(text, from);
  range.setEnd(text, from + cue.words[i][1].length);
  marks.set("em-word", new Highlight(range));
};

// -- search ------------------------------------------------------------------------------------------------

const range = (offsets, from, to) => {
  const place = (offset, last) => offsets.findLast(([start]) => start < offset || (!last && start === offset)) ?? offsets[0];
  const [[a, first], [b, second]] = [place(from, false), place(to, true)];
  const result = new Range();
  result.setStart(first.firstChild, Math.min(from - a, first.firstChild.length));
  result.setEnd(second.firstChild, Math.min(to - b, second.firstChild.length));
  return result;
};

const search = () => {
  const wanted = $("find").value.trim();
  found = [];
  at = -1;
  for (const one of wanted ? texts : []) {
    one.there ??= words(one.text);
    for (const [from, to] of places(one.there, wanted)) if (found.length < MOST_FOUND) found.push(range(one.offsets, from, to));
  }
  if (found.length) marks?.set("em-found", new Highlight(...found));
  else marks?.delete("em-found");
  marks?.delete("em-found-now");
  $("find-count").textContent = wanted && !found.length ? t("Nothing found") : "";
  if (found.length) step(1);
};

const step = (by) => {
  if (!found.length) return;
  at = (at + by + found.length) % found.length;
  marks?.set("em-found-now", new Highlight(found[at]));
  follow(false);
  scrollTo(found[at].startContainer.parentElement);
  $("find-count").textContent = t("{n} of {all}", { n: at + 1, all: found.length });
};

// -- what the other parts of the page call ------------------------------------------------------------------

export const transcript = {
  clear() {
    [of, cues, lines, texts, current] = [null, [], [], [], -1];
    $("find").value = "";
    search();
    panel().replaceChildren();
    follow(true);
  },

  // Draw the transcript of the chosen episode, once.
  async show() {
    const id = chosen()?.id;
    if (!id || of === id) return;
    of = id;
    try {
      const answer = await fetchJson(`api/episodes/${encodeURIComponent(id)}/transcript`);
      if (of !== id) return;
      cues = answer;
    } catch (error) {
      of = null;
      panel().textContent = error.message;
      return;
    }
    draw(id);
    current = -1;
    player.show();
    follow(true);
  },

  // Keep the line, and the word, that sound now marked and in sight.
  follow(seconds) {
    if ($("transcript-panel").hidden || !lines.length || of !== chosen()?.id) return;
    const now = lineAt(seconds);
    markWord(cues[now], lines[now], seconds);
    if (now === current) return;
    markLine(now);
    if (following && lines[now]) scrollTo(lines[now], "third");
  },

  // Bring the line of a second into sight, whether or not there is sound.
  goTo(seconds) {
    const i = lineAt(seconds);
    if (!lines[i]) return;
    markLine(i);
    scrollTo(lines[i], "third");
  },

  // The listener went somewhere on purpose: look there.
  goAlong() { follow(true); },

  start() {
    for (const name of ["wheel", "touchmove"]) panel().addEventListener(name, () => follow(false), { passive: true });
    panel().addEventListener("pointerdown", (event) => { if (event.target === panel()) follow(false); }); // its scroll bar
    panel().addEventListener("keydown", (event) => {
      if (["PageUp", "PageDown", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) follow(false);
    });
    $("to-now").onclick = () => { follow(true); panel().focus(); };
    $("find").oninput = search;
    $("find").onkeydown = (event) => {
      if (event.key === "Enter") step(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") { $("find").value = ""; search(); }
    };
    $("find-next").onclick = () => step(1);
    $("find-before").onclick = () => step(-1);
  },
};
