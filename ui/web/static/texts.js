// SPDX-License-Identifier: GPL-3.0-or-later
// The page's texts in the reader's language. English stands where it is used; another language is a catalogue of JSON,
// from the English to its own (texts.de.json). What has no translation stays English.

const LANGUAGES = ["de"];

let catalogue = {};

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

// A text, with {names} in it replaced by values.
export const t = (english, values = {}) => fill(catalogue[english] ?? english, values);

// A text that is translated where it is used: it stands in the catalogue all the same.
export const later = (english) => english;

// One of two texts, by a number that may stand in them as {n}.
export const tn = (one, many, n, values = {}) => t(n === 1 ? one : many, { n: n.toLocaleString(), ...values });

// Use a catalogue: the English to another language.
export const use = (texts) => { catalogue = texts; };

// The catalogue that a reader of these languages wants; null for English, or for one that there is none of.
export const wanted = (languages) => {
  for (const language of languages) {
    const base = language.toLowerCase().split("-")[0];
    if (base === "en") return null;
    if (LANGUAGES.includes(base)) return base;
  }
  return null;
};

// Put the texts of page.html into the reader's language: what is said (data-t), and attributes (data-t-label …).
export const translate = (root) => {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.textContent.trim());
  for (const [key, attribute] of [["label", "aria-label"], ["title", "title"], ["placeholder", "placeholder"]]) {
    for (const element of root.querySelectorAll(`[data-t-${key}]`)) {
      element.setAttribute(attribute, t(element.getAttribute(`data-t-${key}`)));
    }
  }
};

// Load the catalogue for this browser, once, before anything is drawn.
export const loadTexts = async (languages = navigator.languages) => {
  const language = wanted(languages);
  if (!language) return;
  try {
    const reply = await fetch(`page/texts.${language}.json`);
    if (!reply.ok) return;
    use(await reply.json());
    document.documentElement.lang = language;
  } catch { /* English then */ }
};
