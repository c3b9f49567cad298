// SPDX-License-Identifier: GPL-3.0-or-later
// Saved moments: kept with a click beside an answer or in the player, listed, and taken away as files and as a feed.

import { $, clock, fetchJson, make, ownButton, timeButton } from "./dom.js";
import { saveText, share } from "./export.js";
import { shelf } from "./episode_list.js";
import { player } from "./player.js";
import { headers } from "./progress.js";
import { t } from "./texts.js";
import { copy, toast } from "./toast.js";
import { view } from "./views.js";

const LENGTH = 30; // seconds of a moment that is saved from the player: what was just heard

let saved = [];
let feed = "";

const call = async (path, method = "GET", body) => {
  const reply = await fetch(`api/moments${path}`, { method, headers, body: body && JSON.stringify(body) });
  if (!reply.ok) throw new Error(t("That was not saved ({why}). Try again.", { why: reply.statusText }));
  return reply.headers.get("content-type")?.includes("json") ? reply.json() : reply.text();
};

const tried = async (act) => {
  try { return await act(); } catch (error) { toast(error.message); return null; }
};

// What was just heard: from a while ago until now, within the topic that sounds.
export const justHeard = (position, topic, length = LENGTH) => {
  const start = Math.max(0, topic?.start ?? 0, position - length);
  return { start, end: Math.max(position, start + 1) };
};

const row = (moment) => {
  const episode = shelf.known(moment.episode);
  const note = make("input", { type: "text", class: "kept-note", value: moment.note, placeholder: t("A note on it"), "aria-label": t("Note on the moment at {time}", { time: clock(moment.start) }) });
  note.onchange = () => tried(() => call(`/${moment.id}`, "PUT", { note: note.value }));
  const forget = ownButton(t("Remove"), async () => {
    await tried(() => call(`/${moment.id}`, "DELETE"));
    kept.show();
  });
  const clip = ownButton(t("Clip"), () => share.clip(moment));
  return make("li", { class: "moment kept-row" },
    episode ? timeButton(moment.start, moment.episode, moment.speaker) : make("span", { class: "clock" }, clock(moment.start)),
    make("div", { class: "moment-text" },
      make("p", { class: "moment-speaker" }, [moment.speaker, episode?.title ?? t("no longer in the library")].filter(Boolean).join(" · ")),
      moment.question ? make("p", { class: "kept-question" }, moment.question) : null,
      moment.quote ? make("blockquote", {}, moment.quote) : null,
      note, make("p", { class: "moment-tools" }, episode?.audio ? clip : null, forget)));
};

const draw = () => {
  $("kept-none").hidden = saved.length > 0;
  $("kept-list").replaceChildren(...saved.map(row));
  const file = (name, form, kind) => ownButton(name, () => tried(async () => saveText(`earmark.${form === "markdown" ? "md" : "xml"}`, await call(`/export/${form}`), kind)));
  const subscribe = ownButton(t("Copy the address of the feed"), () => {
    copy(new URL(feed, document.baseURI).href, t("The address is in your clipboard. A podcast app that reaches this machine can subscribe to it."));
  }, { title: t("For a podcast app: whoever has this address can hear the clips") });
  $("kept-tools").replaceChildren(...(saved.length ? [file("Markdown", "markdown", "text/markdown"), file(t("Soundbites"), "soundbites", "application/rss+xml"), subscribe] : []));
};

export const kept = {
  has: (moment) => saved.some((one) => one.episode === moment.episode && Math.floor(one.start) === Math.floor(moment.start)),

  // Save a moment of an answer, with the question it answers.
  save: (moment, question = "") => tried(async () => {
    const { episode, start, end, quote = "", speaker = "" } = moment;
    const one = await call("", "POST", { episode, start, end, quote, speaker, question });
    saved = [one, ...saved.filter(({ id }) => id !== one.id)];
    toast(t("Saved. “Saved” at the top lists your moments."));
    if (view().name === "kept") draw();
    return one;
  }),

  // Save what was just heard.
  async saveNow() {
    const { episode } = player;
    if (!episode?.audio) return null;
    const at = justHeard(player.position, episode.segments?.[player.topicAt(player.position)]);
    const moment = { episode: episode.id, ...at, quote: "", speaker: "" };
    const cues = await fetchJson(`api/episodes/${encodeURIComponent(episode.id)}/transcript`).catch(() => []);
    const said = cues.filter((cue) => cue.end > at.start && cue.start < at.end).slice(-4);
    if (said.length) {
      moment.start = said[0].start;
      moment.end = said.at(-1).end;
      moment.quote = said.map((cue) => cue.text).join(" ").slice(0, 2000);
      const speakers = new Set(said.map((cue) => cue.speaker).filter(Boolean));
      moment.speaker = speakers.size === 1 ? [...speakers][0] : "";
    }
    return this.save(moment);
  },

  async show() {
    const all = await tried(() => call(""));
    if (all) {
      await shelf.need(all.moments.map(({ episode }) => episode));
      [saved, feed] = [all.moments, all.feed];
    }
    draw();
  },

  start() {
    $("keep-moment").onclick = () => this.saveNow();
  },
};

