// SPDX-License-Identifier: GPL-3.0-or-later
import assert from "node:assert/strict";
import { test } from "node:test";

import { fraction, goingOn, resumeAt, stage } from "../../ui/web/static/heard.js";

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
  assert.equal(resumeAt(one, at(990), 12), 12, "which is behind the introduction of its show");
  assert.equal(resumeAt(one, undefined, 12), 12);
  assert.equal(resumeAt(one, at(5), 12), 5);
});

test("what one was at comes first, the last first, and only what can be played", () => {
  const every = [episode("a"), episode("b"), episode("text", 3600, { audio: false }), episode("done")];
  const heard = { a: at(50, 1), b: at(60, 2), text: at(70, 3), done: at(3599, 4) };
  assert.deepEqual(goingOn(every, ({ id }) => heard[id]).map(({ id }) => id), ["b", "a"]);
});
