// SPDX-License-Identifier: GPL-3.0-or-later
// The library: a card for each episode, with how far one is in it; what is typed to find one, and where in all of them
// something is said.

import { ask } from "./ask.js";
import { $, fetchJson, lengthInWords, make, ownButton, recall, remember, say, timeButton } from "./dom.js";
import { arrange, fraction, stage } from "./heard.js";
import { lookNow } from "./main.js";
import { player } from "./player.js";
import { progress } from "./progress.js";
import { sheet } from "./sheet.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";
import { go, view } from "./views.js";
import { holds, marked } from "./words.js";

const PAUSE = 250; // milliseconds without a key after which what is typed is looked for
const BEFORE = 60; // characters of a quote before the word that was looked for
let every = []; // the episodes
let byId = new Map();
const cards = new Map(); // by id: what stands on a card, and its element, which stays while that is the same
let shelfKind = "all";
let sought = 0; // number of the latest search
let timer = 0;
let moments = 0; // that the search found

// The publisher's picture, kept on this server, or one painted for the show.
export const paint = (element, episode) => {
  const name = episode.show || episode.title;
  let hue = 0;
  for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  element.style.setProperty("--hue", hue);
  element.textContent = name.split(/\s+/).map((word) => [...word][0] ?? "").join("").slice(0, 2).toUpperCase();
  if (!episode.artwork) return element;
  const picture = make("img", { src: `artwork/${encodeURIComponent(episode.id)}`, alt: "", loading: "lazy", decoding: "async" });
  picture.onerror = () => picture.remove();
  element.append(picture);
  return element;
};

export const kind = (episode) => (episode.ready ? "ready" : /^(failed|cancelled)/.test(episode.status) ? "failed" : "busy");

// Seconds as one says how long something will take.
const soon = (seconds) => (seconds < 55 ? `${Math.max(10, 10 * Math.round(seconds / 10))} s` : lengthInWords(seconds));

export const statusText = ({ status, work }) => {
  const left = work?.state !== "failed" && work?.eta ? t(", about {time} left", { time: soon(work.eta) }) : "";
  const behind = work?.state === "waiting" && work.before ? t(", {n} before it", { n: work.before }) : "";
  return `${status.replace(/https?:\/\/([^/\s]+)\S*/g, "$1")}${behind}${left}`;
};

// The button that goes on with an episode that failed or was stopped, or stops one that is under way.
const redo = (episode) => {
  const stopped = kind(episode) === "failed";
  if (!stopped && !episode.work) return null;
  const what = stopped ? t("Try again") : t("Stop");
  return ownButton(what, async () => {
    try {
      await fetchJson(`api/episodes/${encodeURIComponent(episode.id)}/work`, { do: stopped ? "retry" : "cancel" });
      lookNow();
    } catch (error) {
      toast(error.message);
    }
  }, { class: "redo", "aria-label": `${what}: ${episode.title}` });
};

const wanted = () => $("filter").value.trim();

const fits = (episode) => {
  const { name, show } = view();
  return (name !== "show" || episode.show === show)
    && holds([episode.title, episode.show, ...episode.guests].join(" "), wanted());
};

// How far one is in an episode, in words.
const standing = (episode) => {
  const listened = progress.of(episode.id);
  if (!episode.audio) return t("Transcript");
  const now = stage(episode, listened);
  if (now === "heard") return t("Finished");
  if (now === "new") return lengthInWords(episode.seconds);
  return t("{length} left", { length: lengthInWords(Math.max(0, episode.seconds - listened.position)) });
};

const day = (published) => (published ? new Date(published).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" }) : "");

const card = (episode) => {
  const ready = kind(episode) === "ready";
  const facts = [view().name === "show" ? "" : episode.show, day(episode.published)].filter(Boolean).join(" · ");
  const done = make("span", { class: "done", "aria-hidden": "true" });
  const part = episode.work?.state === "running" ? episode.work.fraction : fraction(episode, progress.of(episode.id));
  done.style.setProperty("--done", `${100 * part}%`);
  done.classList.toggle("busy", !ready);
  done.classList.toggle("none", ready && !part);
  const status = ready ? standing(episode) : statusText(episode);
  return make("li", {}, make(
    "button", { type: "button", class: "card", "data-choose": episode.id },
    paint(make("span", { class: "artwork", "aria-hidden": "true" }), episode),
    make("span", { class: "card-text" },
      make("span", { class: "card-title" }, episode.title),
      make("span", { class: "card-facts" }, facts),
      make("span", { class: "card-facts" }, episode.guests.length ? t("with {names}", { names: episode.guests.join(", ") }) : ""),
      make("span", { class: `status ${kind(episode)}`, title: status }, make("span", { class: "status-text" }, status)), done),
  ), redo(episode), ready && episode.audio ? queueButton(episode) : null);
};

const queueButton = (episode) => {
  const label = t("Play next: {title}", { title: episode.title });
  const act = () => (player.used || player.playing ? sheet.queueNext(episode.id) : player.playAt(episode.id));
  return ownButton(t("Play next"), act, { class: "later", "aria-label": label, title: label });
};

// A card is made anew only when something on it is new: a shelf may hold a thousand.
const cardOf = (episode) => {
  const { position, heard } = progress.of(episode.id) ?? { position: 0, heard: 0 };
  const stands = JSON.stringify([episode, Math.round(position / 30), Math.round(heard / 30), view().name]);
  const known = cards.get(episode.id);
  if (known?.stands === stands) return known.element;
  const element = card(episode);
  cards.set(episode.id, { stands, element });
  return element;
};

const drawShows = () => {
  const shows = [...new Set(every.map((episode) => episode.show).filter(Boolean))].sort((a, b) => a.localeCompare(b));
  const now = view().name === "show" ? view().show : "";
  if ($("shows").dataset.shows !== JSON.stringify(shows)) {
    $("shows").dataset.shows = JSON.stringify(shows);
    $("shows").replaceChildren(make("option", { value: "" }, t("All shows")), ...shows.map((show) => make("option", { value: show }, show)));
  }
  $("shows").value = shows.includes(now) ? now : "";
  $("shows").parentElement.hidden = shows.length < 2;
};

const nothingThere = () => {
  if (!every.length) return "";
  if (wanted()) return moments ? "" : t("No title, show or guest is called that, and nobody says it.");
  return { going: t("You are in the middle of nothing."), new: t("You have begun all of them."), heard: t("You have finished none yet.") }[shelfKind] ?? "";
};

// Draw the cards that belong to the view, in the order that was chosen.
export const drawLibrary = () => {
  drawShows();
  $("library-title").textContent = wanted() ? t("Titles, shows and guests") : view().name === "show" ? t("Episodes") : t("Your library");
  const chosen = arrange(every, (episode) => progress.of(episode.id), { kind: wanted() ? "all" : shelfKind, order: $("order").value, fits });
  const now = chosen.map(cardOf);
  const shelf = $("shelf");
  if (now.length !== shelf.children.length || now.some((element, i) => element !== shelf.children[i])) {
    const focused = document.activeElement?.closest("#shelf li");
    const [choose, tool] = [/** @type {HTMLElement} */ (focused?.querySelector(".card"))?.dataset.choose, document.activeElement?.classList.contains("redo")];
    shelf.replaceChildren(...now);
    /** @type {HTMLElement | null} */
    const again = focused && shelf.querySelector(`[data-choose="${CSS.escape(choose)}"]`);
    ((tool && /** @type {HTMLElement} */ (again?.parentElement.querySelector(".redo"))) || again)?.focus({ preventScroll: true });
  }
  for (const button of $("kinds").children) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.kind === shelfKind));
  $("kinds").hidden = every.length < 2 || Boolean(wanted());
  $("order").parentElement.hidden = every.length < 2 || Boolean(wanted());
  say("shelf-none", now.length ? "" : nothingThere());
};

// What is said around the first place that was looked for; the places are marked.
const around = (quote, phrase) => {
  const places = marked(quote, phrase);
  if (!places.length) return [quote];
  const from = places[0][0] > BEFORE ? quote.indexOf(" ", places[0][0] - BEFORE) + 1 : 0;
  const parts = [];
  let at = from;
  for (const [start, end] of places) {
    parts.push(quote.slice(at, start), make("mark", {}, quote.slice(start, end)));
    at = end;
  }
  return [from ? "… " : "", ...parts, quote.slice(at)];
};

// Where in the library something is said.
const search = async () => {
  const mine = ++sought;
  const text = wanted();
  let found = [];
  if (text.length > 2) found = await fetchJson(`api/search?text=${encodeURIComponent(text)}`).catch(() => []);
  if (mine !== sought) return;
  const there = found.filter((moment) => shelf.known(moment.episode));
  moments = there.length;
  $("said").hidden = !there.length;
  $("said-list").replaceChildren(...there.map((moment) => make(
    "li", { class: "moment" }, timeButton(moment.start, moment.episode, moment.speaker),
    make("div", { class: "moment-text" },
      make("p", { class: "moment-speaker" }, [shelf.known(moment.episode).title, moment.speaker].filter(Boolean).join(" · ")),
      make("blockquote", {}, ...around(moment.quote, text))),
  )));
  drawLibrary();
};

// Look for what stands in the field; typing leads to the library, and Back to where one was.
const typed = () => {
  const text = wanted();
  moments = 0;
  if (text === (view().text ?? "")) drawLibrary();
  else go({ name: "home", text }, { replace: view().name === "home" }); // which draws it
  clearTimeout(timer);
  timer = setTimeout(search, PAUSE);
};

export const shelf = {
  // Show these episodes, or the same ones as they stand now.
  draw(episodes = every) {
    every = episodes;
    byId = new Map(every.map((episode) => [episode.id, episode]));
    for (const id of cards.keys()) if (!this.known(id)) cards.delete(id);
    if (view().name !== "episode") drawLibrary();
  },

  all: () => every,

  // What the library says of an episode; undefined when it is not there.
  known: (id) => byId.get(id),

  start() {
    $("order").value = recall("order", "added");
    if (!$("order").value) $("order").value = "added";
    $("order").onchange = () => { remember("order", $("order").value); drawLibrary(); };
    $("kinds").onclick = (event) => {
      const { kind: one } = /** @type {HTMLElement} */ (event.target).dataset;
      if (one) { shelfKind = one; drawLibrary(); }
    };
    $("filter").oninput = typed;
    $("filter").onkeydown = (event) => {
      const text = wanted();
      if (event.key !== "Enter" || !text) return;
      $("filter").value = "";
      go({ name: "home" }, { replace: true }).then(() => ask(text));
      search();
    };
    $("shows").onchange = () => {
      const show = $("shows").value;
      go(show ? { name: "show", show } : { name: "home" });
    };
    if (view().text) { $("filter").value = view().text; drawLibrary(); search(); }
  },

  // Look anew for what stands in the field: one came back to it.
  seek: () => search(),
};
