// SPDX-License-Identifier: GPL-3.0-or-later
// How far a listener is in each episode, and which episodes that makes new, in progress or finished.

const END = 30; // seconds before the end from which an episode counts as finished
const MOST = 0.97; // share of it from which it does, too

/** @typedef {{position: number, heard: number, at: number}} Listened seconds, seconds in all, seconds since 1970 */

/**
 * @param {{seconds: number}} episode
 * @param {Listened | undefined} listened
 * @returns {"new" | "going" | "heard"}
 */
export const stage = (episode, listened) => {
  if (!listened || (listened.position < 1 && listened.heard < 1)) return "new";
  const { seconds } = episode;
  if (!seconds) return "going";
  const done = listened.position >= Math.max(seconds - END, MOST * seconds) || listened.heard >= MOST * seconds;
  return done ? "heard" : "going";
};

// How much of an episode lies behind the listener, 0..1.
export const fraction = (episode, listened) => {
  if (!listened || !episode.seconds) return 0;
  if (stage(episode, listened) === "heard") return 1;
  return Math.min(1, Math.max(0, listened.position / episode.seconds));
};

// Where to go on: at the beginning again when it was finished; `begins` is where that is, in seconds.
export const resumeAt = (episode, listened, begins = 0) => (stage(episode, listened) === "going" ? listened.position : begins);

// What one was at, the last first.
export const goingOn = (every, of, most = 3) => every
  .filter((episode) => episode.ready && episode.audio && stage(episode, of(episode)) === "going")
  .toSorted((a, b) => of(b).at - of(a).at).slice(0, most);
