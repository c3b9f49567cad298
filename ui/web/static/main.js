// SPDX-License-Identifier: GPL-3.0-or-later
// The start: wait for what Gradio mounts, listen to clicks and keys, and ask the server how things stand.

import { adding, betterButton } from "./add.js";
import { ask, askHere, askPending, place, startAnswers } from "./ask.js";
import { away } from "./away.js";
import { loadAmounts } from "./commands.js";
import { $, announce, fetchJson, make } from "./dom.js";
import { shelf } from "./episode_list.js";
import { choose, chosen, drawTries, startEpisode, takeLibrary, wasAt } from "./episode_view.js";
import { hush } from "./excerpt.js";
import { share } from "./export.js";
import { startKeys } from "./keys.js";
import { kept } from "./kept.js";
import { talk } from "./microphone.js";
import { notes } from "./notes.js";
import { registerOffline } from "./offline.js";
import { player } from "./player.js";
import { progress } from "./progress.js";
import { parse } from "./route.js";
import { sheet } from "./sheet.js";
import { voice } from "./speech_output.js";
import { later, loadTexts, t, translate } from "./texts.js";
import { timeline } from "./timeline.js";
import { startToasts } from "./toast.js";
import { transcript } from "./transcript.js";
import { go, openFor, startViews, view } from "./views.js";

const SOON = 700; // milliseconds to the next look while something is under way
const LATER = 10_000; // while nothing is
const NEEDED = ["state", "shelf", "audio", "answer", "topics", "transcript-lines", "talk", "notes", "ask-button"];

// -- how things stand --------------------------------------------------------------------------------------

const ROLES = { hearing: later("Hears with"), speaking: later("Speaks with"), finding: later("Finds with"), telling: later("Tells with") };
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
  if (status.ready && ready === false && $("answer").hidden) announce(t("Earmark is ready. Ask a question."));
  if (!status.ready && ready === null) announce(`${status.doing}, ${percent} %`);
  ready = status.ready;
  const lines = JSON.stringify(status.engines);
  if ($("engines").dataset.lines === lines) return;
  $("engines").dataset.lines = lines;
  const focused = $("engines").contains(document.activeElement);
  const roles = Object.keys(ROLES);
  const engines = status.engines.toSorted((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role));
  $("engines").replaceChildren(...engines.map((engine) => make(
    "li", {}, make("span", { class: "engine-role" }, ROLES[engine.role] ? t(ROLES[engine.role]) : engine.role), " ",
    make("span", { class: "engine-name" }, engine.name.replace(/^faster-whisper /, "Whisper ")), " ", betterButton(engine) ?? engine.better,
  )));
  if (focused) $("engines").focus(); // the button that was pressed is no more
};

// Nothing is under way: neither the engines nor an episode that a worker has in hand or that waits for one.
const quiet = (status) => status.ready && !(status.work ?? []).some((one) => ["running", "waiting"].includes(one.state));

const look = async () => {
  let pause = SOON;
  try {
    const asked = fetchJson("api/status");
    await shelf.look(asked);
    const status = await asked;
    if (away.over()) { // it was away
      progress.report();
      await progress.loadAll();
      player.mend();
      notes.catchUp();
    }
    drawState(status);
    nothing = status.ready && !shelf.size();
    document.body.classList.toggle("empty", !shelf.size());
    takeLibrary();
    askPending();
    if (quiet(status)) pause = LATER;
  } catch (error) {
    if (!away.lost(error)) throw error;
    if (!shelf.all().length) await shelf.look().then(takeLibrary).catch(() => {}); // as it was the last time
    pause = away.pause();
  }
  clearTimeout(next);
  if (document.hidden) next = 0; // nobody looks: on coming back
  else next = setTimeout(look, pause);
};
export const lookNow = () => { clearTimeout(next); return look(); };

// On a first visit to the library, the player has what one was at.
const loadLast = async () => {
  const [last] = await wasAt(1);
  if (last && !player.episode) await player.playAt(last.id, null, false);
};

// -- clicks ------------------------------------------------------------------------------------------------

const onClick = (event) => {
  const target = event.target.closest?.("[data-seek], [data-choose], [data-play], [data-show], [data-go], [data-ask], [data-cue], [data-skip], [role=tab]");
  if (!target || (target.matches("a") && (event.ctrlKey || event.metaKey || event.shiftKey))) return;
  if (target.matches("a")) event.preventDefault();
  const { seek, episode, choose: id, play, show, go: where, ask: question, cue, skip } = target.dataset;
  if (question !== undefined) ask(question);
  else if (id !== undefined) go({ name: "episode", episode: id });
  else if (play !== undefined) player.playAt(play);
  else if (show !== undefined) go({ name: "show", show });
  else if (where !== undefined) go(/** @type {import("./route.js").View} */ ({ name: where }));
  else if (skip !== undefined) skipTo(skip);
  else if (cue !== undefined) { if (getSelection().isCollapsed) player.playAt(chosen().id, Number(cue)); }
  else if (seek !== undefined) player.playAt(episode, Number(seek));
  else if (target.getAttribute("role") === "tab") showTab(target);
};

const skipTo = (id) => {
  if (id === "question") { askHere(); return; }
  if (id === "library-title" && $("library").hidden) go({ name: "home" }).then(() => $(id).focus());
  else /** @type {HTMLElement} */ ($(id)).focus();
};

export const showTab = (tab) => {
  for (const other of tab.parentElement.children) {
    const here = other === tab;
    other.setAttribute("aria-selected", here);
    other.tabIndex = here ? 0 : -1;
    $(other.getAttribute("aria-controls")).hidden = !here;
  }
  if (tab.id === "tab-transcript") transcript.show();
};

// Begin when Gradio has mounted the last piece of the page.
export const start = async () => {
  if (!NEEDED.every($) || !document.querySelector("#question textarea, #question input")) {
    requestAnimationFrame(start);
    return;
  }
  await loadTexts();
  translate(document.body);
  const wish = parse(location.search, location.hash);
  document.addEventListener("click", onClick);
  startKeys();
  startToasts();
  for (const part of [sheet, player, timeline, progress, transcript, talk, share, notes, kept, adding, away]) part.start();
  startEpisode();
  startAnswers();
  loadAmounts();
  kept.show();
  openFor(wish);
  await progress.loadAll();
  await look();
  await startViews();
  shelf.start();
  drawTries();
  await loadLast();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !next) look(); });
  registerOffline();
  // what may be driven from a console, an extension or a test
  Object.assign(window, { Earmark: { ask, away, choose, chosen, go, hush, kept, lookNow, place, player, progress, sheet, takeLibrary, transcript, view, voice } });
};
