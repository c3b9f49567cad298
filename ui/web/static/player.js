// SPDX-License-Identifier: GPL-3.0-or-later
// The player: one native audio element for the whole page, whatever one looks at, and a memory of what it was doing
// before a question interrupted it and of where one was before a jump.

import { askHere } from "./ask.js";
import { $, clock, fetchJson, make, recall, remember } from "./dom.js";
import { paint } from "./episode_list.js";
import { followPlayback } from "./episode_view.js";
import { excerpt, hush } from "./excerpt.js";
import { linkTo } from "./export.js";
import { resumeAt } from "./heard.js";
import { progress } from "./progress.js";
import { SPEEDS, sheet } from "./sheet.js";
import { t } from "./texts.js";
import { timeline } from "./timeline.js";
import { copy, toast } from "./toast.js";
import { transcript } from "./transcript.js";
import { go } from "./views.js";

const FAR = 15; // seconds from which a move is a jump that one may want to come back from
const tabs = new BroadcastChannel("earmark"); // of this browser: only one of them plays

let asked = 0; // number of the latest request for an episode to play

export const player = {
  episode: null, // all that is known of the episode that is loaded
  interrupted: false, // it played when a question came, and will again
  used: false, // the listener has played something: looking at another episode leaves it be
  before: null, // where one was before the last jump: {episode, position}
  failed: null, // where the sound broke off, while the server is away

  get audio() { return $("audio"); },
  get playing() { return !this.audio.paused; },
  get position() { return this.waiting ?? this.audio.currentTime; },
  get length() { return this.audio.duration || this.episode?.seconds || 0; },

  // Load an episode's sound; `at` in seconds, or null to stay where it is.
  load(episode, kept, at, play = false) {
    const other = this.episode?.id !== episode.id || !this.episode.audio !== !episode.audio;
    this.episode = episode;
    $("bar").hidden = !episode.audio;
    document.body.classList.toggle("with-bar", episode.audio);
    if (other) {
      progress.open(episode.id, kept);
      this.interrupted = false;
      this.failed = null;
      this.audio.pause();
      this.waiting = undefined;
      if (episode.audio) this.audio.src = `audio/${encodeURIComponent(episode.id)}`;
      else this.audio.removeAttribute("src");
      this.audio.load();
      this.playAtSpeed(kept.speed ?? (Number(recall("speed", 1)) || 1));
      $("now-title").textContent = episode.title;
      paint($("bar-artwork"), episode);
      this.describe();
      timeline.heat([], []);
    }
    $("position").disabled = !episode.audio;
    if (at !== null) this.seek(at);
    this.draw();
    if (other) timeline.heard(episode.id, kept.heard);
    if (play) this.play();
    this.show();
  },

  // Be in an episode at a time (null: where one was in it), and play. Where it has no sound, its transcript opens there.
  async playAt(id, seconds = null, play = true) {
    if (id === this.episode?.id && this.episode.audio) {
      if (seconds === null) await this.play(); else await this.jump(seconds);
      return;
    }
    const mine = ++asked;
    try {
      const [episode, kept] = await Promise.all([fetchJson(`api/episodes/${encodeURIComponent(id)}`), progress.load(id)]);
      if (mine !== asked) return;
      if (!episode.audio) {
        await go({ name: "episode", episode: id, at: seconds }, { play: true });
        return;
      }
      this.leave();
      hush();
      const mind = { seconds: episode.seconds };
      const at = seconds ?? resumeAt(mind, { position: kept.position, heard: 0, at: 1 }, kept.begins);
      this.load(episode, kept, at, play);
    } catch (error) {
      toast(error.message);
    }
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
    this.used = true;
    if (this.audio.ended) this.audio.currentTime = 0;
    await this.audio.play().catch((error) => {
      if (error.name !== "AbortError" && !this.failed) toast(t("This browser does not play the episode: {why}", { why: error.message }));
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
    if (Math.abs(seconds - this.position) > FAR) this.leave();
    this.seek(seconds);
    transcript.goAlong();
    await this.play();
  },

  // The episode is no more.
  unload() {
    progress.leave();
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
    [this.episode, this.before, this.used, this.waiting] = [null, null, false, undefined];
    $("bar").hidden = true;
    document.body.classList.remove("with-bar");
  },

  // Remember where one is, before going elsewhere.
  leave() {
    if (!this.episode?.audio || !this.used || this.position < 1) return;
    this.before = { episode: this.episode.id, position: this.position, title: this.episode.title };
    this.drawReturn();
  },
  async goReturn() {
    const { before } = this;
    if (!before) return false;
    this.before = null;
    this.drawReturn();
    if (before.episode === this.episode?.id) {
      this.seek(before.position);
      transcript.goAlong();
      await this.play();
    } else {
      await this.playAt(before.episode, before.position);
      this.before = null;
      this.drawReturn();
    }
    return true;
  },
  drawReturn() {
    const { before } = this;
    $("return").hidden = !before;
    if (!before) return;
    const time = clock(before.position);
    const elsewhere = before.episode !== this.episode?.id;
    $("return").textContent = t("Back to {time}", { time });
    $("return").title = elsewhere ? t("Back to {time} of “{title}”", { time, title: before.title }) : t("Back to where you were");
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
    range.max = String(whole || 1);
    range.value = String(at);
    range.style.setProperty("--done", `${whole ? (100 * at) / whole : 0}%`);
    range.setAttribute("aria-valuetext", t("{time} of {whole}", { time: clock(at), whole: clock(whole) }));
    $("now").textContent = clock(at);
    $("length").textContent = clock(whole);
    const topic = this.topicAt(at);
    $("topic-now").textContent = this.episode?.segments?.[topic]?.title || this.episode?.show || "";
    timeline.show(topic);
    $("play").setAttribute("aria-label", this.playing ? t("Pause") : t("Play"));
    $("play").classList.toggle("playing", this.playing);
    followPlayback(at);
    sheet.at(at, topic);
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

  // Set the speed to one of those that can be chosen, the nearest.
  setSpeed(factor) {
    const nearest = SPEEDS.reduce((best, one) => (Math.abs(one - factor) < Math.abs(best - factor) ? one : best));
    this.playAtSpeed(nearest);
    remember("speed", nearest);
    progress.tellSpeed(nearest);
    return nearest;
  },
  // Play at any speed: one that was set elsewhere need not be among those that can be chosen here.
  playAtSpeed(factor) {
    for (const one of $("speed").querySelectorAll(".other")) one.remove();
    if (!SPEEDS.includes(factor)) {
      const next = $("speed").options[SPEEDS.filter((one) => one < factor).length] ?? null;
      $("speed").insertBefore(make("option", { value: factor, class: "other" }, `${factor}×`), next);
    }
    $("speed").value = String(factor);
    this.audio.playbackRate = this.audio.defaultPlaybackRate = factor;
  },
  // The next of the speeds, up (1) or down (-1).
  stepSpeed(way) {
    const now = Number($("speed").value) || 1;
    const others = SPEEDS.filter((one) => (one - now) * way > 0);
    return this.setSpeed(others.length ? (way > 0 ? Math.min : Math.max)(...others) : now);
  },

  // The server is there again: go on where the sound broke off.
  mend() {
    if (this.failed === null) return;
    const { at, playing } = this.failed;
    this.failed = null;
    this.audio.load();
    this.seek(at);
    if (playing) this.audio.play().catch(() => {});
  },

  // Listen to the controls, once.
  start() {
    const { audio } = this;
    $("play").onclick = () => this.toggle();
    $("back").onclick = () => this.skip(-15);
    $("forward").onclick = () => this.skip(30);
    $("return").onclick = () => this.goReturn();
    $("bar-ask").onclick = () => askHere();
    $("now-open").onclick = () => { if (this.episode) go({ name: "episode", episode: this.episode.id }); };
    this.playAtSpeed(Number(recall("speed", 1)) || 1);
    $("speed").onchange = () => this.setSpeed(Number($("speed").value));
    $("position").oninput = () => this.seek(Number($("position").value));
    $("position").addEventListener("pointerdown", () => this.leave());
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
    audio.addEventListener("play", () => tabs.postMessage("play"));
    tabs.onmessage = () => { if (this.playing) this.pause(); };
    audio.addEventListener("pause", () => progress.report());
    audio.addEventListener("seeked", () => { if (!this.playing) progress.report(); });
    audio.addEventListener("ended", () => sheet.ended());
    for (const name of ["play", "pause", "seeking", "ended"]) audio.addEventListener(name, () => this.show());
    audio.onerror = () => {
      if (!audio.getAttribute("src")) return;
      this.failed ??= { at: this.position, playing: this.playing || this.interrupted };
      toast(t("The sound breaks off here: Earmark does not give more of it."));
    };
    $("copy-link").onclick = () => this.copyLink();
  },

  async copyLink() {
    const link = linkTo(this.episode?.id ?? "", this.position);
    await copy(link, t("A link to {time} is in your clipboard.", { time: clock(this.position) }));
  },
};
