// SPDX-License-Identifier: GPL-3.0-or-later
// The player: one native audio element, and a memory of what it was doing before a question interrupted it.

import { askHere, hint } from "./ask.js";
import { $, clock, recall, remember } from "./dom.js";
import { followPlayback } from "./episode_view.js";
import { excerpt, hush } from "./excerpt.js";
import { readAlong } from "./main.js";
import { progress } from "./progress.js";
import { timeline } from "./timeline.js";
import { transcript } from "./transcript.js";

export const player = {
  episode: null,
  interrupted: false, // it played when a question came, and will again

  get audio() { return $("audio"); },
  get playing() { return !this.audio.paused; },
  get position() { return this.waiting ?? this.audio.currentTime; },
  get length() { return this.audio.duration || this.episode?.seconds || 0; },

  // Show an episode's sound; `at` in seconds, or null to stay where it is.
  open(episode, at, play) {
    const other = this.episode?.id !== episode.id || !this.episode.audio !== !episode.audio;
    this.episode = episode;
    $("player").hidden = false;
    if (other) {
      this.interrupted = false;
      this.audio.pause();
      this.waiting = undefined;
      if (episode.audio) this.audio.src = `audio/${encodeURIComponent(episode.id)}`;
      else this.audio.removeAttribute("src");
      this.audio.load();
      this.audio.playbackRate = this.audio.defaultPlaybackRate = Number($("speed").value);
      this.describe();
    }
    for (const id of /** @type {const} */ (["play", "back", "forward", "position", "speed"])) $(id).disabled = !episode.audio;
    if (at !== null) this.seek(at);
    if (play) this.play();
    this.draw();
    this.show();
  },

  // Move to a time in seconds, now or as soon as the sound is known well enough; without sound it is a place to read.
  seek(seconds) {
    const last = this.audio.duration ? this.audio.duration - 0.05 : Infinity;
    const target = Math.max(0, Math.min(seconds, last));
    if (this.episode?.audio && this.audio.readyState >= HTMLMediaElement.HAVE_METADATA) this.audio.currentTime = target;
    else this.waiting = target;
    this.show();
  },

  // The listener's own hand on the player: what was interrupted, and the voice, are over.
  async play() {
    hush();
    this.interrupted = false;
    if (!this.episode?.audio) return;
    await this.audio.play().catch((error) => {
      if (error.name !== "AbortError") hint(`This browser does not play the episode: ${error.message}`);
    });
  },
  pause() {
    excerpt.stop();
    this.interrupted = false;
    this.audio.pause();
  },
  toggle() { if (this.playing) this.pause(); else this.play(); },
  skip(seconds) { this.seek(this.position + seconds); },
  async jump(seconds) {
    this.seek(seconds);
    transcript.goAlong();
    if (this.episode?.audio) await this.play();
    else readAlong();
  },

  // A question comes: fall silent, and remember whether there was something to fall silent from.
  interrupt() {
    if (this.playing) this.interrupted = true;
    this.audio.pause();
  },
  // The question is over: be as before.
  giveBack() {
    if (!this.interrupted || excerpt.playing) return;
    this.interrupted = false;
    this.audio.play().catch(() => {});
  },

  topicAt(seconds) { return (this.episode?.segments ?? []).findLastIndex((topic) => topic.start <= seconds + 0.05); },
  nextTopic(step) {
    const topics = this.episode?.segments ?? [];
    const here = this.topicAt(this.position);
    // "previous" a little into a topic means its beginning
    const back = step < 0 && here >= 0 && this.position - topics[here].start > 3;
    const topic = topics[Math.max(0, back ? here : here + step)];
    if (topic) this.jump(topic.start);
  },

  draw() { timeline.draw(this.episode, this.length); },

  show() {
    const [at, whole] = [this.position, this.length];
    const range = $("position");
    range.max = whole || 1;
    range.value = at;
    range.style.setProperty("--done", `${whole ? (100 * at) / whole : 0}%`);
    range.setAttribute("aria-valuetext", `${clock(at)} of ${clock(whole)}`);
    $("now").textContent = $("mini-now").textContent = clock(at);
    $("length").textContent = clock(whole);
    const topic = this.topicAt(at);
    $("topic-now").textContent = $("mini-topic").textContent = this.episode?.segments?.[topic]?.title ?? "";
    timeline.show(at, topic);
    for (const id of ["play", "mini-play"]) {
      $(id).setAttribute("aria-label", this.playing ? "Pause" : "Play");
      $(id).classList.toggle("playing", this.playing);
    }
    followPlayback?.(at, topic);
  },

  describe() {
    if (!("mediaSession" in navigator)) return;
    const { id, title, show, artwork } = this.episode;
    const picture = artwork ? [{ src: new URL(`artwork/${encodeURIComponent(id)}`, document.baseURI).href, type: "image/jpeg" }] : [];
    navigator.mediaSession.metadata = new MediaMetadata({ title, artist: show, artwork: picture });
    const answer = (action, handler) => navigator.mediaSession.setActionHandler(action, handler);
    answer("play", () => this.play());
    answer("pause", () => this.pause());
    answer("seekbackward", () => this.skip(-15));
    answer("seekforward", () => this.skip(30));
    answer("seekto", ({ seekTime }) => this.seek(seekTime));
    answer("previoustrack", () => this.nextTopic(-1));
    answer("nexttrack", () => this.nextTopic(1));
  },

  // Listen to the controls, once.
  start() {
    const { audio } = this;
    for (const prefix of ["", "mini-"]) {
      $(`${prefix}play`).onclick = () => this.toggle();
      $(`${prefix}back`).onclick = () => this.skip(-15);
      $(`${prefix}forward`).onclick = () => this.skip(30);
    }
    $("mini-ask").onclick = () => askHere();
    new IntersectionObserver(([{ isIntersecting }]) => {
      $("mini").hidden = isIntersecting || !this.episode?.audio;
    }).observe($("player"));
    $("speed").value = String(recall("speed", 1));
    if (!$("speed").value) $("speed").value = "1";
    $("speed").onchange = () => {
      audio.playbackRate = audio.defaultPlaybackRate = Number($("speed").value);
      remember("speed", Number($("speed").value));
    };
    $("position").oninput = () => this.seek(Number($("position").value));
    audio.onloadedmetadata = () => {
      if (this.waiting !== undefined) audio.currentTime = this.waiting;
      this.waiting = undefined;
      this.draw();
      this.show();
    };
    audio.ontimeupdate = () => {
      progress.at(audio.currentTime, this.playing && !audio.seeking);
      this.show();
    };
    audio.addEventListener("pause", () => progress.report());
    audio.addEventListener("seeked", () => { if (!this.playing) progress.report(); });
    for (const name of ["play", "pause", "seeking", "ended"]) audio.addEventListener(name, () => this.show());
    audio.onerror = () => {
      if (audio.getAttribute("src")) hint("The sound of this episode cannot be loaded.");
    };
    $("copy-link").onclick = () => this.copyLink();
  },

  async copyLink() {
    const link = new URL(location.pathname, location.origin);
    link.searchParams.set("episode", this.episode?.id ?? "");
    link.searchParams.set("t", String(Math.floor(this.position)));
    try {
      await navigator.clipboard.writeText(link.href);
      hint(`A link to ${clock(this.position)} is in your clipboard.`);
    } catch {
      history.replaceState(null, "", link); // no clipboard here: the address bar holds it now
      hint(`The address bar now holds the link to ${clock(this.position)}.`);
    }
  },
};
