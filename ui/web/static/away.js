// SPDX-License-Identifier: GPL-3.0-or-later
// The server is away: the page says so in a place of its own, looks for it ever more seldom, and loses nothing.

import { $, announce } from "./dom.js";
import { lookNow } from "./main.js";
import { t } from "./texts.js";

const FIRST = 1000; // milliseconds to the second look
const LAST = 15_000;

let missed = 0; // looks without an answer

// Milliseconds until the next look, after so many that failed.
export const wait = (looks) => Math.min(LAST, FIRST * 2 ** Math.max(0, looks - 1));

export const away = {
  // A look failed: true when it is the server that is away.
  lost(error) {
    if (!error.away) return false;
    missed += 1;
    $("state").hidden = true;
    if (missed === 1) announce(t("Earmark does not answer. What is loaded plays on."));
    $("away-text").textContent = t("Earmark does not answer. What is loaded plays on; questions are kept and asked when it is back. Is it still running?");
    $("away").hidden = false;
    return true;
  },

  // A look was answered: true when the server had been away.
  over() {
    const was = missed > 0;
    missed = 0;
    $("away").hidden = true;
    if (was) announce(t("Earmark answers again."));
    return was;
  },

  pause: () => wait(missed),

  start() {
    $("away-try").onclick = () => lookNow();
    addEventListener("online", () => { if (missed) lookNow(); });
  },
};
