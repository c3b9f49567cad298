// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { joined, level, pcm16 } from "../../ui/web/static/pcm.js";

const tone = (hertz, rate, seconds) => Float32Array.from({ length: rate * seconds }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate) / 2);
const crossings = (samples) => samples.reduce((n, value, i) => n + (i && value >= 0 !== samples[i - 1] >= 0 ? 1 : 0), 0);

test("a tone keeps its pitch and strength at the recogniser's rate", () => {
  for (const rate of [48_000, 44_100, 16_000]) {
    const out = pcm16(tone(440, rate, 1), rate);
    assert.ok(Math.abs(out.length - 16_000) <= 1);
    assert.ok(Math.abs(crossings(out) - 880) <= 2);
    assert.ok(Math.abs(Math.max(...out) - 16_383) < 500);
  }
});

test("what is too high for it is mostly left out, and what is too loud is clipped", () => {
  assert.ok(Math.max(...pcm16(tone(16_000, 48_000, 0.1), 48_000)) < 1000);
  assert.equal(Math.max(...pcm16(new Float32Array(300).fill(2), 48_000)), 32_767);
});

test("pieces are joined in their order, and loudness has bounds", () => {
  assert.deepEqual([...joined([Int16Array.of(1, 2), Int16Array.of(3)])], [1, 2, 3]);
  assert.equal(level(new Float32Array(10)), 0);
  assert.equal(level(new Float32Array(10).fill(1)), 1);
});
