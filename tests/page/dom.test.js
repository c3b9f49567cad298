// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, lengthInWords, reason, recall, remember } from "../../ui/web/static/dom.js";

test("times are written as people write them", () => {
  const pairs = [[0, "0:00"], [65.9, "1:05"], [3723, "1:02:03"], [-4, "0:00"], [undefined, "0:00"], [36000, "10:00:00"]];
  for (const [seconds, text] of pairs) assert.equal(clock(seconds), text);
});

test("lengths are said in minutes and hours", () => {
  for (const [seconds, text] of [[5, "1 min"], [540, "9 min"], [4320, "1 h 12 min"]]) assert.equal(lengthInWords(seconds), text);
});

test("an error has its sentence and the next step", () => {
  assert.equal(reason({ error: "Gone.", hint: "Look elsewhere." }), "Gone. Look elsewhere.");
  assert.equal(reason({ detail: "No." }), "No.");
  assert.equal(reason({ detail: [{ msg: "not a sentence" }] }), "");
});

test("a browser that keeps nothing just forgets", () => {
  remember("speed", 2); // there is no localStorage here
  assert.equal(recall("speed", 1), 1);
});
