// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { arriving } from "../../ui/web/static/ndjson.js";

const streamed = async (...pieces) => {
  const stream = new ReadableStream({
    start(control) {
      for (const piece of pieces) control.enqueue(new TextEncoder().encode(piece));
      control.close();
    },
  });
  const all = [];
  for await (const objects of arriving(stream)) all.push(objects);
  return all;
};

test("lines are given as they are whole, wherever the pieces break", async () => {
  assert.deepEqual(await streamed('{"a":', '1}\n{"b":2}\n{"c"', ":3}\n"), [[{ a: 1 }, { b: 2 }], [{ c: 3 }]]);
});

test("a last line without its end counts, an empty one does not", async () => {
  assert.deepEqual(await streamed('\n{"a":1}\n\n', '{"b":2}'), [[{ a: 1 }], [{ b: 2 }]]);
});

test("letters of several bytes may be broken anywhere", async () => {
  const bytes = new TextEncoder().encode('{"a":"Zoë"}\n');
  const halves = new ReadableStream({
    start(control) {
      for (const byte of bytes) control.enqueue(Uint8Array.of(byte));
      control.close();
    },
  });
  const all = [];
  for await (const objects of arriving(halves)) all.push(...objects);
  assert.deepEqual(all, [{ a: "Zoë" }]);
});

test("what is not JSON is an error", async () => {
  await assert.rejects(streamed("<html>\n"), SyntaxError);
});
