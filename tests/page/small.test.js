// SPDX-License-Identifier: GPL-3.0-or-later
// The small pure pieces: the queue, files and addresses, notes that two tabs wrote, toasts, waiting for the server.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.addEventListener = () => {};
globalThis.location = new URL("http://127.0.0.1/");
globalThis.document = { addEventListener() {}, getElementById: () => null };
globalThis.history = { replaceState() {} };
globalThis.BroadcastChannel = class { postMessage() {} };
globalThis.CSS = {};

const queue = await import("../../ui/web/static/queue.js");
const { address, sorted } = await import("../../ui/web/static/files.js");
const { joined } = await import("../../ui/web/static/notes.js");
const { place } = await import("../../ui/web/static/toast.js");
const { wait } = await import("../../ui/web/static/away.js");
const { justHeard } = await import("../../ui/web/static/kept.js");
const { further, lead } = await import("../../ui/web/static/answer.js");
const { warmths } = await import("../../ui/web/static/timeline.js");

test("what is up next keeps its order, and each once", () => {
  assert.deepEqual(queue.first(["a", "b"], "b"), ["b", "a"]);
  assert.deepEqual(queue.moved(["a", "b", "c"], "c", -1), ["a", "c", "b"]);
  assert.deepEqual(queue.moved(["a", "b"], "a", -1), ["a", "b"]);
  assert.deepEqual(queue.next(["gone", "a", "b"], (id) => id !== "gone"), ["a", ["b"]]);
  assert.deepEqual(queue.next([], () => true), [null, []]);
});

test("files that are nothing to hear or read are told apart, by name or by type", () => {
  const files = [
    { name: "talk.MP3", size: 5 }, { name: "feeds.opml", size: 5 }, { name: "feed.xml", size: 5 }, { name: "sound", type: "audio/x-y", size: 5 },
    { name: "holiday.jpg", type: "image/jpeg", size: 5 }, { name: "empty.mp3", size: 0 },
  ];
  const { usable, other } = sorted(files);
  assert.deepEqual(usable.map(({ name }) => name), ["talk.MP3", "feeds.opml", "feed.xml", "sound"]);
  assert.deepEqual(other.map(({ name }) => name), ["holiday.jpg", "empty.mp3"]);
});

test("bare addresses are whole ones, and a word is none", () => {
  for (const [typed, whole] of [
    ["example.org/feed.xml", "https://example.org/feed.xml"], ["http://example.org", "http://example.org"], ["feed://example.org/a", "https://example.org/a"],
    ["pcast:https://example.org/a", "https://example.org/a"], ["bees", null], ["two words.org", null], ["", null], ["/etc/passwd", null], ["file:///etc/passwd", null],
  ]) assert.equal(address(typed), whole, typed);
});

test("notes that were written in two places hold what both wrote", () => {
  assert.equal(joined("", "theirs", ""), "theirs");
  assert.equal(joined("a", "a", "a b"), "a b");
  assert.equal(joined("a", "a\nthem", "a\nme"), "a\nthem\nme");
  assert.equal(joined("x\ny", "x\ny\nthem", "X\ny"), "x\ny\nthem\nX");
});

test("a word on what was clicked stands under it, or over it at the bottom, and never off the page", () => {
  const page = { width: 390, height: 800 };
  const size = { width: 200, height: 40 };
  assert.deepEqual(place({ left: 100, width: 50, top: 100, bottom: 130 }, size, page), { left: 25, top: 138 });
  assert.equal(place({ left: 100, width: 50, top: 770, bottom: 798 }, size, page).top, 722);
  assert.equal(place({ left: 380, width: 10, top: 0, bottom: 10 }, size, page).left, 182);
  assert.equal(place({ left: 0, width: 10, top: 0, bottom: 10 }, size, page).left, 8);
});

test("a server that is away is looked for ever more seldom", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 9].map(wait), [1000, 2000, 4000, 8000, 15000, 15000]);
});

test("a moment that is saved from the player is what was just heard, within its topic", () => {
  assert.deepEqual(justHeard(100, { start: 20 }), { start: 70, end: 100 });
  assert.deepEqual(justHeard(100, { start: 90 }), { start: 90, end: 100 });
  assert.deepEqual(justHeard(0, undefined), { start: 0, end: 1 });
});

test("beside an answer stands only what says more on it", () => {
  const moment = (start, quote, confidence, episode = "a") => ({ episode, start, end: start + 5, quote, confidence });
  const cited = moment(10, "the cited words of it", 0.9);
  const moments = [cited, moment(12, "overlaps the cited words here", 0.9), moment(50, "Yep, same idea.", 0.9), moment(60, "something that answers it as well", 0.6), moment(70, "something that hardly answers it", 0.35)];
  assert.deepEqual(further({ covered: true, sentences: [{ moments: [cited] }], moments }).map(({ start }) => start), [60]);
  assert.equal(further({ covered: false, sentences: [], moments }).length, 3, "what is nearest is shown where nothing answers");
});

test("what only lists is known by the list, and what is told is not", () => {
  const moments = [{ episode: "a", start: 65, quote: "Bees dance." }, { episode: "b", start: 5, quote: "So do ants." }];
  const called = ({ episode }) => ({ a: "On bees: a talk", b: "On ants" })[episode] ?? "";
  const of = (text, some = moments) => lead({ text, moments: some }, called);
  assert.equal(of("On bees: a talk, at 1:05; On ants, at 0:05; and 2 more."), "");
  assert.equal(of("2 of your 9 episodes mention dances, in 3 places: On bees: a talk and On ants."), "2 of your 9 episodes mention dances, in 3 places: ");
  assert.equal(of("2 parts: at 1:05, Dances; at 0:05."), "2 parts: ");
  assert.equal(of("Bees dance, and: so do ants."), null, "a sentence that rests on two moments");
  assert.equal(of("On bees: a talk says it at 1:05.", moments.slice(0, 1)), null);
});

test("a topic is as warm as its warmest part", () => {
  const topics = [{ start: 0, end: 10 }, { start: 10, end: 20 }, { start: 20 }];
  assert.deepEqual(warmths(topics, [[0, 5, 0.1], [5, 12, 0.7], [12, 30, 0.2]], 30), [0.7, 0.7, 0.2]);
});
