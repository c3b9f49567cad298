// SPDX-License-Identifier: GPL-3.0-or-later
// What was asked was something to do: the player does it, and says so where questions are answered.

import { answers } from "./answer.js";
import { readAgain } from "./ask.js";
import { clock, fetchJson } from "./dom.js";
import { shelf } from "./episode_list.js";
import { chosen } from "./episode_view.js";
import { excerpt } from "./excerpt.js";
import { kept } from "./kept.js";
import { player } from "./player.js";
import { sheet } from "./sheet.js";
import { t } from "./texts.js";
import { go } from "./views.js";

// What each command means when no amount is said, by its name: the same as for the companion without a page.
let amounts = {};
export const loadAmounts = () => fetchJson("api/commands")
  .then((all) => { amounts = Object.fromEntries(all.map((rule) => [rule.name, rule.amount])); })
  .catch(() => {}); // the server is away, which the page says elsewhere
const usual = (name) => amounts[name] ?? 0;

// What the keys do, too: done, and said.
const speed = (n) => t("Speed {n}×.", { n });
export const step = (way) => speed(player.stepSpeed(way));
export const mute = (on) => (sheet.mute(on) ? t("Muted.") : t("The sound is on."));
export const volume = (level) => t("Volume {n} %.", { n: Math.round(100 * sheet.volume(level)) });

const nothing = () => t("Nothing is on the player yet: choose an episode first.");

const at = () => t("At {time}.", { time: clock(player.position) });
const from = (seconds = player.position) => t("Playing from {time}.", { time: clock(seconds) });

const skip = (seconds) => {
  player.skip(seconds);
  player.giveBack();
  return at();
};

const goTo = ({ amount, about }) => {
  const part = { end: player.length - 5, middle: player.length / 2 }[about];
  player.jump(part ?? amount ?? 0);
  return from(part ?? amount ?? 0);
};

const playMoment = async (moment) => {
  if (!moment) return t("I found no such place.");
  await player.playAt(moment.episode, moment.start);
  return from(moment.start);
};

const own = async (moment) => {
  if (!moment) return t("Ask me something first.");
  await shelf.need([moment.episode]);
  if (!shelf.known(moment.episode)?.audio) return playMoment(moment);
  excerpt.hear(moment);
  return t("In their own words, from {time}.", { time: clock(moment.start) });
};

const topic = (by) => {
  const topics = player.episode?.segments ?? [];
  if (by > 0 && player.topicAt(player.position) >= topics.length - 1) return t("This is the last topic.");
  player.nextTopic(by);
  return from();
};

const episode = async (by) => {
  const here = player.episode ?? chosen();
  const queued = by > 0 ? sheet.next() : undefined;
  const next = queued ? shelf.known(queued) : here && await fetchJson(`api/episodes/${encodeURIComponent(here.id)}/neighbour?step=${by}`);
  if (!next) return by > 0 ? t("There is no next episode.") : t("There is no earlier episode.");
  if (queued) sheet.take(queued);
  await player.playAt(next.id);
  return t("Playing “{title}”.", { title: next.title });
};

const comeBack = async () => (await player.goReturn() ? from() : t("You have not been anywhere else yet."));

// The moment that is meant by a number, or by "yes" and "the last one", among those of the present answer.
const pick = (given, number = 1) => {
  const moments = given.length ? given : answers.moments();
  return moments.at(number < 0 ? -1 : Math.min(Math.max(1, Math.round(number)), moments.length || 1) - 1);
};

const latest = async (moment) => {
  if (!moment) return t("I found no such place.");
  await player.playAt(moment.episode);
  return t("Playing “{title}”.", { title: player.episode?.title ?? "" });
};

const sleep = ({ amount, about }) => {
  const minutes = Math.max(1, Math.round((amount ?? usual("sleep")) / 60));
  sheet.sleep(about || String(minutes));
  if (about === "topic") return t("It stops at the end of this topic.");
  if (about) return t("It stops at the end of this episode.");
  return t("It stops in {n} min.", { n: minutes });
};

const bookmark = async () => (await kept.saveNow()
  ? t("Saved, the last half minute.") : t("There is nothing to save: play an episode first."));

const bookmarks = () => {
  go({ name: "kept" });
  return t("These are your saved moments.");
};

// Every command of GET /api/commands; those that move the player need one that is loaded.
const MOVES = {
  play: () => { player.play(); return t("Playing."); },
  resume: () => { player.play(); return t("Playing."); },
  pause: () => { player.pause(); return t("Paused."); },
  stop: () => { player.pause(); return t("Paused."); },
  back: ({ amount }) => skip(-(amount ?? usual("back"))),
  forward: ({ amount }) => skip(amount ?? usual("forward")),
  go_to: goTo,
  next_topic: () => topic(1),
  previous_topic: () => topic(-1),
};
const OTHERS = {
  next_episode: () => episode(1),
  previous_episode: () => episode(-1),
  return_to: () => comeBack(),
  slower: () => step(-1),
  faster: () => step(1),
  set_speed: ({ amount }) => speed(player.setSpeed(amount ?? 1)),
  louder: () => volume(player.audio.volume + usual("louder")),
  quieter: () => volume(player.audio.volume - usual("quieter")),
  set_volume: ({ amount }) => volume(amount ?? 1),
  mute: () => mute(true),
  unmute: () => mute(false),
  play_about: (command, { moments }) => playMoment(moments[0]),
  choose: ({ amount }, { moments }) => playMoment(moments[0] ?? pick(moments, amount ?? 1)),
  yes: (command, { moments }) => { const moment = pick(moments); return moment ? playMoment(moment) : t("Yes to what? Ask me something first."); },
  no: () => t("All right."),
  thanks: () => t("You are welcome."),
  play_latest: (command, { moments }) => latest(moments[0]),
  skip_ads: (command, { moments }) => playMoment(moments[0]),
  sleep,
  awake: () => { sheet.sleep(""); return t("The sleep timer is off."); },
  own_words: (command, { moments }) => own(pick(moments)),
  repeat: (command, { moments }) => (readAgain() ? "" : own(pick(moments))),
  bookmark: () => bookmark(),
  bookmarks: () => bookmarks(),
  help: () => t("Ask about the episode, or say: pause, back thirty seconds, next topic, faster, bookmark this, go back to where I was, play the part about …"),
};

// The names of the commands that the page carries out.
export const names = () => [...Object.keys(MOVES), ...Object.keys(OTHERS)];

// Do what an answer's command says; returns (or promises) what was done, in words.
export const carryOut = async (answer) => {
  const { command } = answer;
  if (command.name in MOVES && !player.episode?.audio) return nothing();
  const act = MOVES[command.name] ?? OTHERS[command.name];
  if (!act) return t("This page cannot do that."); // it is older than the server, or the other way round
  const said = await act(command, answer);
  if (!["pause", "stop"].includes(command.name)) player.giveBack();
  return said;
};
