// SPDX-License-Identifier: GPL-3.0-or-later
// Behind the player: volume, sleep timer, speeds, and what comes next.

import { $, clock, make, ownButton, recall, remember } from "./dom.js";
import { shelf } from "./episode_list.js";
import { drawRooms } from "./loudspeakers.js";
import { player } from "./player.js";
import * as queue from "./queue.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";

export const SPEEDS = [0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3];

let upNext = []; // ids of episodes
let sleep = ""; // "", "topic", "episode", or minutes
let left = 0; // seconds of listening until the sleep timer ends it
let lastAt = null; // where the player was when it was last looked at
let topicThen = -1; // the topic in which the timer was set

const button = (text, label, act) => ownButton(text, act, { "aria-label": label });

const keep = (ids) => {
  upNext = ids;
  remember("queue", upNext);
  draw();
};

const draw = () => {
  const there = upNext.filter((id) => shelf.known(id));
  $("queue-none").hidden = there.length > 0;
  $("queue").replaceChildren(...there.map((id, i) => {
    const { title } = shelf.known(id);
    return make("li", {}, make("span", { class: "queue-title" }, title), make("span", { class: "queue-tools" },
      i ? button("↑", t("Earlier: {title}", { title }), () => keep(queue.moved(upNext, id, -1))) : null,
      button(t("Play"), t("Play now: {title}", { title }), () => { keep(queue.without(upNext, id)); player.playAt(id); }),
      button("×", t("Take out: {title}", { title }), () => keep(queue.without(upNext, id)))));
  }));
};

const drawSleep = () => {
  $("sleep").value = sleep;
  $("sleep-left").textContent = Number(sleep) ? t("{time} left", { time: clock(left) }) : "";
};

const setSleep = (value) => {
  sleep = value;
  left = 60 * (Number(value) || 0);
  topicThen = player.topicAt(player.position);
  drawSleep();
};

const fallAsleep = () => {
  setSleep("");
  player.pause();
  toast(t("The sleep timer has paused it."));
};

export const sheet = {
  // The volume, 0..1, and whether there is any sound; kept for the next visit.
  volume(level, muted = false) {
    player.audio.volume = Math.max(0, Math.min(1, level));
    player.audio.muted = muted;
    remember("volume", player.audio.volume);
    $("volume").value = String(player.audio.volume);
    $("volume").setAttribute("aria-valuetext", `${Math.round(100 * player.audio.volume)} %`);
    $("mute").setAttribute("aria-pressed", String(muted));
    return player.audio.volume;
  },

  // Let there be no sound, or let it be heard again: the other of both when it is not said. Returns whether there is none.
  mute(on = !player.audio.muted) {
    this.volume(player.audio.volume, on);
    return on;
  },

  // Fall asleep at the end of this "topic" or "episode", or after so many minutes; "" is never.
  sleep: (value) => setSleep(value),

  // The player is at this second, in this topic.
  at(seconds, topic) {
    const step = lastAt === null ? 0 : seconds - lastAt;
    lastAt = seconds;
    if (!sleep || !player.playing) return;
    if (sleep === "topic" && topic !== topicThen) fallAsleep();
    else if (Number(sleep) && step > 0 && step < 5) {
      left -= step / (player.audio.playbackRate || 1);
      if (left <= 0) fallAsleep(); else drawSleep();
    }
  },

  // The episode is over.
  ended() {
    if (sleep === "episode") { fallAsleep(); return; }
    if (!$("autoplay").checked) return;
    const [id, rest] = queue.next(upNext, (one) => Boolean(shelf.known(one)?.audio));
    keep(rest);
    if (id) player.playAt(id);
  },

  // Hear an episode after the present one.
  queueNext(id) {
    keep(queue.first(upNext, id));
    toast(t("“{title}” comes next.", { title: shelf.known(id)?.title ?? "" }));
  },

  next: () => upNext.find((id) => shelf.known(id)?.audio),
  take(id) { keep(queue.without(upNext, id)); },

  // Put the sheet away; false when it was not there.
  close() {
    if ($("sheet").hidden) return false;
    const inside = $("sheet").contains(document.activeElement);
    $("sheet").hidden = true;
    $("more").setAttribute("aria-expanded", "false");
    if (inside) $("more").focus();
    return true;
  },

  start() {
    $("speed").append(...SPEEDS.map((speed) => make("option", { value: speed }, `${speed}×`)));
    upNext = recall("queue", []);
    shelf.need(upNext);
    this.volume(recall("volume", 1));
    $("autoplay").checked = recall("autoplay", true);
    $("autoplay").onchange = () => remember("autoplay", $("autoplay").checked);
    $("volume").oninput = () => this.volume(Number($("volume").value));
    $("mute").onclick = () => this.mute();
    $("sleep").onchange = () => setSleep($("sleep").value);
    $("more").onclick = () => {
      if (this.close()) return;
      draw();
      drawRooms();
      $("sheet").hidden = false;
      $("more").setAttribute("aria-expanded", "true");
    };
    document.addEventListener("pointerdown", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (!target.closest("#sheet, #more, #toast")) this.close();
    });
  },
};
