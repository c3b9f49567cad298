// SPDX-License-Identifier: GPL-3.0-or-later
// The library and the chosen episode: what the server's JSON door says, put on the page as text.

import { forgetAnswer, goOn, hint, suggest } from "./ask.js";
import { $, fetchJson, lengthInWords, make, say, timeButton } from "./dom.js";
import { kind, paint, shelf } from "./episode_list.js";
import { share } from "./export.js";
import { readAlong } from "./main.js";
import { player } from "./player.js";
import { progress } from "./progress.js";
import { transcript } from "./transcript.js";

let shown = null; // the episode on the page
const gone = new Set(); // what is being removed: nothing more is asked about it
let asked = 0; // number of the latest request for an episode; an older one that comes late is dropped

const drawTopics = (episode) => {
  const marks = episode.segments.length ? episode.segments : episode.chapters;
  $("topics").replaceChildren(...marks.map((topic) => make(
    "li", { class: "topic" },
    timeButton(topic.start, episode.id, "", make("span", { class: "topic-title" }, topic.title || "Untitled")),
    topic.summary ? make("p", { class: "topic-summary" }, topic.summary) : null,
  )));
};

const drawEpisode = (episode) => {
  document.title = `${episode.title} – Earmark`;
  paint($("artwork"), episode);
  $("episode-title").classList.toggle("long", episode.title.length > 60);
  say("episode-show", episode.show);
  say("episode-title", episode.title);
  const guests = episode.guests.length ? `with ${episode.guests.join(", ")}` : "";
  const date = episode.published ? new Date(episode.published).toLocaleDateString(undefined, { dateStyle: "long" }) : "";
  say("episode-facts", [guests, episode.seconds ? lengthInWords(episode.seconds) : "", date].filter(Boolean).join(" · "));
  say("episode-teaser", episode.teaser);
  say("summary", episode.summary);
  let state = episode.ready ? "" : `This episode is not ready yet: ${episode.status}.`;
  if (kind(episode) === "failed") state = `This episode could not be taken in (${episode.status}). “Try again” goes on from there.`;
  if (episode.ready && !episode.audio) state = "This episode is a transcript without sound: times show where the words stand.";
  say("episode-state", state);
  $("inside").textContent = "In this episode";
  $("side-panel").hidden = false;
  drawTopics(episode);
  share.open(episode);
  suggest(episode.ready ? episode.questions : []);
};

// Choose an episode: by id, at a time in seconds or null, playing or not.
export const choose = async (id, at = null, play = false) => {
  if (gone.has(id)) return;
  const mine = ++asked;
  let episode, kept;
  try {
    [episode, kept] = await Promise.all([fetchJson(`api/episodes/${encodeURIComponent(id)}`), progress.load(id)]);
  } catch (error) {
    hint(error.message);
    return;
  }
  if (mine !== asked) return;
  const other = shown?.id !== episode.id;
  if (other && shown) forgetAnswer();
  shown = episode;
  if (other) progress.open(episode.id, kept);
  if (other && kind(episode) === "busy") { // somebody waits for it
    fetchJson(`api/episodes/${encodeURIComponent(id)}/work`, { do: "first" }).catch(() => {});
  }
  player.open(episode, at ?? (other ? kept.position : null), play);
  drawEpisode(episode);
  if (other) {
    const link = new URL(location.href);
    link.searchParams.set("episode", episode.id);
    link.searchParams.delete("t");
    link.hash = "";
    history.replaceState(null, "", link);
    transcript.clear();
    goOn(episode.id);
  }
  if (play && !episode.audio) readAlong();
  else if (!$("transcript-panel").hidden) transcript.show();
  shelf.draw();
};

// Take in what the server says about the library now.
export const takeLibrary = (all, wish) => {
  const episodes = all.filter(({ id }) => !gone.has(id));
  shelf.draw(episodes);
  if (!shown) {
    const first = episodes.find((episode) => episode.id === wish.episode)
      ?? episodes.find((episode) => episode.ready) ?? episodes[0];
    if (first) choose(first.id, first.id === wish.episode ? wish.at : null);
    if (first && wish.episode && first.id !== wish.episode) hint("The episode of that link is not in this library.");
    return;
  }
  const now = episodes.find((episode) => episode.id === shown.id);
  if (!now) { // somebody removed it
    shown = null;
    if (episodes.length) takeLibrary(episodes, {});
    else location.replace(location.pathname);
    return;
  }
  if (now.status !== shown.status || now.audio !== shown.audio) choose(now.id);
};

export const chosen = () => shown;

export const removeEpisode = async (id) => {
  gone.add(id);
  progress.leave();
  try {
    await fetchJson(`api/episodes/${encodeURIComponent(id)}`, null, "DELETE");
  } catch (error) {
    gone.delete(id);
    throw error;
  }
};

// Keep the topic and the line that sound now marked.
export const followPlayback = (at, topic) => {
  [...$("topics").children].forEach((item, i) => item.classList.toggle("current", i === topic));
  transcript.follow(at);
};
