// SPDX-License-Identifier: GPL-3.0-or-later
// One's notes on an episode. The server keeps them with a version: what another tab or device wrote meanwhile is never
// overwritten, it is joined.

import { $, clock, recall, remember, say } from "./dom.js";
import { linkTo } from "./export.js";
import { player } from "./player.js";
import { headers, progress } from "./progress.js";
import { t } from "./texts.js";

const PAUSE = 600; // milliseconds without a key after which notes are sent

let of = null; // the episode
let version = 0;
let stored = ""; // as the server has them
let timer = 0;

const address = (id) => `api/notes/${encodeURIComponent(id)}`;

/**
 * Two versions of notes that grew from the same: what both have once, then what each added.
 * @param {string} base
 * @param {string} theirs
 * @param {string} mine
 */
export const joined = (base, theirs, mine) => {
  if (theirs === base || theirs === mine) return mine;
  if (mine === base) return theirs;
  if (mine.startsWith(base)) return `${theirs.replace(/\s*$/, "")}\n${mine.slice(base.length).replace(/^\s*/, "")}`;
  const known = new Set(theirs.split("\n"));
  const own = mine.split("\n").filter((line) => !known.has(line));
  return [theirs.replace(/\s*$/, ""), ...own].join("\n");
};

const put = (id, text, over) => fetch(address(id), {
  method: "PUT", headers, keepalive: true, body: JSON.stringify({ text, version: over }),
});

const send = async () => {
  clearTimeout(timer);
  const [id, text] = [of, $("notes").value];
  if (!id || text === stored) return;
  remember(`notes:${id}`, text); // should the server be away
  try {
    let reply = await put(id, text, version);
    if (reply.status === 409) {
      const theirs = await reply.json();
      const both = joined(stored, theirs.text, text);
      if (of === id && $("notes").value === text) $("notes").value = both;
      reply = await put(id, both, theirs.version);
    }
    if (!reply.ok) throw new Error(reply.statusText);
    const now = await reply.json();
    remember(`notes:${id}`, null);
    if (of === id) {
      [version, stored] = [now.version, now.text];
      say("notes-state", t("Kept."));
    }
  } catch {
    if (of === id) say("notes-state", t("Kept in this browser until Earmark answers again."));
  }
};

export const notes = {
  // The notes on an episode come onto the page.
  async open(id) {
    if (of === id) { this.catchUp(); return; }
    [of, version, stored] = [id, 0, ""];
    say("notes-state", "");
    $("notes").value = recall(`notes:${id}`, "");
    await this.catchUp();
  },

  // Take over what was written elsewhere meanwhile.
  async catchUp() {
    const id = of;
    if (!id) return;
    try {
      const reply = await fetch(address(id), { headers });
      if (!reply.ok) return;
      const now = await reply.json();
      if (of !== id) return;
      const both = joined(stored, now.text, $("notes").value);
      [version, stored] = [now.version, now.text];
      if ($("notes").value !== both) $("notes").value = both;
      send();
    } catch { /* the next look */ }
  },

  // The notes leave the page.
  leave() {
    send();
    of = null;
    $("notes").value = "";
  },

  start() {
    $("notes").oninput = () => {
      say("notes-state", "");
      clearTimeout(timer);
      timer = setTimeout(send, PAUSE);
    };
    $("notes").onblur = send;
    addEventListener("pagehide", send);
    document.addEventListener("visibilitychange", () => { if (document.hidden) send(); else this.catchUp(); });
    $("note-time").onclick = () => {
      const at = player.episode?.id === of ? player.position : progress.of(of)?.position ?? 0;
      const before = $("notes").value.replace(/\s*$/, "");
      $("notes").value = `${before}${before ? "\n" : ""}- [${clock(at)}](${linkTo(of, at)}) `;
      $("notes").dispatchEvent(new Event("input"));
      $("notes").focus();
    };
  },
};
