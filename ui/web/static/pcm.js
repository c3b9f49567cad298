// SPDX-License-Identifier: GPL-3.0-or-later
// Sound in the form that the recogniser wants.

const RATE = 16_000; // hertz

/**
 * 16-bit samples at RATE out of samples in -1..1 at another rate. Each is the mean of those that fall into its time,
 * which keeps out most of what a lower rate cannot hold.
 * @param {Float32Array} samples
 * @param {number} rate hertz
 */
export const pcm16 = (samples, rate) => {
  const step = rate / RATE;
  const out = new Int16Array(Math.floor(samples.length / step));
  for (let i = 0; i < out.length; i += 1) {
    const from = Math.floor(i * step);
    const to = Math.max(from + 1, Math.min(samples.length, Math.floor((i + 1) * step)));
    let sum = 0;
    for (let k = from; k < to; k += 1) sum += samples[k];
    out[i] = Math.round(32767 * Math.max(-1, Math.min(1, sum / (to - from))));
  }
  return out;
};

// How loud samples are, 0..1, for an eye.
export const level = (samples) => Math.min(1, 6 * Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / (samples.length || 1)));

// Several pieces as one.
export const joined = (pieces) => {
  const all = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) { all.set(piece, at); at += piece.length; }
  return all;
};
