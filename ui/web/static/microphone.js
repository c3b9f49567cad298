// SPDX-License-Identifier: GPL-3.0-or-later
// The microphone: tap to talk and tap again to ask, or hold to talk and let go to ask. The browser brings the
// recording to the form that the recogniser wants; it is sent to this server and kept nowhere.

import { beginListening, hearing, unheard } from "./ask.js";
import { $ } from "./dom.js";
import { voice } from "./speech_output.js";
import { t } from "./texts.js";

const HOLD = 350; // milliseconds from which a press is a hold
const RATE = 16000; // hertz of what is sent
const LONGEST = 59_000; // milliseconds

let stream = null;
let recorder = null;
let pressed = 0; // when the button went down; 0 when it is up
let number = 0; // of the recording, so that a late permission opens nothing
let timer = 0;

const show = (on) => {
  $("talk").setAttribute("aria-pressed", on);
  $("talk-text").textContent = on ? t("Listening…") : t("Tap or hold to talk");
  if (!on) $("talk").style.removeProperty("--level");
};

// How loud it is, so that one sees that one is heard.
const meter = () => {
  const context = voice.context();
  const [source, ear] = [context.createMediaStreamSource(stream), context.createAnalyser()];
  const wave = new Float32Array(ear.fftSize = 1024);
  source.connect(ear);
  const look = () => {
    if (!recorder) { source.disconnect(); return; }
    ear.getFloatTimeDomainData(wave);
    $("talk").style.setProperty("--level", Math.min(1, 6 * Math.hypot(...wave) / Math.sqrt(wave.length)).toFixed(2));
    setTimeout(look, 80);
  };
  look();
};

// 16-bit samples of one channel at RATE.
const pcm = async (blob) => {
  const sound = await voice.context().decodeAudioData(await blob.arrayBuffer());
  const offline = new OfflineAudioContext(1, Math.max(1, Math.ceil(sound.duration * RATE)), RATE);
  const source = offline.createBufferSource();
  source.buffer = sound;
  source.connect(offline.destination);
  source.start();
  const samples = (await offline.startRendering()).getChannelData(0);
  return Int16Array.from(samples, (value) => Math.round(32767 * Math.max(-1, Math.min(1, value))));
};

const close = () => {
  clearTimeout(timer);
  for (const track of stream?.getTracks() ?? []) track.stop();
  [stream, recorder] = [null, null];
  show(false);
};

const open = async () => {
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
  if (mine !== number) { for (const track of given.getTracks()) track.stop(); return; }
  stream = given;
  recorder = new MediaRecorder(stream);
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.onstop = async () => {
    const type = recorder?.mimeType;
    close();
    if (mine !== number) return;
    try {
      await hearing(await pcm(new Blob(pieces, { type })));
    } catch (error) {
      unheard(t("The recording could not be used: {why}", { why: error.message }));
    }
  };
  recorder.start();
  timer = setTimeout(finish, LONGEST);
  meter();
};

const finish = () => { if (recorder?.state === "recording") recorder.stop(); };

const toggle = () => {
  if (recorder) finish();
  else open();
};

export const talk = {
  // Forget what was said.
  cancel() {
    if (!recorder && $("talk").getAttribute("aria-pressed") !== "true") return false;
    number += 1;
    finish();
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
      if (recorder) pressed = 0;
      else pressed = event.timeStamp;
      toggle();
    };
    button.onpointerup = (event) => {
      if (pressed && event.timeStamp - pressed > HOLD) finish();
      pressed = 0;
    };
    button.onclick = (event) => { if (event.detail === 0) toggle(); }; // by keyboard, or by what speaks for one
    button.oncontextmenu = (event) => event.preventDefault(); // a long touch is a hold
  },
};
