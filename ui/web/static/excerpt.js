// SPDX-License-Identifier: GPL-3.0-or-later
// The speakers' own words: one stretch of any episode, heard beside the player, which stays where it is and goes on
// afterwards if it played.

import { player } from "./player.js";
import { voice } from "./speech_output.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";

const LOOK = 200; // milliseconds between two looks at where it is

let sound = null; // what is heard now
let over = () => {};

export const excerpt = {
  get playing() { return sound !== null; },

  // Hear a moment; `onEnd` is called when it is over or was stopped.
  async hear({ episode, start, end }, onEnd = () => {}) {
    hush();
    player.interrupt();
    const mine = sound = new Audio(`audio/${encodeURIComponent(episode)}`);
    const { volume, muted, playbackRate } = player.audio;
    // silent until it is there: a slow machine would let the first moments of the episode be heard
    Object.assign(mine, { volume, muted: true, playbackRate, defaultPlaybackRate: playbackRate, currentTime: start });
    const arrived = () => { if (Math.abs(mine.currentTime - start) < 1) mine.muted = muted; };
    mine.addEventListener("seeked", arrived, { once: true });
    over = () => {
      if (sound !== mine) return;
      sound = null;
      mine.pause();
      onEnd();
      player.giveBack();
    };
    const look = () => {
      if (sound !== mine) return;
      if (mine.muted && !muted && !mine.seeking) arrived();
      const left = (1000 * (end - mine.currentTime)) / mine.playbackRate;
      if (left <= 0 || mine.ended) over();
      else setTimeout(look, Math.min(LOOK, left + 5));
    };
    try {
      await mine.play();
      look();
    } catch (error) {
      if (sound !== mine) return;
      over();
      toast(t("This cannot be heard: {why}", { why: error.message }));
    }
  },

  stop() { over(); },
};

// Whatever speaks beside the player falls silent.
export const hush = () => {
  voice.stop();
  excerpt.stop();
};
