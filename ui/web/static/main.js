// SPDX-License-Identifier: GPL-3.0-or-later
// The start: wait for what Gradio mounts, listen to clicks and keys, and ask the server how things stand.

import { adding, betterButton } from "./add.js";
import { ask, askHere, lost, startAnswers } from "./ask.js";
import { $, announce, fetchJson, make, say } from "./dom.js";
import { shelf } from "./episode_list.js";
import { choose, chosen, takeLibrary } from "./episode_view.js";
import { hush } from "./excerpt.js";
import { share } from "./export.js";
import { talk } from "./microphone.js";
import { player } from "./player.js";
import { progress } from "./progress.js";
import { voice } from "./speech_output.js";
import { timeline } from "./timeline.js";
import { transcript } from "./transcript.js";

const SOON = 700; // milliseconds to the next look while something is under way
const LATER = 5000;
const STEP = 5; // seconds moved by an arrow key
const NEEDED = ["state", "shelf", "audio", "answer", "topics", "transcript-lines", "talk", "notes", "ask-button"];

// What a link asks for: ?episode=…&t=754, also with t=12:34, or with #t=754 as media fragments have it.
const wish = () => {
  const [given, fragment] = [location.search, location.hash.slice(1)].map((text) => new URLSearchParams(text));
  const time = given.get("t") ?? fragment.get("t")?.split(",")[0] ?? "";
  const at = time.split(":").reduce((sum, part) => 60 * sum + parseFloat(part), 0);
  return { episode: given.get("episode"), at: Number.isFinite(at) ? Math.max(0, at) : null };
};

// -- how things stand --------------------------------------------------------------------------------------

const ROLES = { hearing: "Hears with", speaking: "Speaks with", finding: "Finds with", telling: "Tells with" };
let ready = null;
let nothing = false; // the library is known to hold no episode
let next = 0; // the timer of the next look

// Whether there is nothing that could be asked.
export const isEmpty = () => nothing;

const drawState = (status) => {
  $("state").hidden = status.ready;
  $("state").classList.toggle("bad", Boolean(status.problem));
  const percent = Math.round(100 * status.progress);
  $("state-text").textContent = status.problem || `${status.doing}… ${percent} %`;
  $("state-progress").hidden = Boolean(status.problem);
  $("state-progress").value = status.progress;
  if (status.ready && ready === false && $("answer").hidden) announce("Earmark is ready. Ask a question.");
  if (!status.ready && ready === null) announce(`${status.doing}, ${percent} %`);
  ready = status.ready;
  const lines = JSON.stringify(status.engines);
  if ($("engines").dataset.lines === lines) return;
  $("engines").dataset.lines = lines;
  const focused = $("engines").contains(document.activeElement);
  const roles = Object.keys(ROLES);
  const engines = status.engines.toSorted((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
  $("engines").replaceChildren(...engines.map((engine) => make(
    "li", {}, make("span", { class: "engine-role" }, ROLES[engine.role] ?? engine.role), " ",
    make("span", { class: "engine-name" }, engine.name), ". ", betterButton(engine) ?? engine.better,
  )));
  if (focused) $("engines").focus(); // the button that was pressed is no more
};

const drawEmpty = (status, episodes) => {
  if (chosen() || episodes.length) return;
  $("episode-title").textContent = status.ready ? "Your library is empty" : "Getting ready…";
  say("episode-teaser", status.ready
    ? "Open “Add episodes” above, or drop a recording anywhere on this page."
    : "You can write your question already; it is answered as soon as the first episode is in.");
  $("side-panel").hidden = true;
};

const look = async () => {
  let pause = SOON;
  try {
    const [status, episodes] = await Promise.all([fetchJson("api/status"), fetchJson("api/episodes")]);
    drawState(status);
    drawEmpty(status, episodes);
    nothing = status.ready && !episodes.length;
    const work = Object.fromEntries((status.work ?? []).map((one) => [one.episode, one]));
    takeLibrary(episodes.map((episode) => ({ ...episode, work: work[episode.id] })), wish());
    if (status.ready && episodes.every((episode) => episode.ready || episode.status.startsWith("failed"))) pause = LATER;
  } catch {
    drawState({ ready: false, problem: "Earmark does not answer. Is it still running?", engines: [], progress: 0 });
    ready = null;
    lost();
  }
  clearTimeout(next);
  next = setTimeout(look, document.hidden ? LATER : pause);
};
export const lookNow = () => { clearTimeout(next); look(); };

// -- clicks ------------------------------------------------------------------------------------------------

const onClick = (event) => {
  const target = event.target.closest?.("[data-seek], [data-choose], [data-ask], [data-cue], [role=tab]");
  if (!target) return;
  const { seek, episode, choose: id, ask: question, cue } = target.dataset;
  if (question !== undefined) ask(question);
  else if (id !== undefined) choose(id);
  else if (cue !== undefined && getSelection().isCollapsed) player.jump(Number(cue));
  else if (seek !== undefined && episode !== player.episode?.id) choose(episode, Number(seek), true);
  else if (seek !== undefined) player.jump(Number(seek));
  else showTab(target);
};

const showTab = (tab) => {
  for (const other of tab.parentElement.children) {
    const here = other === tab;
    other.setAttribute("aria-selected", here);
    other.tabIndex = here ? 0 : -1;
    $(other.getAttribute("aria-controls")).hidden = !here;
  }
  if (tab.id === "tab-transcript") transcript.show();
};

// Show the transcript at the place where the player is: there is no sound to hear.
export const readAlong = async () => {
  showTab($("tab-transcript"));
  await transcript.show();
  player.show();
  $("side-panel").scrollIntoView({ block: "nearest" });
};

// -- keys --------------------------------------------------------------------------------------------------

const KEYS = {
  " ": () => player.toggle(),
  k: () => player.toggle(),
  j: () => player.skip(-15),
  l: () => player.skip(30),
  ArrowLeft: () => player.skip(-STEP),
  ArrowRight: () => player.skip(STEP),
  n: () => player.nextTopic(1),
  p: () => player.nextTopic(-1),
  Escape: () => { if (!adding.close() && !talk.cancel()) hush(); },
  "/": () => askHere(),
};

const onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { target, key } = event;
  const arrow = key === "ArrowLeft" || key === "ArrowRight";
  if (target.getAttribute?.("role") === "tab" && arrow) {
    const tabs = [...target.parentElement.children];
    const other = tabs.at((tabs.indexOf(target) + (key === "ArrowRight" ? 1 : -1)) % tabs.length);
    showTab(other);
    other.focus();
  } else if (key === "Escape" || (target.id === "position" && arrow)) {
    KEYS[key]();
  } else if (target.closest?.("input, textarea, select, [contenteditable], [role=dialog], [role=listbox]")) {
    return;
  } else if (key === " " && target.closest?.("button, a, summary, label")) {
    return; // a focused button is what space presses
  } else if (KEYS[key]) {
    KEYS[key]();
  } else {
    return;
  }
  event.preventDefault();
};

// Begin when Gradio has mounted the last piece of the page.
const start = () => {
  if (!NEEDED.every($) || !document.querySelector("#question textarea, #question input")) {
    requestAnimationFrame(start);
    return;
  }
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  for (const part of [player, timeline, progress, transcript, talk, share, adding, shelf]) part.start();
  startAnswers();
  look();
  // what may be driven from a console, an extension or a test
  Object.assign(window, { Earmark: { ask, chosen, hush, lookNow, player, progress, takeLibrary, transcript, voice } });
};

start();
