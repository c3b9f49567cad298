// SPDX-License-Identifier: GPL-3.0-or-later
// @ts-nocheck  a service worker has globals of its own
// The service worker: what the page is made of, and what it last knew of the library, are there without the server;
// and so is the sound of those episodes that the listener chose to have offline.

const SHELL = "earmark-shell-1";
const SOUND = "earmark-sound"; // filled by the page, when a listener asks for it
const KEPT = /^\/(?:$|page\/|assets\/|manifest\.json$|icon-|artwork\/|theme\.css$|api\/episodes(?:\/[^/]+(?:\/transcript)?)?$|api\/shows$|api\/listening$)/;

/* global self, caches */
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("earmark-shell") && name !== SHELL) await caches.delete(name);
  await self.clients.claim();
})()));

// The part of a sound that is asked for: players ask for bytes from here to there.
const part = async (request, whole) => {
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  if (!asked) return whole;
  const blob = await whole.blob();
  const [from, to] = [Number(asked[1]), Math.min(Number(asked[2] || blob.size - 1), blob.size - 1)];
  if (from > to) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${blob.size}` } });
  return new Response(blob.slice(from, to + 1), {
    status: 206,
    headers: { "Content-Type": "audio/mp4", "Accept-Ranges": "bytes", "Content-Range": `bytes ${from}-${to}/${blob.size}`, "Content-Length": String(to + 1 - from) },
  });
};

// From the server, and when that is away as it was the last time.
const fresh = async (request, key) => {
  const shell = await caches.open(SHELL);
  try {
    const reply = await fetch(request);
    if (reply.ok) shell.put(key, reply.clone());
    return reply;
  } catch (error) {
    const known = await shell.match(key);
    if (known) return known;
    throw error;
  }
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/audio/")) {
    event.respondWith((async () => {
      const whole = await (await caches.open(SOUND)).match(url.pathname);
      return whole ? part(request, whole) : fetch(request);
    })());
  } else if (KEPT.test(url.pathname) && !url.searchParams.has("query")) {
    event.respondWith(fresh(request, url.pathname === "/" ? "/" : request.url));
  }
});
