// SPDX-License-Identifier: GPL-3.0-or-later
// In the thread of the sound: hand on what the microphone gives, a tenth of a second at a time.
// @ts-nocheck  the thread of the sound has globals of its own

/* global AudioWorkletProcessor, registerProcessor, sampleRate */
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(sampleRate / 10));
    this.filled = 0;
  }

  process([[channel]]) {
    for (const value of channel ?? []) {
      this.block[this.filled] = value;
      this.filled += 1;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block.slice());
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
