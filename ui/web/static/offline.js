// SPDX-License-Identifier: GPL-3.0-or-later
// Without the server: the service worker keeps the page, and the sound of episodes that the listener chose.

import { $ } from "./dom.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";

const SOUND = "earmark-sound"; // as in sw.js

const usable = () => "serviceWorker" in navigator && "caches" in globalThis;
const path = (id) => `/audio/${encodeURIComponent(id)}`;

export const registerOffline = () => {
  if (usable()) navigator.serviceWorker.register("sw.js").catch(() => {}); // then the page works with the server only
};

// The button that keeps an episode in this browser, or lets it go.
export const drawOffline = async (episode) => {
  $("offline-part").hidden = !usable() || !episode.audio || !episode.ready;
  if ($("offline-part").hidden) return;
  const sounds = await caches.open(SOUND);
  const button = $("offline");
  let kept = Boolean(await sounds.match(path(episode.id)));
  const draw = () => {
    button.textContent = kept ? t("Kept for offline; let it go") : t("Keep it for offline");
    button.setAttribute("aria-pressed", String(kept));
  };
  draw();
  button.onclick = async () => {
    try {
      if (kept) await sounds.delete(path(episode.id));
      else {
        button.textContent = t("Fetching…");
        await sounds.add(path(episode.id));
        await Promise.all(["", "/transcript"].map((end) => fetch(`api/episodes/${encodeURIComponent(episode.id)}${end}`)));
      }
      kept = !kept;
      toast(kept ? t("It plays without the server now, in this browser.") : t("It is gone from this browser."));
    } catch (error) {
      toast(t("It could not be kept: {why}", { why: error.message }));
    }
    draw();
  };
};
