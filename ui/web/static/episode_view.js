// SPDX-License-Identifier: GPL-3.0-or-later
// The episode one looks at, which need not be the one that plays; and the head of every other view.

import { suggest } from "./ask.js";
import { $, clock, fetchJson, lengthInWords, make, say, timeButton } from "./dom.js";
import { kind, paint, shelf, statusText } from "./episode_list.js";
import { share } from "./export.js";
import { goingOn, resumeAt } from "./heard.js";
import { showTab } from "./main.js";
import { notes } from "./notes.js";
import { drawOffline } from "./offline.js";
import { player } from "./player.js";
import { progress } from "./progress.js";
import { t, tn } from "./texts.js";
import { warmths } from "./timeline.js";
import { toast } from "./toast.js";
import { transcript } from "./transcript.js";
import { go, view } from "./views.js";

let shown = null; // the episode on the page; null in other views
const gone = new Set(); // what is being removed: nothing more is asked about it
let asked = 0; // number of the latest request for an episode; an older one that comes late is dropped

export const chosen = () => shown;

const date = (published) => (published ? new Date(published).toLocaleDateString(undefined, { dateStyle: "long" }) : "");

const topicsOf = (episode) => (episode.segments.length ? episode.segments : episode.chapters);

// A summary is made of what people said: it stands as that, each part with who said it. Where a language model wrote
// it (there are no parts) it is a text like any other.
const attributed = (text, parts) => {
  if (!text || !parts?.length) return text ? [text] : [];
  return parts.flatMap(([speaker, words]) => [
    speaker ? make("span", { class: "who" }, `${speaker}:`) : null, speaker ? " " : "", `“${words}” `,
  ]).filter(Boolean);
};

const quoteIn = (id, text, parts) => {
  $(id).replaceChildren(...attributed(text, parts));
  $(id).hidden = !text;
};

const drawTopics = (episode) => {
  const marks = topicsOf(episode);
  $("topics-none").hidden = marks.length > 0;
  $("topics").classList.toggle("hours", (marks.at(-1)?.start ?? 0) >= 3600);
  $("topics").replaceChildren(...marks.map((topic, i) => {
    const end = topic.end ?? marks[i + 1]?.start ?? episode.seconds;
    return make("li", { class: "topic" },
      timeButton(topic.start, episode.id, "", make("span", { class: "topic-title" }, topic.title || t("Untitled")),
        make("span", { class: "topic-length", "aria-hidden": "true" }, end > topic.start ? lengthInWords(end - topic.start) : "")),
      make("span", { class: "topic-heat", "aria-hidden": "true" }),
      topic.summary ? make("p", { class: "topic-summary" }, ...attributed(topic.summary, topic.said)) : null);
  }));
};

// Show in the rows of topics where an answer lies; none where there are no parts.
export const warmTopics = (parts) => {
  if (!shown) return;
  const warm = warmths(topicsOf(shown), parts, shown.seconds);
  [...$("topics").children].forEach((row, i) => {
    /** @type {HTMLElement} */ (row).style.setProperty("--warm", (warm[i] ?? 0).toFixed(2));
    row.classList.toggle("warm", (warm[i] ?? 0) > 0.3);
  });
};

// What the button says that plays this episode: nothing when it plays already, or has no sound.
const drawPlayThis = () => {
  const button = $("play-this");
  button.hidden = !shown?.audio || !shown.ready;
  if (button.hidden) return;
  const here = player.episode?.id === shown.id;
  const listened = here ? { position: player.position, heard: 0, at: 1 } : progress.of(shown.id);
  const at = resumeAt(shown, listened);
  const text = here && player.playing ? t("Pause") : at > 0 ? t("Go on at {time}", { time: clock(at) }) : t("Play");
  if ($("play-this-text").textContent !== text) $("play-this-text").textContent = text;
  button.classList.toggle("playing", here && player.playing);
};

const drawEpisode = (episode) => {
  document.title = `${episode.title} – Earmark`;
  $("artwork").hidden = false;
  paint($("artwork"), episode);
  $("lead-title").classList.toggle("long", episode.title.length > 60);
  $("episode-show").replaceChildren(episode.show
    ? make("a", { href: `?show=${encodeURIComponent(episode.show)}`, "data-show": episode.show }, episode.show) : "");
  $("episode-show").hidden = !episode.show;
  say("lead-title", episode.title);
  const guests = episode.guests.length ? t("with {names}", { names: episode.guests.join(", ") }) : "";
  say("lead-text", [guests, episode.seconds ? lengthInWords(episode.seconds) : "", date(episode.published)].filter(Boolean).join(" · "));
  quoteIn("episode-teaser", episode.teaser, episode.said?.teaser);
  quoteIn("summary", episode.summary === episode.teaser ? "" : episode.summary, episode.said?.summary);
  $("show-notes-part").hidden = !episode.notes;
  say("show-notes", episode.notes ?? "");
  $("about-title").hidden = !(episode.teaser || episode.summary || episode.notes);
  let state = episode.ready ? "" : t("This episode is not ready yet: {status}.", { status: statusText(episode) });
  if (kind(episode) === "failed") state = t("This episode could not be taken in ({status}). “Try again” on its card goes on from there.", { status: episode.status });
  if (episode.ready && !episode.audio) state = t("This episode is a transcript without sound: times show where the words stand.");
  say("episode-state", state);
  $("going-on").hidden = true;
  $("note-time").hidden = !episode.audio;
  drawTopics(episode);
  drawPlayThis();
  share.open(episode);
  notes.open(episode.id);
  drawOffline(episode);
  suggest(episode.ready ? episode.questions : []);
};

const LOOKED = 12; // episodes that were listened to last, among which are those one was at

// The episodes that one was at, the last first.
export const wasAt = async (most) => {
  const ids = progress.begun().slice(0, LOOKED);
  await shelf.need(ids);
  return goingOn(ids.map(shelf.known).filter(Boolean), (episode) => progress.of(episode.id), most);
};

let drawn = ""; // what stands among that which one was at: it is drawn anew only when it is other

// What one was at, to go on with one click.
const drawGoingOn = async () => {
  const list = await wasAt(3);
  $("going-on").hidden = view().name !== "home" || !list.length;
  const stands = JSON.stringify(list.map((episode) => [episode.id, Math.round(progress.of(episode.id).position / 5)]));
  if (stands === drawn) return list.length > 0;
  drawn = stands;
  $("going-on").replaceChildren(...list.map((episode) => {
    const { position } = progress.of(episode.id);
    const left = t("{length} left", { length: lengthInWords(episode.seconds - position) });
    const bar = make("span", { class: "done", "aria-hidden": "true" });
    bar.style.setProperty("--done", `${(100 * position) / episode.seconds}%`);
    return make("li", { class: "going" },
      make("button", { type: "button", class: "round primary", "data-play": episode.id, "aria-label": t("Go on with {title}", { title: episode.title }) }, triangle()),
      make("button", { type: "button", class: "going-open", "data-choose": episode.id },
        make("span", { class: "card-title" }, episode.title), make("span", { class: "card-facts" }, [episode.show, left].filter(Boolean).join(" · ")), bar));
  }));
  return list.length > 0;
};

const triangle = () => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M8 5v14l11-7z");
  path.setAttribute("class", "solid");
  svg.append(path);
  return svg;
};

// The head of the views that are not an episode's.
export const drawLead = async () => {
  const { name, show } = view();
  if (name === "episode") return;
  for (const id of ["artwork", "episode-show", "play-this", "episode-state"]) $(id).hidden = true;
  const title = $("lead-title");
  title.classList.remove("long");
  if (name === "show") {
    const one = shelf.ofShow(show);
    say("lead-title", show);
    say("lead-text", tn("{n} episode", "{n} episodes", shelf.size(show)));
    $("going-on").hidden = true;
    if (one) { paint($("artwork"), one); $("artwork").hidden = false; }
  } else {
    const going = await drawGoingOn();
    if (view().name !== name) return;
    say("lead-title", going ? t("Go on listening") : t("Ask your podcasts. Hear the answer. Land on the moment."));
    say("lead-text", going ? "" : t("Answers come in the speakers’ own words, with the second at which they were said. All of it on your own machine."));
  }
  $("lead").hidden = false;
};

// The questions that one may try where no episode is on the page: those of the newest episodes.
let tried = "";
export const drawTries = async () => {
  const { name, show } = view();
  if (name !== "home" && name !== "show") return;
  const newest = await fetchJson(`api/episodes?limit=6${name === "show" ? `&show=${encodeURIComponent(show)}` : ""}`).catch(() => []);
  if (view().name !== name || view().show !== show) return;
  const usable = newest.filter((episode) => episode.ready).slice(0, 3);
  const key = JSON.stringify([name, show, usable.map((episode) => episode.id)]);
  if (key === tried) return;
  tried = key;
  const all = await Promise.all(usable.map((one) => fetchJson(`api/episodes/${encodeURIComponent(one.id)}`).catch(() => null)));
  if (key !== tried || view().name !== name) return;
  const lists = all.filter(Boolean).map((episode) => episode.questions);
  const mixed = [0, 1, 2].flatMap((i) => lists.map((questions) => questions[i]).filter(Boolean));
  suggest([...new Set(mixed)].slice(0, 3));
};

// No episode is on the page any longer.
export const leaveEpisode = () => {
  asked += 1;
  if (shown) { notes.leave(); transcript.clear(); }
  shown = null;
  tried = "";
};

// Read the transcript from a second on: there is no sound to hear.
const readAt = async (at) => {
  showTab($("tab-transcript"));
  await transcript.show();
  transcript.goTo(at);
};

// Show an episode: by id, at a time in seconds or null, playing or not. The player takes it when it is free.
export const choose = async (id, at = null, play = false) => {
  if (gone.has(id)) return;
  const mine = ++asked;
  let episode, kept;
  try {
    [episode, kept] = await Promise.all([fetchJson(`api/episodes/${encodeURIComponent(id)}`), progress.load(id)]);
  } catch (error) {
    toast(error.message);
    if (!shown) go({ name: "home" }, { replace: true });
    return;
  }
  if (mine !== asked || view().episode !== id) return;
  const other = shown?.id !== episode.id;
  if (other && shown) notes.leave();
  shown = episode;
  if (other && kind(episode) === "busy") { // somebody waits for it
    fetchJson(`api/episodes/${encodeURIComponent(id)}/work`, { do: "first" }).catch(() => {});
  }
  drawEpisode(episode);
  if (other) {
    transcript.clear();
    if ($("tab-keep").getAttribute("aria-selected") === "true") showTab($("tab-topics"));
  }
  const loaded = player.episode?.id === episode.id;
  if (loaded) { // what is known of it may be new
    player.load(episode, kept, at, play);
  } else if (episode.audio && episode.ready && (play || (!player.used && !player.playing))) {
    player.load(episode, kept, at ?? resumeAt(episode, { position: kept.position, heard: 0, at: 1 }, kept.begins), play);
  }
  drawPlayThis();
  if (!episode.audio && (play || at !== null)) readAt(at ?? 0);
  else if (!$("transcript-panel").hidden) transcript.show();
};

// The library may be another than it was: see to what is on the page.
export const takeLibrary = async () => {
  const { name, episode: id } = view();
  if (name !== "episode") { drawLead(); drawTries(); return; }
  const now = gone.has(id) ? undefined : await shelf.fresh(id).catch(() => null);
  if (view().episode !== id || now === null) return; // the server is away
  if (!now) { // somebody removed it, or the link is an old one
    if (!shown) toast(t("The episode of that link is not in this library."));
    go({ name: "home" }, { replace: true });
  } else if (shown && (now.status !== shown.status || now.audio !== shown.audio)) choose(now.id);
};

export const removeEpisode = async (id) => {
  gone.add(id);
  if (player.episode?.id === id) player.unload();
  try {
    await fetchJson(`api/episodes/${encodeURIComponent(id)}`, null, "DELETE");
    shelf.forget(id);
  } catch (error) {
    gone.delete(id);
    throw error;
  }
};

// Keep the topic and the line that sound now marked.
export const followPlayback = (at) => {
  const here = shown !== null && shown.id === player.episode?.id;
  const topic = here ? topicsOf(shown).findLastIndex((one) => one.start <= at + 0.05) : -1;
  [...$("topics").children].forEach((item, i) => item.classList.toggle("current", i === topic));
  if (here) transcript.follow(at);
  drawPlayThis();
};

export const startEpisode = () => {
  $("play-this").onclick = () => {
    if (player.episode?.id === shown?.id) player.toggle();
    else player.playAt(shown.id);
  };
};

