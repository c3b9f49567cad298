// SPDX-License-Identifier: GPL-3.0-or-later
// The microphone: tap to talk, and it ends by itself when one has finished, as without a page; or hold to talk and let
// go to ask. While an answer to a spoken question is read, it listens as well, and whoever speaks interrupts. What is
// said goes to this server while it is said, and is kept nowhere.

import { ask, askHeard, beginListening, end, giveSound, hearing, hint } from "./ask.js";
import { $, fetchJson } from "./dom.js";
import { joined, level, pcm16 } from "./pcm.js";
import { voice } from "./speech_output.js";
import { t } from "./texts.js";

const HOLD = 350; // milliseconds from which a press is a hold
const LONGEST = 59_000; // milliseconds
const PATIENCE = 12_000; // milliseconds in which somebody has to begin
const WANTED = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

let stream = null;
let source = null; // what the microphone gives
let node = null; // what hands it on
let context = null; // of the microphone alone: that of the voice stands still while somebody interrupts
let pieces = []; // all of it so far
let unsent = []; // what the server has not been given
let live = null; // the server's id of what is being said; null when it does not listen
let sending = false;
let over = false; // it listens while an answer is read
let played = []; // the texts that are read meanwhile
let pressed = 0; // when the button went down; 0 when it is up
let number = 0; // of the recording, so that a late permission opens nothing
let timer = 0;
let loaded = null; // the promise that the worklet is there

const show = (on) => {
  $("talk").setAttribute("aria-pressed", String(on && !over));
  $("talk").classList.toggle("over", on && over);
  $("talk-text").textContent = on ? (over ? t("Just speak to interrupt") : t("Listening…")) : t("Tap or hold to talk");
  if (!on) $("talk").style.removeProperty("--level");
};

const open = () => node !== null;
const held = () => pressed > 0 && performance.now() - pressed > HOLD;

// The server need not listen any longer.
const drop = (id) => fetch(`api/hear/live/${id}`, { method: "DELETE" }).catch(() => {});

const close = () => {
  clearTimeout(timer);
  source?.disconnect();
  node?.disconnect();
  for (const track of stream?.getTracks() ?? []) track.stop();
  if (live && !sending) drop(live); // else when that has come back
  [stream, source, node, live, unsent] = [null, null, null, null, []];
  show(false);
};

// Give the server what it has not heard yet; it tells when the question is over, and what it understood so far.
const send = async (mine) => {
  if (sending || !live || !unsent.length) return;
  sending = true;
  const id = live;
  const reply = await giveSound(`api/hear/live/${id}`, joined(unsent.splice(0))).catch(() => null);
  const { state, text } = reply?.ok ? await reply.json() : { state: "gone", text: "" };
  sending = false;
  if (mine !== number || !open()) {
    if (state !== "over" && state !== "gone") drop(id);
    return;
  }
  if (over) voice.hold(state === "speaking" || state === "over");
  if (state === "gone") { // then it ends with a tap
    live = null;
    if (over) close();
    return;
  }
  if (state !== "waiting") clearTimeout(timer);
  if (text || over) hint(text && `“${text}”`);
  if (state === "over" && !held()) {
    live = null;
    close();
    if (over) ask(text, true); else askHeard(text);
    return;
  }
  send(mine);
};

// Open the microphone, and let the server listen while what is `played` is read aloud; throws what the browser has
// against it.
const record = async (mine) => {
  const given = await navigator.mediaDevices.getUserMedia({ audio: WANTED });
  const stop = () => { for (const track of given.getTracks()) track.stop(); };
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
  try {
    await (loaded ??= context.audioWorklet.addModule("page/capture.js"));
  } catch (error) {
    loaded = null;
    stop();
    throw error;
  }
  if (mine !== number) { stop(); return; }
  stream = given;
  [pieces, unsent, live] = [[], [], null];
  source = context.createMediaStreamSource(stream);
  node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  node.port.onmessage = ({ data }) => {
    if (mine !== number || !open()) return;
    $("talk").style.setProperty("--level", level(data).toFixed(2));
    const piece = pcm16(data, context.sampleRate);
    unsent.push(piece);
    if (!over) pieces.push(piece);
    if (pieces.length * 100 > LONGEST) finish();
    else send(mine);
  };
  source.connect(node);
  show(true);
  const started = await fetchJson("api/hear/live", { played }).catch(() => null);
  if (mine !== number || !open()) return;
  live = started?.id ?? null;
  if (over) tellPlayed(); // there may be more of it by now
};

// Tell the server what is read aloud: what it hears of that is an echo, and nobody's question.
const tellPlayed = () => {
  if (!live) return;
  const body = JSON.stringify({ played });
  fetch(`api/hear/live/${live}`, { method: "PUT", headers: { "Content-Type": "application/json" }, body }).catch(() => {});
};

const begin = async () => {
  const mine = ++number;
  if (open()) close(); // it listened over an answer
  [over, played] = [false, []];
  beginListening();
  if (!navigator.mediaDevices) {
    end(t("The browser gives its microphone only to this machine or over https: start Earmark with --tls-cert and --tls-key."));
    return;
  }
  show(true);
  timer = setTimeout(() => { if (mine === number && open() && !held()) finish(); }, PATIENCE);
  try {
    await record(mine);
  } catch (error) {
    if (mine !== number) return;
    show(false);
    end({ NotFoundError: t("No microphone was found. Plug one in, or type the question."),
      NotAllowedError: t("The browser does not give the microphone. Allow it beside the address, or type the question."),
    }[error.name] ?? t("The recording could not be used: {why}", { why: error.message }));
  }
};

// It is over because the listener says so: all of it is understood at once.
const finish = async () => {
  if (!open()) return;
  const mine = number;
  const samples = joined(pieces);
  close();
  try {
    await hearing(samples);
  } catch (error) {
    if (mine === number) end(t("The recording could not be used: {why}", { why: error.message }));
  }
};

const toggle = () => {
  if (open() && !over) finish();
  else begin();
};

export const talk = {
  // Forget what was said.
  cancel() {
    if (over || (!open() && $("talk").getAttribute("aria-pressed") !== "true")) return false;
    number += 1;
    close();
    end();
    return true;
  },

  // Listen while these texts are read aloud; whoever speaks silences the voice, and asks. Called again when there is
  // more to read.
  async overhear(texts) {
    played = texts;
    if (over) { tellPlayed(); return; }
    if (open() || !navigator.mediaDevices) return;
    over = true;
    const mine = ++number;
    await record(mine).catch(() => {}); // one can tap, or stop it
  },

  // The voice is silent: there is nothing to interrupt.
  overheard() {
    if (!over) return;
    number += 1;
    over = false;
    close();
    voice.hold(false);
  },

  toggle,

  start() {
    const button = $("talk");
    button.onpointerdown = (event) => {
      if (event.button) return;
      button.setPointerCapture(event.pointerId);
      pressed = open() && !over ? 0 : performance.now();
      toggle();
    };
    button.onpointerup = () => {
      const hold = held();
      pressed = 0;
      if (hold) finish();
    };
    button.onclick = (event) => { if (event.detail === 0) toggle(); }; // by keyboard, or by what speaks for one
    button.oncontextmenu = (event) => event.preventDefault(); // a long touch is a hold
  },
};
