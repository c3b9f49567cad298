// SPDX-License-Identifier: GPL-3.0-or-later
// What all parts of the page use.

import { t } from "./texts.js";

/**
 * The elements of page.html that are more than an HTMLElement, by their ids.
 * @typedef {{
 *   audio: HTMLAudioElement, add: HTMLDetailsElement, earlier: HTMLDetailsElement, "add-form": HTMLFormElement,
 *   keys: HTMLDialogElement, notes: HTMLTextAreaElement, "other-listener-yes": HTMLButtonElement,
 *   filter: HTMLInputElement, "add-address": HTMLInputElement, "add-files": HTMLInputElement, position: HTMLInputElement,
 *   volume: HTMLInputElement, autoplay: HTMLInputElement, "so-far": HTMLInputElement, aloud: HTMLInputElement,
 *   find: HTMLInputElement, "state-progress": HTMLProgressElement, "model-progress": HTMLProgressElement,
 *   shows: HTMLSelectElement, order: HTMLSelectElement, "add-latest": HTMLSelectElement, speed: HTMLSelectElement,
 *   sleep: HTMLSelectElement, scope: HTMLSelectElement,
 * }} Elements
 */

/**
 * The element with an id.
 * @template {string} Id
 * @param {Id} id
 * @returns {Id extends keyof Elements ? Elements[Id] : HTMLElement}
 */
export const $ = (id) => /** @type {any} */ (document.getElementById(id));

// Make an element. Texts are added as text nodes, so nothing in them is ever markup.
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name in element && typeof value === "boolean") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
};

/**
 * A small button.
 * @param {string} text
 * @param {(event: Event) => unknown} act
 * @param {Record<string, string>} attributes what it has besides; a class stands beside its own
 */
export const ownButton = (text, act, { class: name = "", ...attributes } = {}) => {
  const button = make("button", { type: "button", class: `own ${name}`.trim(), ...attributes }, text);
  button.onclick = act;
  return button;
};

// Put a text into an element and hide the element when there is none.
export const say = (id, text) => {
  const element = $(id);
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
};

// Tell people who listen to the page instead of looking at it, when they are not being told something else.
export const announce = (text) => { $("announce").textContent = text; };

// Seconds as people write a time: 1:05, 1:02:03.
export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

// Seconds as people say a length: 9 min, 1 h 12 min.
export const lengthInWords = (seconds) => {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 60 ? t("{n} min", { n: minutes }) : t("{hours} h {n} min", { hours: Math.floor(minutes / 60), n: minutes % 60 });
};

// A button that plays from a time. The click is caught in main.js and never leaves the browser.
export const timeButton = (seconds, episode, speaker, ...children) => make(
  "button", { type: "button", class: "time", "data-seek": seconds, "data-episode": episode },
  make("span", { class: "time-mark", "aria-hidden": "true" }),
  make("span", { class: "unseen" }, `${t("Play from")} `),
  make("span", { class: "clock" }, clock(seconds)),
  speaker ? make("span", { class: "unseen" }, `, ${speaker}`) : null, ...children,
);

// What an answer that is an error says, with the next step.
export const reason = (answer) => {
  const detail = typeof answer.detail === "string" ? answer.detail : "";
  return [answer.error, answer.hint, detail].filter(Boolean).join(" ");
};

// Why a reply is no success, in a sentence for a person.
export const why = async (reply) => reason(await reply.json().catch(() => ({}))) || reply.statusText;

// The server's reply, to which `body` is sent as JSON if there is one. Throws an Error with a sentence for a person.
export const request = async (path, body, method = body ? "POST" : "GET", more = {}) => {
  const headers = { Accept: "application/json", "Content-Type": "application/json", ...more };
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
    .catch(() => { throw Object.assign(new Error(t("Earmark does not answer. Is it still running?")), { away: true }); });
  if (!reply.ok) throw new Error(await why(reply));
  return reply;
};

// The JSON of such a reply.
export const fetchJson = async (path, body, method) => (await request(path, body, method)).json();

// What nobody guesses: 32 hexadecimal digits.
export const randomKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// What this browser remembers between visits, or this tab until it is closed; one that forbids it just forgets.
const keeping = (store) => ({
  remember(key, value) {
    try { store().setItem(`earmark:${key}`, JSON.stringify(value)); } catch { /* private mode, or full */ }
  },
  recall(key, otherwise) {
    try { return JSON.parse(store().getItem(`earmark:${key}`)) ?? otherwise; } catch { return otherwise; }
  },
});
export const { remember, recall } = keeping(() => localStorage);
export const tab = keeping(() => sessionStorage);
