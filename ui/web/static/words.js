// SPDX-License-Identifier: GPL-3.0-or-later
// Words as one looks for them: without regard to case, accents, hyphens and the marks between them.

const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu;

const bare = (text) => text.normalize("NFKD").replace(/\p{M}|['’]/gu, "").toLowerCase();

// The words of a text, folded: each with the place where it stands.
export const words = (text) => [...text.matchAll(WORD)].map((found) => ({
  word: bare(found[0]), start: found.index, end: found.index + found[0].length,
}));

/**
 * Where a phrase stands in a text: [start, end] of each place. Its last word may be the beginning of one, so that
 * something is found while one still types.
 * @param {ReturnType<typeof words>} there the words of the text
 * @param {string} phrase
 * @returns {[number, number][]}
 */
export const places = (there, phrase) => {
  const wanted = words(phrase).map(({ word }) => word);
  /** @type {[number, number][]} */
  const found = [];
  if (!wanted.length) return found;
  const last = wanted.length - 1;
  for (let i = 0; i + last < there.length; i += 1) {
    if (!wanted.every((word, k) => (k < last ? there[i + k].word === word : there[i + k].word.startsWith(word)))) continue;
    const whole = there[i + last];
    found.push([there[i].start, whole.word === wanted[last] ? whole.end : Math.min(whole.end, whole.start + wanted[last].length)]);
  }
  return found;
};

/**
 * The places of a text that show why it was found: the phrase where it is said, or else its single words, and of
 * these those that say something (a word of one or two letters does not, beside a longer one).
 * @param {string} text
 * @param {string} phrase
 */
export const marked = (text, phrase) => {
  const there = words(text);
  const whole = places(there, phrase);
  if (whole.length) return whole;
  const wanted = words(phrase).map(({ word }) => word);
  const telling = wanted.some((word) => word.length > 2) ? wanted.filter((word) => word.length > 2) : wanted;
  return there.filter(({ word }) => telling.some((one) => word.startsWith(one))).map(({ start, end }) => [start, end]);
};
