// SPDX-License-Identifier: GPL-3.0-or-later
// Where this listener is in each episode and what was heard of it. The server keeps it under a key that this browser
// has drawn by chance, so nobody shares a position; a link with the key after # makes another device the same listener.

import { $, clock, randomKey, recall, remember } from "./dom.js";
import { shelf } from "./episode_list.js";
import { player } from "./player.js";
import { t } from "./texts.js";
import { timeline } from "./timeline.js";
import { copy, toast } from "./toast.js";

const REPORT_EVERY = 5; // seconds of playback between two notes of the position
const JUMP = 2; // seconds between two looks at the player that nobody can have listened to in between

// The key: from an earlier visit, or a new one. A link for another device holds one too; whoever sends such a link
// would from then on see and move where this listener is, so nothing happens before the listener has said so.
const FORM = /^[A-Za-z0-9_.@-]{8,80}$/;
const stored = recall("listener", null);
const key = typeof stored === "string" && FORM.test(stored) ? stored : randomKey();
remember("listener", key);
const given = new URLSearchParams(location.hash.slice(1)).get("listener");
if (given !== null) history.replaceState(null, "", location.pathname + location.search);

const askForKey = () => {
  const notice = $("other-listener");
  if (given === null || given === key) return;
  if (!FORM.test(given)) {
    toast(t("The link for another device is damaged; nothing was changed. Copy it again."));
    return;
  }
  notice.hidden = false;
  $("other-listener-yes").onclick = () => {
    remember("listener-before", key);
    remember("listener", given);
    location.reload();
  };
  $("other-listener-no").onclick = () => { notice.hidden = true; };
};

const address = (id) => `api/listening/${encodeURIComponent(id)}`;
// What goes with every request that is about this listener.
export const headers = { "X-Listener": key, "Content-Type": "application/json" };

let episode = null;
let fresh = []; // stretches it has not been told of
let now = null; // the stretch that is being heard
let told = 0; // position of the last note
let everywhere = {}; // how far this listener is in every episode: {position, heard, at}, in seconds

const sum = (stretches) => stretches.reduce((all, [start, end]) => all + end - start, 0);

const notice = (id, kept) => { everywhere[id] = { position: kept.position, heard: sum(kept.heard), at: kept.at ?? Date.now() / 1000 }; };

export const progress = {
  key,

  // How far the listener is in an episode: {position, heard, at}, in seconds; undefined when it was never begun.
  of: (id) => everywhere[id],

  // The ids of the episodes that were begun, those that were listened to last first.
  begun: () => Object.keys(everywhere).toSorted((a, b) => everywhere[b].at - everywhere[a].at),

  // Ask the server how far the listener is in each episode.
  async loadAll() {
    try {
      const reply = await fetch("api/listening", { headers });
      if (reply.ok) everywhere = await reply.json();
    } catch { /* the page says elsewhere that the server is away */ }
  },

  // The listener has chosen a speed for the episode on the player, and with it for its show or for everything.
  tellSpeed(speed) {
    if (!episode) return;
    fetch(`${address(episode)}/speed`, { method: "PUT", headers, body: JSON.stringify({ speed }) }).catch(() => {}); // this browser remembers it
  },

  // Where the listener is in an episode: {position, heard}, and how it is played: {speed, begins}; from this browser alone when the server does not say.
  async load(id) {
    const here = recall(`listened:${id}`, { position: 0, at: 0 });
    try {
      const reply = await fetch(address(id), { headers });
      if (!reply.ok) throw new Error(reply.statusText);
      const there = await reply.json();
      const kept = { heard: there.heard, at: Math.max(there.at, here.at), position: there.at >= here.at ? there.position : here.position,
        speed: there.speed, begins: there.begins };
      if (kept.at) notice(id, kept);
      return kept;
    } catch {
      return { heard: [], position: here.position, speed: null, begins: 0 };
    }
  },

  // Another episode is on the player.
  open(id, kept) {
    if (episode && episode !== id) this.report();
    [episode, fresh, now, told] = [id, [], null, kept.position];
  },

  // The episode on the player is no more.
  leave() { episode = null; },

  // The player is at this second; `playing` when it got there by playing on.
  at(seconds, playing) {
    if (!episode) return;
    if (playing && now && seconds >= now[1] && seconds - now[1] < JUMP * Math.max(1, player.audio.playbackRate)) {
      now[1] = seconds;
    } else {
      now = playing ? [seconds, seconds] : null;
      if (now) fresh.push(now);
    }
    if (playing && Math.abs(seconds - told) > REPORT_EVERY) this.report();
  },

  // Tell the server.
  report() {
    if (!episode) return;
    const id = episode;
    const position = Math.round(10 * player.position) / 10;
    const stretches = fresh.filter(([start, end]) => end > start).map(([start, end]) => [start, end]);
    if (Math.abs(position - told) < 0.1 && !stretches.length) return; // no news, and another device may have some
    told = position;
    fresh = now ? [now = [now[1], now[1]]] : [];
    remember(`listened:${id}`, { position, at: Date.now() / 1000 });
    fetch(address(id), { method: "PUT", headers, keepalive: true, body: JSON.stringify({ position, heard: stretches }) })
      .then((reply) => (reply.ok ? reply.json() : Promise.reject(new Error(reply.statusText))))
      .then((kept) => {
        remember(`listened:${id}`, { position, at: kept.at }); // by the server's clock, which all devices share
        notice(id, kept);
        shelf.draw();
        if (episode === id) timeline.heard(id, kept.heard);
      })
      .catch(() => { if (episode === id) fresh.unshift(...stretches); }); // told with the next note
  },

  // The page is looked at again: when nothing plays here and another device went on meanwhile, be where that is.
  async catchUp() {
    const id = episode;
    if (!id || player.playing || player.interrupted) return;
    const before = player.position;
    const kept = await this.load(id);
    if (id !== episode || player.playing || player.position !== before) return;
    timeline.heard(id, kept.heard);
    if (Math.abs(kept.position - before) < JUMP) return;
    told = kept.position;
    player.seek(kept.position);
    toast(t("You went on listening on another device: this one is at {time} now.", { time: clock(kept.position) }));
  },

  // A link that makes another device this listener.
  async copyKey() {
    const link = new URL(location.href);
    link.hash = `listener=${key}`;
    await copy(link.href, t("In your clipboard is a link for another device of yours. It goes on where you are; keep it to yourself."),
      t("Open this address on your other device, and keep it to yourself: {address}", { address: link.href }));
  },

  start() {
    $("other-device").onclick = () => this.copyKey();
    askForKey();
    addEventListener("pagehide", () => this.report());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.report(); else this.catchUp(); });
  },
};
