// SPDX-License-Identifier: GPL-3.0-or-later
// A question from the moment it is asked to the end of its answer. Every question has a number, its turn;
// whatever comes back with an older number is dropped.

import { answers } from "./answer.js";
import { carryOut } from "./commands.js";
import { $, announce, fetchJson, make, reason, recall, remember, say, tab } from "./dom.js";
import { chosen } from "./episode_view.js";
import { hush } from "./excerpt.js";
import { isEmpty } from "./main.js";
import { arriving } from "./ndjson.js";
import { player } from "./player.js";
import { voice } from "./speech_output.js";
import { timeline } from "./timeline.js";

const REMEMBERED = 3; // questions that a follow-up may lean on
const LONGEST = 2000; // characters of a text that the server takes

let turn = 0;
let settled = 0; // the latest turn that has had its last word
let asking = null; // what breaks off the request of the turn that is being answered
let spoken = ""; // what was heard, while it is being asked
let readOut = 0; // sentences of the answer that the voice has been given
let aloud = null; // the feed of the voice that reads the answer, while there is one

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

// What a follow-up may lean on: the last questions, with the moments of their answers.
const history = () => answers.conversation().slice(-REMEMBERED).map((answer) => {
  const cited = answer.sentences.flatMap((sentence) => sentence.moments);
  const moments = (cited.length ? cited : answer.moments).slice(0, 8);
  return { text: answer.question, moments: moments.map((one) => ({
    ...one, quote: one.quote.slice(0, LONGEST), speaker: one.speaker.slice(0, 200),
  })) };
});

const scope = () => $("scope").value;

const body = (text) => ({
  text,
  stream: true,
  episode: chosen()?.id ?? null,
  scope: scope(),
  position: player.episode?.audio ? player.position : null,
  heard_until: limit(),
  playing: player.episode?.id ?? null,
  history: history(),
});

// How far an answer may look, in seconds: to where the listener is, or to the end (null).
export const limit = () => ($("so-far").checked && scope() === "episode" ? player.position : null);

const begin = (text) => {
  turn += 1;
  asking?.abort();
  [aloud, readOut] = [null, 0];
  hush();
  voice.unlock();
  player.interrupt();
  answers.next();
  hint(text);
  say("heard-text", spoken && `I heard: “${spoken}”`);
  $("heard-as").hidden = !spoken;
  $("ask").classList.add("busy");
  $("stop").hidden = true;
};

// The question is over, one way or the other.
const end = (text = "") => {
  spoken = "";
  aloud?.end();
  $("ask").classList.remove("busy");
  hint(text);
  if (!aloud) player.giveBack();
};

const endReading = () => {
  const stop = $("stop");
  // the focus must not fall out of the page with the button, nor bring a phone's keyboard up
  if (document.activeElement === stop) $("answer").focus({ preventScroll: true });
  stop.hidden = true;
  answers.sounding(-1);
};

export const currentTurn = () => turn;

// -- asking ------------------------------------------------------------------------------------------------

// Ask what stands in the field; its answer comes as lines of JSON, each told to `news`.
const put = async () => {
  const text = field().value.trim().slice(0, LONGEST);
  if (!text) {
    hint("Type a question, or tap the microphone and say it.");
    field().focus();
    return;
  }
  if (isEmpty()) {
    hint("There is nothing to ask yet: open “Add episodes”, or drop a recording on this page.");
    return;
  }
  begin(`Looking through ${{ episode: "the episode", show: "the show", library: "your library" }[scope()]}…`);
  const [mine, request] = [turn, new AbortController()];
  asking = request;
  try {
    const reply = await fetch("api/ask", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body(text)),
      signal: request.signal,
    });
    if (!reply.ok) {
      const message = reason(await reply.json().catch(() => ({}))) || reply.statusText;
      tellNews({ state: "error", turn: mine, message, hint: "" });
      return;
    }
    await follow(reply.body, text, mine);
    if (mine === turn && settled !== turn) broke();
  } catch (error) {
    if (error.name !== "AbortError" && mine === turn) broke();
  } finally {
    if (asking === request) asking = null;
  }
};

// Tell what comes, as it comes; all that has come at once is drawn at once.
const follow = async (stream, text, mine) => {
  const sentences = [];
  for await (const lines of arriving(stream)) {
    let news = null;
    for (const { waiting, sentence, answer, error, hint: next = "" } of lines) {
      if (sentence) sentences.push(sentence);
      if (waiting) news = { state: "waiting", message: waiting };
      else if (error) news = { state: "error", message: error, hint: next };
      else if (answer) news = { ...answer, state: "answer" };
      else news = { state: "telling", question: text, covered: true, sentences: [...sentences] };
    }
    tellNews({ ...news, turn: mine });
  }
};

const broke = () => {
  settled = turn;
  end("Earmark does not answer. Your question is kept: ask it again when Earmark is running.");
};

// -- called by the microphone ------------------------------------------------------------------------------

export const beginListening = () => { spoken = ""; begin("Listening… tap again or let go when you have asked; Escape forgets it."); };
export const unheard = (text) => end(text);
export const hearing = async (samples) => {
  const mine = turn;
  hint("Understanding what you said…");
  const episode = chosen()?.id;
  const reply = await fetch(`api/hear${episode ? `?episode=${encodeURIComponent(episode)}` : ""}`, {
    method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: samples,
  });
  const heard = await reply.json().catch(() => ({}));
  if (mine !== turn) return;
  if (!reply.ok) { end(heard.error ?? heard.detail ?? reply.statusText); return; }
  if (!heard.text?.trim()) { end("I heard no question. Tap the microphone and try again, or type it."); return; }
  ask(heard.text.trim(), true);
};

export const ask = (text, heard = false) => {
  write(text);
  spoken = heard ? text : "";
  put();
};

// What comes of a question: waiting and telling (any number of times), then an answer or an error.
const tellNews = (what) => {
  if (!what || what.turn !== turn || settled === turn) return;
  if (what.state === "waiting") hint(`Your question waits: ${what.message}`);
  else if (what.state === "telling") tell(what);
  else settled = turn;
  if (what.state === "error") end(`${what.message} ${what.hint}`.trim());
  if (what.state === "answer") show(what);
};

// -- the answer --------------------------------------------------------------------------------------------

// Show on the timeline where the answer lies; the answer does not wait for the picture.
const warm = async (question, moments) => {
  const mine = turn;
  const episode = player.episode?.id;
  const here = moments.filter((moment) => moment.episode === episode);
  timeline.heat([], here);
  if (!episode || !here.length) return;
  const parts = await fetchJson("api/heat", { text: question, episode, heard_until: limit() }).catch(() => []);
  if (mine === turn && episode === player.episode?.id) timeline.heat(parts, here);
};

// Read aloud what has come of an answer, and what will come; then the playback is as it was. A question that was
// spoken is answered aloud in any case.
const read = async (mine) => {
  const feed = aloud = voice.feed();
  $("stop").hidden = false;
  try {
    await voice.read(feed, answers.sounding);
  } catch (error) {
    hint(`The answer cannot be read aloud: ${error.message}`);
  }
  if (mine !== turn) return;
  aloud = null;
  endReading();
  if (settled === turn) player.giveBack();
};

// Some of an answer is there: its sentences so far.
const tell = ({ sentences, question, covered }) => {
  say("hint", "");
  answers.tell({ question, sentences, covered });
  const told = readOut;
  readOut = sentences.length;
  if (!told && sentences.length && (spoken || $("aloud").checked)) read(turn);
  for (const { text } of sentences.slice(told)) aloud?.push(text);
};

// All of an answer is there.
const show = (answer) => {
  if (answer.command) {
    end(carryOut(answer));
    return;
  }
  tell(answer);
  warm(answer.question, answers.show(answer));
  announce(answers.inWords(answer));
  spoken = "";
  $("ask").classList.remove("busy");
  if (aloud) aloud.end();
  else player.giveBack();
};

// Another episode is on the page: what was asked about the last one goes.
export const forgetAnswer = () => {
  turn += 1;
  asking?.abort();
  [aloud, readOut] = [null, 0];
  hush();
  endReading();
  timeline.heat([], []);
  answers.forget();
  $("heard-as").hidden = true;
  $("ask").classList.remove("busy");
  hint("");
};

// An episode is on the page: go on with what was asked about it before.
export const goOn = (id) => {
  const here = answers.restore(id).filter((moment) => moment.episode === id);
  timeline.heat([], here);
};

// The server does not answer: no question waits any longer.
export const lost = () => {
  if ($("ask").classList.contains("busy") && settled !== turn) broke();
};

// Questions that the episode answers.
export const suggest = (questions) => {
  $("suggestions").hidden = !questions.length;
  $("chips").replaceChildren(...questions.slice(0, 6).map((question) => make(
    "li", {}, make("button", { type: "button", class: "chip", "data-ask": question }, question),
  )));
};

const scoped = () => {
  $("so-far").disabled = scope() !== "episode";
  $("ask-heading").textContent = { episode: "Ask this episode", show: "Ask this show", library: "Ask your library" }[scope()];
  field().placeholder = `Ask me anything about ${{ episode: "this podcast episode", show: "this show", library: "your podcasts" }[scope()]}…`;
};

// Bring the place where one asks into sight.
export const askHere = () => {
  field().focus({ preventScroll: true });
  $("ask").scrollIntoView({ block: "start" });
};

export const startAnswers = () => {
  for (const name of /** @type {const} */ (["aloud", "so-far"])) {
    $(name).checked = recall(name, name === "aloud");
    $(name).addEventListener("change", () => remember(name, $(name).checked));
  }
  $("aloud").addEventListener("change", () => { if (!$("aloud").checked) voice.stop(); });
  $("scope").onchange = scoped;
  const draft = tab.recall("draft", "");
  if (draft) write(draft);
  field().addEventListener("input", () => tab.remember("draft", field().value));
  scoped();
  $("stop").onclick = () => voice.stop();
  $("ask-button").addEventListener("click", put);
  field().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    put();
  });
  $("correct").onclick = () => {
    hush();
    field().focus();
    field().select();
  };
};
