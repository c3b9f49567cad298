// SPDX-License-Identifier: GPL-3.0-or-later
// The keys, and the list of them.

import { adding } from "./add.js";
import { askHere } from "./ask.js";
import { mute, step, volume } from "./commands.js";
import { $, make } from "./dom.js";
import { hush } from "./excerpt.js";
import { kept } from "./kept.js";
import { showTab } from "./main.js";
import { talk } from "./microphone.js";
import { player } from "./player.js";
import { sheet } from "./sheet.js";
import { later, t } from "./texts.js";
import { toast } from "./toast.js";

const STEP = 5; // seconds moved by an arrow key
const LOUDER = 0.1; // of the volume, 0..1

const show = () => {
  $("keys-list").replaceChildren(...LIST.flatMap(([keys, what]) => [
    make("dt", {}, ...keys.split(" ").map((key) => make("kbd", {}, t(key)))), make("dd", {}, t(what)),
  ]));
  /** @type {HTMLDialogElement} */ ($("keys")).showModal();
};

const KEYS = {
  " ": () => player.toggle(),
  k: () => player.toggle(),
  j: () => player.skip(-15),
  l: () => player.skip(30),
  ArrowLeft: () => player.skip(-STEP),
  ArrowRight: () => player.skip(STEP),
  n: () => player.nextTopic(1),
  p: () => player.nextTopic(-1),
  r: () => player.goReturn(),
  b: () => kept.saveNow(),
  m: () => toast(mute()),
  "+": () => toast(volume(player.audio.volume + LOUDER)),
  "-": () => toast(volume(player.audio.volume - LOUDER)),
  "<": () => toast(step(-1)),
  ">": () => toast(step(1)),
  t: () => talk.toggle(),
  "?": show,
  Escape: () => { if (!sheet.close() && !adding.close() && !talk.cancel()) hush(); },
  "/": () => askHere(),
};

// For people: what the keys do.
const LIST = [
  [`${later("space")} k`, later("Play or pause")], ["j l", later("Back 15 seconds, forward 30")], ["← →", later("Back and forward 5 seconds")],
  ["n p", later("Next and previous topic")], ["r", later("Back to where you were before a jump")], ["b", later("Save this moment")],
  ["+ - m", later("Louder, quieter, mute")], ["< >", later("Slower, faster")], ["/", later("Ask")], ["t", later("Talk")],
  ["Esc", later("Stop reading aloud")], ["?", later("This list")],
];

const onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { target, key } = event;
  const arrow = key === "ArrowLeft" || key === "ArrowRight";
  if (/** @type {HTMLDialogElement} */ ($("keys")).open) return;
  if (target.getAttribute?.("role") === "tab" && arrow) {
    const tabs = [...target.parentElement.children];
    const other = tabs.at((tabs.indexOf(target) + (key === "ArrowRight" ? 1 : -1)) % tabs.length);
    showTab(other);
    other.focus();
  } else if (key === "Escape" || (target.id === "position" && arrow)) {
    KEYS[key]();
  } else if (target.closest?.("input, textarea, select, [contenteditable], [role=dialog], [role=listbox]")) {
    return;
  } else if (key === " " && target.closest?.("button, a, summary, label")) {
    return; // a focused button is what space presses
  } else if (KEYS[key]) {
    KEYS[key]();
  } else {
    return;
  }
  event.preventDefault();
};

export const startKeys = () => {
  document.addEventListener("keydown", onKey);
  $("show-keys").onclick = show;
};
