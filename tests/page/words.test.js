// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { marked, places, words } from "../../ui/web/static/words.js";

const found = (text, phrase) => places(words(text), phrase).map(([from, to]) => text.slice(from, to));

test("hyphens, case and accents make no difference", () => {
  assert.deepEqual(found("This is Proof-of-Work, not “proof of work”.", "proof of work"), ["Proof-of-Work", "proof of work"]);
  assert.deepEqual(found("the proof of work", "Proof-of-Work"), ["proof of work"]);
  assert.deepEqual(found("A café in Genève", "cafe"), ["café"]);
  assert.deepEqual(found("It’s his, it's theirs", "its"), ["It’s", "it's"]);
});

test("the last word may still be on its way, the others not", () => {
  assert.deepEqual(found("proof of working", "proof of wor"), ["proof of wor"]);
  assert.deepEqual(found("proofs of work", "proof of work"), []);
});

test("a phrase is found across lines of a transcript, and nothing is found for nothing", () => {
  assert.deepEqual(found("one end\nBegin two", "end begin"), ["end\nBegin"]);
  assert.deepEqual(found("something", " - "), []);
});

test("what is marked is the phrase, or else the words that say something", () => {
  const text = "We work on the proof, and proof of work is a proof.";
  const show = (phrase) => marked(text, phrase).map(([from, to]) => text.slice(from, to));
  assert.deepEqual(show("proof-of-work"), ["proof of work"]);
  assert.deepEqual(show("of the proofs"), ["the"]);
  assert.deepEqual(show("a proof on"), ["proof", "proof", "proof"]);
});
