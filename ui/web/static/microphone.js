// SPDX-License-Identifier: GPL-3.0-or-later
// The microphone: tap to talk, and it ends by itself when one has finished, as without a page; or hold to talk and let
// go to ask. What is said goes to this server while it is said, and is kept nowhere.

import { askHeard, beginListening, giveSound, hearing, hint, unheard } from "./ask.js";
import { $ } from "./dom.js";
import { joined, level, pcm16 } from "./pcm.js";
import { voice } from "./speech_output.js";
import { t } from "./texts.js";

const HOLD = 350; // milliseconds from which a press is a hold
const LONGEST = 59_000; // milliseconds
const PATIENCE = 12_000; // milliseconds in which somebody has to begin

let stream = null;
let source = null; // what the microphone gives
let node = null; // what hands it on
let pieces = []; // all of it so far
let unsent = []; // what the server has not been given
let live = null; // the server's id of what is being said; null when it does not listen
let sending = false;
let pressed = 0; // when the button went down; 0 when it is up
let number = 0; // of the recording, so that a late permission opens nothing
let timer = 0;
let loaded = null; // the promise that the worklet is there

const show = (on) => {
  $("talk").setAttribute("aria-pressed", String(on));
  $("talk-text").textContent = on ? t("Listening…") : t("Tap or hold to talk");
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
  if (state === "gone") { live = null; return; } // then it ends with a tap
  if (state !== "waiting") clearTimeout(timer);
  if (text) hint(`“${text}”`);
  if (state === "over" && !held()) {
    live = null;
    close();
    askHeard(text);
    return;
  }
  send(mine);
};

const begin = async () => {
  const mine = ++number;
  beginListening();
  if (!navigator.mediaDevices) {
    unheard(t("The browser gives its microphone only to this machine or over https: start Earmark with --tls-cert and --tls-key."));
    return;
  }
  show(true);
  let given;
  try {
    given = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
  } catch (error) {
    show(false);
    unheard(error.name === "NotFoundError" ? t("No microphone was found. Plug one in, or type the question.")
      : t("The browser does not give the microphone. Allow it beside the address, or type the question."));
    return;
  }
  const stop = () => { for (const track of given.getTracks()) track.stop(); };
  const context = voice.context();
  try {
    await (loaded ??= context.audioWorklet.addModule("page/capture.js"));
  } catch (error) {
    loaded = null;
    stop();
    if (mine === number) { show(false); unheard(t("The recording could not be used: {why}", { why: error.message })); }
    return;
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
    pieces.push(piece);
    unsent.push(piece);
    if (pieces.length * 100 > LONGEST) finish();
    else send(mine);
  };
  source.connect(node);
  timer = setTimeout(() => { if (mine === number && open() && !held()) finish(); }, PATIENCE);
  const started = await fetch("api/hear/live", { method: "POST" }).then((reply) => (reply.ok ? reply.json() : null)).catch(() => null);
  if (mine === number && open()) live = started?.id ?? null;
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
    if (mine === number) unheard(t("The recording could not be used: {why}", { why: error.message }));
  }
};

const toggle = () => {
  if (open()) finish();
  else begin();
};

export const talk = {
  // Forget what was said.
  cancel() {
    if (!open() && $("talk").getAttribute("aria-pressed") !== "true") return false;
    number += 1;
    close();
    unheard("");
    return true;
  },

  toggle,

  start() {
    const button = $("talk");
    button.onpointerdown = (event) => {
      if (event.button) return;
      button.setPointerCapture(event.pointerId);
      pressed = open() ? 0 : performance.now();
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
