// SPDX-License-Identifier: GPL-3.0-or-later
// A short word on what was just done, beside the thing that was clicked, and gone after a while.

import { $, announce } from "./dom.js";

const STAYS = 6000; // milliseconds
const GAP = 8; // pixels between the thing and the word

let timer = 0;
let touched = null; // what was clicked last

// Where a word of this size goes: under the thing or over it, and within the page. All in pixels.
export const place = (thing, size, page) => {
  const left = Math.min(Math.max(GAP, thing.left + (thing.width - size.width) / 2), page.width - size.width - GAP);
  const under = thing.bottom + GAP;
  const top = under + size.height + GAP <= page.height ? under : thing.top - GAP - size.height;
  return { left, top: Math.min(Math.max(GAP, top), page.height - size.height - GAP) };
};

const hide = () => { $("toast").hidden = true; };

// Say something where the listener looks, and to those who do not see it.
export const toast = (text) => {
  const box = $("toast");
  clearTimeout(timer);
  if (!text) { hide(); return; }
  box.textContent = text;
  box.hidden = false;
  announce(text);
  const bar = $("bar");
  const floor = bar.hidden ? innerHeight : bar.getBoundingClientRect().top;
  const size = box.getBoundingClientRect();
  const thing = touched?.isConnected && touched.checkVisibility() ? touched.getBoundingClientRect() : null;
  const there = thing && thing.bottom > 0 && thing.top < innerHeight;
  const middle = { left: innerWidth / 2, width: 0, top: floor, bottom: floor };
  const { left, top } = place(there ? thing : middle, size, { width: innerWidth, height: there && thing.top > floor - 1 ? innerHeight : floor });
  Object.assign(box.style, { left: `${left}px`, top: `${there && thing.top > floor - 1 ? Math.min(top, floor - size.height - GAP) : top}px` });
  timer = setTimeout(hide, STAYS);
};

// Put a text into the clipboard and say so; where there is no clipboard, say something `instead`: at least the text.
export const copy = async (text, said, instead = text) => {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    toast(instead);
  }
};

export const startToasts = () => {
  document.addEventListener("click", (event) => {
    touched = /** @type {HTMLElement} */ (event.target).closest?.("button, a, summary, label, select, input") ?? null;
  }, true);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  $("toast").onclick = hide;
};
