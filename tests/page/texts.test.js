// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { t, tn, use, wanted } from "../../ui/web/static/texts.js";

const folder = new URL("../../ui/web/static/", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const page = read("page.html");
const german = JSON.parse(read("texts.de.json"));
const literal = '"((?:[^"\\\\]|\\\\.)*)"';

// Every text that the page can show, as it stands in the scripts and in page.html.
const shown = () => {
  const all = new Set();
  const add = (found) => { for (const text of found.slice(1)) all.add(JSON.parse(`"${text}"`)); };
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".js"))) {
    const script = read(name);
    for (const found of script.matchAll(new RegExp(`\\b(?:t|later)\\(\\s*${literal}`, "g"))) add(found);
    for (const found of script.matchAll(new RegExp(`\\btn\\(\\s*${literal},\\s*${literal}`, "g"))) add(found);
  }
  for (const [, text] of page.matchAll(/ data-t(?: [^>]*)?>\s*([^<]+?)\s*</g)) all.add(text);
  for (const [, text] of page.matchAll(/ data-t-(?:label|title|placeholder)="([^"]+)"/g)) all.add(text);
  return all;
};

test("German has every text, and none that is no more", () => {
  const texts = shown();
  assert.ok(texts.size > 250);
  assert.deepEqual([...texts].filter((text) => !german[text]), []);
  assert.deepEqual(Object.keys(german).filter((text) => !texts.has(text)), []);
});

test("what is filled in is filled in in German too", () => {
  const names = (text) => (text.match(/\{\w+\}/g) ?? []).toSorted();
  for (const [english, text] of Object.entries(german)) assert.deepEqual(names(text), names(english), english);
});

test("no text of page.html is left out of the catalogue", () => {
  const left = page.replace(/<!--.*?-->/gs, "").replace(/<[^>]* data-t(?: [^>]*)?>[^<]*/g, "").replace(/<[^>]*>/g, "\n").replace(/&nbsp;/g, " ");
  const words = left.split("\n").map((line) => line.trim()).filter((line) => /\p{L}{2,}/u.test(line));
  assert.deepEqual(words.filter((line) => !/^(Earmark|Ask|\d+ min)$/.test(line)), []);
  for (const [, text] of page.matchAll(/ (?:aria-label|title)="([^"]+)"/g)) assert.fail(`not in the catalogue: ${text}`);
});

test("texts are filled in, translated where there is a translation, and English where there is none", () => {
  assert.equal(t("Back to {time}", { time: "1:05" }), "Back to 1:05");
  assert.equal(t("{a} and {b}", { a: "{b}" }), "{b} and {b}");
  use(german);
  assert.equal(tn("{n} episode", "{n} episodes", 1), "1 Folge");
  assert.equal(t("nobody translated this"), "nobody translated this");
  use({});
});

test("a reader gets the first of their languages that there is", () => {
  for (const [languages, is] of [[["de-AT", "en"], "de"], [["en-GB", "de"], null], [["fr", "de"], "de"], [["fr"], null], [[], null]]) {
    assert.equal(wanted(languages), is);
  }
});
