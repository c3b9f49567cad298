// SPDX-License-Identifier: GPL-3.0-or-later
// What was dropped on the page or typed into the field for addresses: what of it Earmark can take in.

const KNOWN = /\.(mp3|m4a|m4b|mp4|aac|ogg|oga|opus|flac|wav|wma|webm|mkv|mov|avi|aif|aiff|mka|3gp|vtt|srt|json|sbv|txt|html?|opml|xml|rss|atom|lrc|ass|ttml)$/i;

/**
 * Files in those that may be taken in, and those that are nothing to listen to or read.
 * @template {{name: string, type?: string, size: number}} F
 * @param {F[]} files
 * @returns {{usable: F[], other: F[]}}
 */
export const sorted = (files) => {
  const usable = files.filter(({ name, type, size }) => size > 0 && (KNOWN.test(name) || /^(audio|video)\//.test(type ?? "")));
  return { usable, other: files.filter((file) => !usable.includes(file)) };
};

/**
 * A whole address out of what people type: "example.org/feed" is https://example.org/feed, and what apps prefix
 * (feed://, pcast://, podcast://) is left out. Null for what is none.
 * @param {string} text
 */
export const address = (text) => {
  const bare = text.trim().replace(/^(feed|pcast|podcast|itpc):(\/\/)?(?=https?:)/i, "").replace(/^(feed|pcast|podcast|itpc):\/\//i, "https://");
  if (/^https?:\/\/\S+$/i.test(bare)) return bare;
  return /^[\p{L}\p{N}-]+(\.[\p{L}\p{N}-]+)+(:\d+)?(\/\S*)?$/u.test(bare) ? `https://${bare}` : null;
};
