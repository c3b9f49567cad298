// SPDX-License-Identifier: GPL-3.0-or-later
// Adding to the library: dropped files, addresses of recordings and feeds, and a better model.

import { $, announce, fetchJson, make, ownButton, randomKey, request, say, why } from "./dom.js";
import { address as whole, sorted } from "./files.js";
import { lookNow } from "./main.js";
import { t, tn } from "./texts.js";

const note = (text) => {
  say("add-note", text);
  if (text) announce(text);
};

const added = (episodes, left = "") => {
  const fresh = episodes.filter((episode) => !episode.ready);
  const title = episodes.length === 1 ? episodes[0].title : "";
  let said;
  if (!fresh.length) said = title ? t("“{title}” is in your library already.", { title }) : t("All {n} are in your library already.", { n: episodes.length });
  else said = title ? t("“{title}” is being taken in.", { title }) : tn("{n} episode is being taken in.", "{n} episodes are being taken in.", fresh.length);
  note([said, left].filter(Boolean).join(" "));
  lookNow();
};

const attempt = async (doing, act) => {
  note(doing);
  $("add").classList.add("busy");
  try {
    await act();
  } catch (error) {
    note(error.message);
  } finally {
    $("add").classList.remove("busy");
  }
};

// Ask the server to take something in: the episodes that wait, and what of it was left out.
const take = async (body) => {
  const reply = await request("api/add", body);
  return [await reply.json(), decodeURIComponent(reply.headers.get("X-Left-Out") ?? "")];
};

const names = (list) => list.slice(0, 3).map(({ name }) => name).join(", ") + (list.length > 3 ? " …" : "");

const files = (list) => attempt(t("Copying…"), async () => {
  const { usable, other } = sorted([...list]);
  const left = other.length ? t("Left out, since it is neither sound nor a transcript nor a feed: {names}.", { names: names(other) }) : "";
  if (!usable.length) throw new Error(left || t("Nothing was dropped."));
  const batch = randomKey();
  for (const [i, file] of usable.entries()) {
    note(t("Copying {name} ({n} of {all})…", { name: file.name, n: i + 1, all: usable.length }));
    const reply = await fetch(`api/upload/${batch}/${encodeURIComponent(file.name)}`, { method: "PUT", body: file })
      .catch(() => { throw new Error(t("{name} broke off on the way: is Earmark still running? Drop it again.", { name: file.name })); });
    if (!reply.ok) throw new Error(`${file.name}: ${await why(reply)}`);
  }
  const [episodes, problems] = await take({ batch });
  added(episodes, [left, problems].filter(Boolean).join(" "));
});

const drawFeeds = (feeds) => {
  $("feeds").replaceChildren(...feeds.map((feed) => {
    const name = feed.title || feed.address;
    const button = ownButton(t("Unfollow"), () => attempt("", async () => {
      drawFeeds(await fetchJson("api/feeds/forget", { id: feed.id }));
      note(t("“{name}” is followed no longer; its episodes stay.", { name }));
      $("add").querySelector("summary").focus();
    }), { "aria-label": `${t("Unfollow")}: ${name}` });
    return make("li", { title: feed.address }, make("span", {}, name), button);
  }));
  $("feeds-part").hidden = !feeds.length;
};
const readFeeds = async () => drawFeeds(await fetchJson("api/feeds").catch(() => []));

// -- a better model ----------------------------------------------------------------------------------------

const watchModel = async () => {
  const { fetching } = await fetchJson("api/models").catch(() => ({ fetching: null }));
  if (!fetching?.name) return;
  const under = !fetching.problem && !fetching.done;
  const text = fetching.problem || (under ? t("Fetching {name}: {n} %", { name: fetching.name, n: Math.round(100 * fetching.progress) })
    : `${t("{name} is here.", { name: fetching.name })} ${fetching.next || t("It is in use now.")}`);
  say("model-note", text);
  $("model-progress").hidden = !under;
  $("model-progress").value = fetching.progress;
  if (under) setTimeout(watchModel, 500);
  else {
    announce(text);
    lookNow();
  }
};

// The button behind an engine that can be better; null when there is nothing to fetch.
export const betterButton = (engine) => {
  const name = /models get ([\w.-]+)/.exec(engine.better)?.[1];
  const size = /\d+ MB/.exec(engine.better)?.[0];
  if (!name) return null;
  const gain = /\bfor (.+?) \(/.exec(engine.better)?.[1];
  const button = ownButton(`${t("Get {name}", { name })}${size ? ` (${size})` : ""}`, async () => {
    try {
      await fetchJson("api/models", { name });
      watchModel();
    } catch (error) {
      say("model-note", error.message);
      announce(error.message);
    }
  }, { title: engine.better });
  return gain ? make("span", { class: "better" }, button, ` ${gain}`) : button;
};

export const adding = {
  // Put the card away; false when it was not there.
  close() {
    const { open } = $("add");
    if (open && $("add").contains(document.activeElement)) $("add").querySelector("summary").focus();
    $("add").open = false;
    return open;
  },

  start() {
    document.addEventListener("pointerdown", (event) => { if (!$("add").contains(/** @type {Node} */ (event.target))) $("add").open = false; });
    $("add-form").onsubmit = (event) => {
      event.preventDefault();
      const typed = $("add-address").value.trim();
      if (!typed) { $("add-address").focus(); return; }
      const address = whole(typed);
      if (!address) { note(t("“{text}” is no address. Paste one such as https://example.org/feed.xml.", { text: typed.slice(0, 60) })); return; }
      attempt(t("Looking what is there…"), async () => {
        added(...await take({ address, latest: Number($("add-latest").value) }));
        $("add-address").value = "";
        readFeeds();
      });
    };
    $("add-files").onchange = () => {
      files([...$("add-files").files]);
      $("add-files").value = ""; // the same file may be chosen again
    };
    $("feeds-sync").onclick = () => attempt(t("Looking for new episodes…"), async () => {
      const found = await fetchJson("api/feeds/sync", {});
      const fresh = found.reduce((sum, feed) => sum + feed.new, 0);
      const problems = found.filter((feed) => feed.problem).map((feed) => `${feed.title}: ${feed.problem}`);
      note([t("{n} new.", { n: fresh }), ...problems].join(" "));
      lookNow();
    });
    $("add").ontoggle = () => { if ($("add").open) readFeeds(); };
    document.addEventListener("dragover", (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      document.body.classList.add("dropping");
    });
    document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
    document.addEventListener("drop", (event) => {
      document.body.classList.remove("dropping");
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      $("add").open = true;
      files([...event.dataTransfer.files]);
    });
  },
};
