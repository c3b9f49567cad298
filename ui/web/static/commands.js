// SPDX-License-Identifier: GPL-3.0-or-later
// What was asked was something to do: the player does it, and says so where questions are answered.

import { $, clock, fetchJson } from "./dom.js";
import { shelf } from "./episode_list.js";
import { choose } from "./episode_view.js";
import { excerpt } from "./excerpt.js";
import { player } from "./player.js";

const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];

// What each command means when no amount is said, by its name: the same as for the companion without a page.
let amounts = {};
fetchJson("api/commands")
  .then((all) => { amounts = Object.fromEntries(all.map((rule) => [rule.name, rule.amount])); })
  .catch(() => {}); // the server is away, which the page says elsewhere
const usual = (name) => amounts[name] ?? 0;

const speed = (factor) => {
  const nearest = SPEEDS.reduce((best, one) => (Math.abs(one - factor) < Math.abs(best - factor) ? one : best));
  $("speed").value = String(nearest);
  $("speed").dispatchEvent(new Event("change"));
  return `Speed ${nearest}×.`;
};

// The next of the page's speeds, up (1) or down (-1).
const step = (way) => {
  const now = Number($("speed").value) || 1;
  const others = SPEEDS.filter((one) => (one - now) * way > 0);
  return speed(others.length ? (way > 0 ? Math.min : Math.max)(...others) : now);
};

const volume = (level) => {
  player.audio.muted = false;
  player.audio.volume = Math.max(0, Math.min(1, level));
  return `Volume ${Math.round(100 * player.audio.volume)} %.`;
};

const skip = (seconds) => {
  player.skip(seconds);
  player.giveBack();
  return `At ${clock(player.position)}.`;
};

const go = ({ amount, about }) => {
  const part = { end: player.length - 5, middle: player.length / 2 }[about];
  player.jump(part ?? amount ?? 0);
  return `Playing from ${clock(part ?? amount ?? 0)}.`;
};

const play = (answer) => {
  const [moment] = answer.moments;
  if (!moment) return "I found no such place.";
  if (moment.episode === player.episode?.id) player.jump(moment.start);
  else choose(moment.episode, moment.start, true);
  return `Playing from ${clock(moment.start)}.`;
};

const own = (answer) => {
  const [moment] = answer.moments;
  if (!moment || !shelf.known(moment.episode)?.audio) return play(answer);
  excerpt.hear(moment);
  return `In their own words, from ${clock(moment.start)}.`;
};

const topic = (by) => {
  player.nextTopic(by);
  return `Playing from ${clock(player.position)}.`;
};

const DO = {
  play: () => { player.play(); return "Playing."; },
  resume: () => { player.play(); return "Playing."; },
  pause: () => { player.pause(); return "Paused."; },
  stop: () => { player.pause(); return "Paused."; },
  back: ({ amount }) => skip(-(amount ?? usual("back"))),
  forward: ({ amount }) => skip(amount ?? usual("forward")),
  go_to: go,
  next_topic: () => topic(1),
  previous_topic: () => topic(-1),
  slower: () => step(-1),
  faster: () => step(1),
  set_speed: ({ amount }) => speed(amount ?? 1),
  louder: () => volume(player.audio.volume + usual("louder")),
  quieter: () => volume(player.audio.volume - usual("quieter")),
  set_volume: ({ amount }) => volume(amount ?? 1),
  mute: () => { player.audio.muted = true; return "Muted."; },
  unmute: () => { player.audio.muted = false; return "The sound is on."; },
  play_about: (command, answer) => play(answer),
  choose: (command, answer) => play(answer),
  own_words: (command, answer) => own(answer),
  repeat: (command, answer) => own(answer),
  help: () => "Ask about the episode, or say: pause, back thirty seconds, next topic, faster, play the part about …",
};

// Do what an answer's command says; returns what was done, in words.
export const carryOut = (answer) => {
  const act = DO[answer.command.name];
  const said = act ? act(answer.command, answer) : "The page cannot do that; its buttons can, or “earmark listen”.";
  if (!["pause", "stop"].includes(answer.command.name)) player.giveBack();
  return said;
};
