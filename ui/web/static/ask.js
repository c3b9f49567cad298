// SPDX-License-Identifier: GPL-3.0-or-later
// A question from the moment it is asked to the end of its answer. Every question has a number, its turn;
// whatever comes back with an older number is dropped.

import { answers } from "./answer.js";
import { carryOut } from "./commands.js";
import { $, announce, fetchJson, make, recall, remember, say, tab, why } from "./dom.js";
import { shelf } from "./episode_list.js";
import { chosen, warmTopics } from "./episode_view.js";
import { hush } from "./excerpt.js";
import { isEmpty } from "./main.js";
import { talk } from "./microphone.js";
import { arriving } from "./ndjson.js";
import { player } from "./player.js";
import { progress } from "./progress.js";
import { voice } from "./speech_output.js";
import { later, t } from "./texts.js";
import { timeline } from "./timeline.js";
import { view } from "./views.js";

const REMEMBERED = 3; // questions that a follow-up may lean on
const LONGEST = 2000; // characters of a text that the server takes

let turn = 0;
let settled = 0; // the latest turn that has had its last word
let asking = null; // what breaks off the request of the turn that is being answered
let spoken = ""; // what was heard, while it is being asked
let readOut = 0; // sentences of the answer that the voice has been given
let aloud = null; // the feed of the voice that reads the answer, while there is one
let sounds = null; // the sound of its first sentence, which comes with the answer
let begun = Promise.resolve(); // kept as soon as the answer is heard, or need not be waited for
let askedIn = ""; // the place whose conversation the present turn belongs to
let written = ""; // the place to which what stands in the field belongs
let pending = null; // a question that the server was not there for: {text, place}

// A short word to the listener under the question; spoken to those who cannot see it.
export const hint = (text) => {
  say("hint", text);
  if (text) announce(text);
};

/** @returns {HTMLTextAreaElement} where the question is written; Gradio makes it */
const field = () => document.querySelector("#question textarea, #question input");

const write = (text) => {
  const box = field();
  box.value = text;
  box.dispatchEvent(new Event("input", { bubbles: true }));
};

// Where an answer is looked for: in the episode on the page, in its show, or everywhere.
const scope = () => {
  const { name } = view();
  if (name === "episode") return $("scope").value;
  return name === "show" ? "show" : "library";
};

// The place that a conversation belongs to.
export const place = () => {
  const where = scope();
  if (where === "episode") return `episode:${view().episode}`;
  return where === "show" ? `show:${view().show ?? shelf.known(view().episode)?.show ?? ""}` : "library";
};

// What a follow-up may lean on: the last questions, with the moments of their answers.
const history = (before = answers.conversation()) => before.slice(-REMEMBERED).map((answer) => {
  const cited = answer.sentences.flatMap((sentence) => sentence.moments);
  const moments = (cited.length ? cited : answer.moments).slice(0, 8);
  return { text: answer.question, moments: moments.map((one) => ({
    ...one, quote: one.quote.slice(0, LONGEST), speaker: one.speaker.slice(0, 200),
  })) };
});

// The episode that stands for what is asked: the one on the page, or one of the show.
const about = () => chosen()?.id ?? (view().name === "show" ? shelf.ofShow(view().show)?.id : null) ?? null;

// Whether the answer is read; one to a spoken question is in any case.
const readsAloud = () => Boolean(spoken) || $("aloud").checked;

const body = (text) => {
  const playing = player.episode?.audio && (player.used || player.episode.id === about()) ? player.episode.id : null;
  // a position is told only with the episode it is in
  const here = scope() !== "episode" || playing === about();
  return {
    text,
    stream: true,
    aloud: readsAloud(),
    episode: about(),
    scope: scope(),
    position: playing && here ? player.position : null,
    heard_until: limit(),
    playing: here ? playing : null,
    history: history(),
  };
};

// How far an answer may look, in seconds: to where the listener is, or to the end (null).
export const limit = () => {
  if (!$("so-far").checked || scope() !== "episode") return null;
  return player.episode?.id === chosen()?.id ? player.position : progress.of(chosen()?.id)?.position ?? 0;
};

const begin = (text) => {
  turn += 1;
  asking?.abort();
  [aloud, readOut, sounds, begun] = [null, 0, voice.feed(), Promise.resolve()];
  [askedIn, pending] = [place(), null];
  tab.remember("pending", null);
  hush();
  talk.overheard();
  voice.unlock();
  player.interrupt();
  answers.next(askedIn);
  hint(text);
  $("ask").classList.add("busy");
  $("stop").hidden = true;
};

// The question is over, one way or the other.
export const end = (text = "") => {
  spoken = "";
  aloud?.end();
  $("ask").classList.remove("busy");
  hint(text);
  if (!aloud) player.giveBack();
};

const endReading = () => {
  talk.overheard();
  const stop = $("stop");
  // the focus must not fall out of the page with the button, nor bring a phone's keyboard up
  if (document.activeElement === stop) $("answer").focus({ preventScroll: true });
  stop.hidden = true;
  answers.sounding(-1);
};

// -- asking ------------------------------------------------------------------------------------------------

// Ask; the answer comes as lines of JSON, and is drawn as it comes.
const put = async (given) => {
  const text = given.trim().slice(0, LONGEST);
  if (!text) {
    hint(t("Type a question, or tap the microphone and say it."));
    field().focus();
    return;
  }
  if (isEmpty()) {
    hint(t("There is nothing to ask yet: open “Add episodes”, or drop a recording on this page."));
    return;
  }
  const where = { episode: t("Looking through the episode…"), show: t("Looking through the show…"), library: t("Looking through your library…") };
  begin(where[scope()]);
  write("");
  answers.asked(text, askedIn);
  const [mine, request] = [turn, new AbortController()];
  asking = request;
  try {
    const reply = await fetch("api/ask", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body(text)),
      signal: request.signal,
    });
    if (!reply.ok) {
      const message = await why(reply);
      if (mine === turn) write(text);
      tellNews({ state: "error", turn: mine, message, hint: "" });
      return;
    }
    await follow(reply.body, text, mine);
    if (mine === turn && settled !== turn) broke(text);
  } catch (error) {
    if (error.name !== "AbortError" && mine === turn) broke(text);
  } finally {
    if (asking === request) asking = null;
  }
};

// Tell what comes, as it comes; all that has come at once is drawn at once, and what is to be heard comes first.
const follow = async (stream, text, mine) => {
  const sentences = [];
  const heard = sounds;
  try {
    for await (const lines of arriving(stream)) {
      let news = null;
      for (const { waiting, sentence, sound, answer, error, hint: next = "" } of lines) {
        if (sound) heard.push(sound);
        if (sound === null) heard.end();
        if (sound !== undefined) continue;
        if (sentence) sentences.push(sentence);
        if (waiting) news = { state: "waiting", message: waiting };
        else if (error) news = { state: "error", message: error, hint: next };
        else if (answer) news = { ...answer, state: "answer" };
        else news = { state: "telling", question: text, covered: true, sentences: [...sentences] };
      }
      if (!news) continue;
      if (mine === turn && settled !== turn) readOutLoud(sentences);
      await shelf.need([...(news.sentences ?? []).flatMap(({ moments }) => moments), ...(news.moments ?? [])].map(({ episode }) => episode));
      tellNews({ ...news, turn: mine });
    }
  } finally {
    heard.end();
  }
};

// The server is not there, or went on the way: the question waits for it.
const broke = (text) => {
  settled = turn;
  pending = { text, place: askedIn };
  tab.remember("pending", pending);
  end(t("Earmark does not answer. Your question is kept, and asked again as soon as it does."));
};

// The server is there again: ask what waited for it.
export const askPending = () => {
  const waited = pending ?? tab.recall("pending", null);
  if (!waited || $("ask").classList.contains("busy")) return;
  if (waited.place !== place()) return; // the listener went elsewhere; it is asked on coming back
  put(waited.text);
};

// -- called by the microphone ------------------------------------------------------------------------------

export const beginListening = () => { spoken = ""; begin(t("Listening… it ends by itself when you have asked; Escape forgets it.")); };
export const hearing = async (samples) => {
  const mine = turn;
  hint(t("Understanding what you said…"));
  const reply = await giveSound("api/hear", samples);
  const heard = await reply.json().catch(() => ({}));
  if (mine !== turn) return;
  if (!reply.ok) { end(heard.error ?? heard.detail ?? reply.statusText); return; }
  askHeard(heard.text?.trim());
};

// Give the server sound to understand, and tell it the episode whose words to expect; returns its reply.
export const giveSound = (path, samples) => {
  const episode = chosen()?.id ?? player.episode?.id;
  return fetch(`${path}${episode ? `?episode=${encodeURIComponent(episode)}` : ""}`, {
    method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: samples,
  });
};

// Ask what was understood, if that was something.
export const askHeard = (text) => {
  if (text) ask(text, true);
  else end(t("I heard no question. Tap the microphone and try again, or type it."));
};

export const ask = (text, heard = false) => {
  spoken = heard ? text : "";
  return put(text);
};

// What comes of a question: waiting and telling (any number of times), then an answer or an error.
const tellNews = (what) => {
  if (!what || what.turn !== turn || settled === turn) return;
  if (what.state === "waiting") hint(t("Your question waits: {for}", { for: what.message }));
  else if (what.state === "telling") tell(what);
  else settled = turn;
  if (what.state === "error") end(`${what.message} ${what.hint}`.trim());
  if (what.state === "answer") show(what);
};

// -- the answer --------------------------------------------------------------------------------------------

// Show where the answer lies, over the player's line and in the rows of topics, for the question as `before` lets it be
// understood; the answer does not wait for the picture.
const warm = async (question, moments, before) => {
  const mine = turn;
  const [sounding, shown] = [player.episode?.id, chosen()?.id];
  const there = (id) => moments.filter((moment) => moment.episode === id);
  timeline.heat([], there(sounding));
  warmTopics([]);
  for (const id of new Set([sounding, shown])) {
    if (!id || !there(id).length) continue;
    const asked = { text: question, episode: id, heard_until: id === shown ? limit() : null, history: before };
    const parts = await fetchJson("api/heat", asked).catch(() => []);
    if (mine !== turn) return;
    if (id === sounding && id === player.episode?.id) timeline.heat(parts, there(id));
    if (id === shown && id === chosen()?.id) warmTopics(parts);
  }
};

// Read aloud what has come of an answer, and what will come; then the playback is as it was. A question that was
// spoken is answered aloud in any case.
const read = async (mine) => {
  const feed = aloud = voice.feed();
  $("stop").hidden = false;
  /** @type {(value?: unknown) => void} */
  let sounded = () => {};
  begun = new Promise((go) => { sounded = go; });
  const sounding = (i) => { sounded(); answers.sounding(i); };
  try {
    await voice.read(feed, sounding, sounds);
  } catch (error) {
    hint(t("The answer cannot be read aloud: {why}", { why: error.message }));
  }
  sounded();
  if (mine !== turn) return;
  aloud = null;
  if (settled === turn) asking?.abort(); // of which only sound can be left
  endReading();
  if (settled === turn) player.giveBack();
};

// Let the voice read what it has not been given yet.
const readOutLoud = (sentences) => {
  const told = readOut;
  readOut = sentences.length;
  if (!told && sentences.length && readsAloud()) read(turn);
  for (const { text } of sentences.slice(told)) aloud?.push(text);
  // from the first sentence on, and not only when the last one is there
  if (aloud && spoken && sentences.length > told) talk.overhear(sentences.map(({ text }) => text));
};

// Some of an answer is there: its sentences so far.
const tell = ({ sentences, question, covered }) => {
  say("hint", "");
  answers.tell({ question, sentences, covered }, askedIn);
  readOutLoud(sentences);
};

// All of an answer is there.
const show = (answer) => {
  if (answer.command) {
    answers.undo();
    Promise.resolve(carryOut(answer)).then((said) => { if (settled === turn) end(said); });
    return;
  }
  tell(answer);
  const moments = answers.show(answer, askedIn);
  const [mine, before] = [turn, history(answers.conversation().slice(0, -1))];
  // not while the voice makes its first sound: that waits for the same processor
  begun.then(() => { if (mine === turn && place() === askedIn) warm(answer.question, moments, before); });
  announce(answers.inWords(answer));
  spoken = "";
  $("ask").classList.remove("busy");
  if (aloud) aloud.end();
  else player.giveBack();
};

// Read the present answer once more.
export const readAgain = () => {
  const last = answers.conversation().at(-1);
  if (!last) return false;
  hush();
  player.interrupt();
  turn += 1;
  settled = turn;
  sounds = null;
  readOut = last.sentences.length;
  read(turn);
  for (const { text } of last.sentences) aloud?.push(text);
  aloud?.end();
  return true;
};

// -- places -------------------------------------------------------------------------------------------------

// Questions that can be answered here.
export const suggest = (questions) => {
  $("suggestions").hidden = !questions.length;
  $("chips").replaceChildren(...questions.slice(0, 3).map((question) => make(
    "li", {}, make("button", { type: "button", class: "chip", "data-ask": question }, question),
  )));
};

const placeholders = { episode: later("Ask about this episode…"), show: later("Ask about this show…"), library: later("Ask anything your podcasts talk about…") };
const headings = { episode: later("Ask this episode"), show: later("Ask this show"), library: later("Ask your library") };

// The view, or the scope, is another: its conversation comes, and what is written belongs where it was written.
export const showScope = async () => {
  const [where, now] = [scope(), place()];
  $("scope-part").hidden = $("so-far-part").hidden = view().name !== "episode";
  $("so-far").disabled = where !== "episode";
  $("ask-heading").textContent = t(headings[where]);
  field().placeholder = t(placeholders[where]);
  if (written !== now) {
    if (written) tab.remember(`draft:${written}`, field().value);
    written = now;
    write(tab.recall(`draft:${now}`, ""));
  }
  if (!$("ask").classList.contains("busy")) hint("");
  const moments = await answers.restore(now);
  if (moments && place() === now && askedIn !== now) {
    timeline.heat([], moments.filter((moment) => moment.episode === player.episode?.id));
    warmTopics([]);
  }
  if (pending?.place === now) askPending();
};

// Bring the place where one asks into sight.
export const askHere = () => {
  field().focus({ preventScroll: true });
  $("ask").scrollIntoView({ block: "nearest" });
};

export const startAnswers = () => {
  for (const name of /** @type {const} */ (["aloud", "so-far"])) {
    $(name).checked = recall(name, name === "aloud");
    $(name).addEventListener("change", () => remember(name, $(name).checked));
  }
  $("aloud").addEventListener("change", () => { if (!$("aloud").checked) voice.stop(); });
  $("scope").onchange = showScope;
  field().addEventListener("focus", () => voice.unlock()); // opening the loudspeaker takes a moment
  field().addEventListener("input", () => { if (written) tab.remember(`draft:${written}`, field().value); });
  $("stop").onclick = () => voice.stop();
  $("ask-button").textContent = t("Ask");
  $("ask-button").addEventListener("click", () => ask(field().value));
  field().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    ask(field().value);
  });
  $("correct").onclick = () => {
    hush();
    write($("asked").textContent);
    field().focus();
    field().select();
  };
};
