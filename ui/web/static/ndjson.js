// SPDX-License-Identifier: GPL-3.0-or-later
// Lines of JSON as they arrive: an answer is streamed as one object a line (NDJSON).

/**
 * What has arrived since the last time, as the objects of whole lines; at least one each time.
 * @param {ReadableStream<BufferSource>} stream
 * @returns {AsyncGenerator<any[]>}
 * @throws {SyntaxError} for a line that is not JSON
 */
export async function* arriving(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value = "" } = await reader.read();
    const lines = (rest + value).split("\n");
    rest = done ? "" : lines.pop();
    const whole = lines.filter((line) => line.trim()).map((line) => JSON.parse(line));
    if (whole.length) yield whole;
    if (done) return;
  }
}
