// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange, fraction, goingOn, neighbour, resumeAt, stage } from "../../ui/web/static/heard.js";

const episode = (id, seconds = 3600, more = {}) => ({ id, title: id, show: "S", seconds, audio: true, ready: true, published: "", ...more });
const at = (position, when = 1, heard = position) => ({ position, heard, at: when });

test("an episode is new, in progress or finished", () => {
  const one = episode("a");
  for (const [listened, is] of [[undefined, "new"], [at(0), "new"], [at(754), "going"], [at(3575), "heard"], [at(10, 1, 3550), "heard"]]) {
    assert.equal(stage(one, listened), is);
  }
  assert.equal(stage(episode("short", 60), at(40)), "going", "of a short one the last half minute still counts");
});

test("how far one is, and where one goes on", () => {
  const one = episode("a", 1000);
  assert.equal(fraction(one, at(250)), 0.25);
  assert.equal(fraction(one, at(990)), 1);
  assert.equal(fraction(one, undefined), 0);
  assert.equal(resumeAt(one, at(250)), 250);
  assert.equal(resumeAt(one, at(990)), 0, "from the beginning, when it was finished");
});

test("episodes are filtered and ordered", () => {
  const every = [
    episode("c", 100, { published: "2026-01-01" }), episode("a", 300, { published: "2026-03-01" }), episode("B", 200, { published: "2026-02-01" }),
  ];
  const heard = { a: at(100, 5), B: at(199, 9) };
  const of = ({ id }) => heard[id];
  const ids = (how) => arrange(every, of, how).map(({ id }) => id).join("");
  assert.equal(ids({}), "caB");
  assert.equal(ids({ order: "published" }), "aBc");
  assert.equal(ids({ order: "title" }), "aBc");
  assert.equal(ids({ order: "short" }), "cBa");
  assert.equal(ids({ order: "played" }), "Bac");
  assert.equal(ids({ kind: "going" }), "a");
  assert.equal(ids({ kind: "new" }), "c");
  assert.equal(ids({ kind: "heard" }), "B");
  assert.equal(ids({ fits: ({ id }) => id !== "c" }), "aB");
});

test("what one was at comes first, the last first, and only what can be played", () => {
  const every = [episode("a"), episode("b"), episode("text", 3600, { audio: false }), episode("done")];
  const heard = { a: at(50, 1), b: at(60, 2), text: at(70, 3), done: at(3599, 4) };
  assert.deepEqual(goingOn(every, ({ id }) => heard[id]).map(({ id }) => id), ["b", "a"]);
});

test("the next episode is the next of its show by date", () => {
  const every = [episode("3", 1, { published: "2026-03-01" }), episode("1", 1, { published: "2026-01-01" }), episode("2", 1, { published: "2026-02-01" }), episode("x", 1, { show: "T" })];
  assert.equal(neighbour(every, every[2], 1).id, "3");
  assert.equal(neighbour(every, every[2], -1).id, "1");
  assert.equal(neighbour(every, every[0], 1), undefined);
});
