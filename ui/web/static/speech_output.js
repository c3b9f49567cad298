// SPDX-License-Identifier: GPL-3.0-or-later
// The voice: sentences in, sound out, played piece by piece as it arrives.

const LEAD = 0.05; // seconds between the first piece and its sound; the server makes each piece in time for the next

let context = null;
let reading = 0; // number of the current reading; what belongs to an older one is dropped
let cancel = null;
let sources = new Set();

// The samples of PCM16 bytes; `rest` keeps half a sample until its other half comes.
/**
 * @param {Uint8Array} bytes
 * @param {Uint8Array} rest what was left over of the piece before
 * @returns {[Float32Array<ArrayBuffer>, Uint8Array]}
 */
const samples = (bytes, rest) => {
  const joined = new Uint8Array(rest.length + bytes.length);
  joined.set(rest);
  joined.set(bytes, rest.length);
  const even = joined.length - (joined.length % 2);
  const view = new DataView(joined.buffer, 0, even);
  const floats = Float32Array.from({ length: even / 2 }, (_, i) => view.getInt16(2 * i, true) / 32768);
  return [floats, joined.slice(even)];
};

// A text as the server speaks it: samples and their rate, piece by piece.
async function* spoken(text, signal) {
  const response = await fetch("api/speak", {
    method: "POST", signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify({ text }),
  });
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error ?? response.statusText);
  const rate = Number(response.headers.get("X-Sample-Rate"));
  const stream = response.body.getReader();
  /** @type {Uint8Array} */
  let rest = new Uint8Array(0);
  for (let piece = await stream.read(); !piece.done; piece = await stream.read()) {
    /** @type {Float32Array<ArrayBuffer>} */
    let floats;
    [floats, rest] = samples(piece.value, rest);
    yield [floats, rate];
  }
}

// The first text as its sound comes with the answer, and by itself only where none came.
async function* given(text, sounds, signal) {
  let any = false;
  for await (const { samples: coded, rate } of sounds) {
    any = true;
    yield [samples(Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0)), new Uint8Array(0))[0], rate];
  }
  if (!any) yield* spoken(text, signal);
}

// What is still coming, in order: push each thing as it comes, and say when it was the last.
const arrivals = () => {
  const things = [];
  let over = false;
  /** @type {(value?: unknown) => void} */
  let wake = () => {};
  return {
    push(thing) { things.push(thing); wake(); },
    end() { over = true; wake(); },
    async* [Symbol.asyncIterator]() {
      for (let i = 0; ; i += 1) {
        while (i >= things.length && !over) await new Promise((go) => { wake = go; });
        if (i >= things.length) return;
        yield things[i];
      }
    },
  };
};

const schedule = (floats, rate, at) => {
  const buffer = context.createBuffer(1, floats.length, rate);
  buffer.copyToChannel(floats, 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  const start = Math.max(at, context.currentTime + 0.02);
  source.start(start);
  sources.add(source);
  source.onended = () => sources.delete(source);
  return [start, start + buffer.duration];
};

const until = (time, mine) => new Promise((done) => {
  const look = () => {
    if (mine !== reading || context.currentTime >= time) done();
    else setTimeout(look, Math.min(100, 1000 * (time - context.currentTime)));
  };
  look();
});

export const voice = {
  // Browsers let a page sound only after a click or a key: call this from one.
  unlock() {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume();
  },

  // Texts that are still being made, or the sound of one of them, for `read`.
  feed: arrivals,

  // Read what a feed gives aloud, one text after the other; resolves true at the end, false when it was stopped.
  // `sounds` are the sound of the first text, {samples, rate} each, as far as it comes by itself.
  // `onSentence(i)` is called when text i begins to sound. Throws an Error when the voice fails.
  async read(feed, onSentence, sounds = null) {
    this.stop();
    this.unlock();
    const mine = ++reading;
    // a browser that has seen no click keeps the page silent: then there is nothing to wait for
    if (context.state !== "running") await Promise.race([context.resume(), new Promise((go) => setTimeout(go, 500))]);
    if (context.state !== "running") return mine === reading;
    cancel = new AbortController();
    const { signal } = cancel;
    const stopped = new Promise((go) => { signal.addEventListener("abort", () => go({ done: true })); });
    const texts = feed[Symbol.asyncIterator]();
    let end = context.currentTime + LEAD;
    try {
      for (let i = 0; ; i += 1) {
        const { value: text, done } = await Promise.race([texts.next(), stopped]);
        if (mine !== reading) return false;
        if (done) break;
        end = Math.max(end, context.currentTime + LEAD);
        const pieces = i === 0 && sounds ? given(text, sounds, signal) : spoken(text, signal);
        let begun = false;
        for (;;) {
          const piece = await Promise.race([pieces.next(), stopped]);
          if (mine !== reading) return false;
          if (piece.done) break;
          const [floats, rate] = piece.value;
          if (!floats.length) continue;
          let start;
          [start, end] = schedule(floats, rate, end);
          if (!begun) until(start, mine).then(() => { if (mine === reading) onSentence(i); });
          begun = true;
        }
      }
    } catch (error) {
      if (mine !== reading) return false;
      reading += 1;
      throw error;
    }
    await until(end, mine);
    return mine === reading;
  },

  // Stand still, so that somebody can be heard, or go on.
  hold(still) {
    if (still && context?.state === "running") context.suspend();
    else if (!still) this.unlock();
  },

  // Fall silent at once.
  stop() {
    reading += 1;
    cancel?.abort();
    for (const source of sources) source.stop();
    sources = new Set();
  },
};
