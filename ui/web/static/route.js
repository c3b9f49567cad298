// SPDX-License-Identifier: GPL-3.0-or-later
// What an address of the page means, and the address of what is on the page.

/** @typedef {{name: "home" | "show" | "episode" | "kept", episode?: string, show?: string, text?: string, at?: number | null}} View */

// Seconds out of "754", "12:34" or "1:02:03"; null for anything else.
export const seconds = (text) => {
  if (!text) return null;
  const at = text.split(":").reduce((sum, part) => 60 * sum + (part.trim() ? Number(part) : NaN), 0);
  return Number.isFinite(at) ? Math.max(0, at) : null;
};

/**
 * The view that an address asks for: ?episode=…&t=754 (also t=12:34, or #t=754 as media fragments have it), ?show=…,
 * ?q=… (a search), ?kept; else home.
 * @param {string} search
 * @param {string} hash
 * @returns {View}
 */
export const parse = (search, hash = "") => {
  const [given, fragment] = [search, hash.replace(/^#/, "")].map((text) => new URLSearchParams(text));
  const at = seconds(given.get("t") ?? fragment.get("t")?.split(",")[0]);
  if (given.get("episode")) return { name: "episode", episode: given.get("episode"), at };
  if (given.get("show")) return { name: "show", show: given.get("show") };
  if (given.has("kept")) return { name: "kept" };
  return given.get("q") ? { name: "home", text: given.get("q") } : { name: "home" };
};

/**
 * The address of a view, to be resolved against that of the page.
 * @param {View} view
 */
export const format = ({ name, episode, show, text }) => {
  if (name === "episode") return `?episode=${encodeURIComponent(episode)}`;
  if (name === "show") return `?show=${encodeURIComponent(show)}`;
  if (name === "kept") return "?kept";
  return text ? `?q=${encodeURIComponent(text)}` : "./";
};

/**
 * Whether two views are the same place.
 * @param {View} a
 * @param {View} b
 */
export const same = (a, b) => format({ ...a, text: "" }) === format({ ...b, text: "" });
