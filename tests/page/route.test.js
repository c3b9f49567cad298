// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { format, parse, same, seconds } from "../../ui/web/static/route.js";

test("times in links are seconds, or as people write them", () => {
  for (const [text, at] of [["754", 754], ["12:34", 754], ["1:02:03", 3723], ["20.5", 20.5], ["-3", 0], ["", null], ["x", null], ["1:", null]]) {
    assert.equal(seconds(text), at, text);
  }
});

test("an address leads to a view, and back", () => {
  assert.deepEqual(parse("?episode=a%2Fb&t=1:05"), { name: "episode", episode: "a/b", at: 65 });
  assert.deepEqual(parse("?episode=a", "#t=12.5,20"), { name: "episode", episode: "a", at: 12.5 });
  assert.deepEqual(parse("?show=A%20%26%20B"), { name: "show", show: "A & B" });
  assert.deepEqual(parse("?q=bees"), { name: "home", text: "bees" });
  assert.deepEqual(parse("?kept"), { name: "kept" });
  assert.deepEqual(parse(""), { name: "home" });
  for (const view of [{ name: "show", show: "A & B?#" }, { name: "episode", episode: "x/y z" }, { name: "kept" }, { name: "home", text: "50 % of" }]) {
    const back = parse(format(view));
    for (const [key, value] of Object.entries(view)) assert.equal(back[key], value);
  }
});

test("a search is no other place than the library", () => {
  assert.ok(same({ name: "home" }, { name: "home", text: "bees" }));
  assert.ok(!same({ name: "episode", episode: "a" }, { name: "episode", episode: "b" }));
});
