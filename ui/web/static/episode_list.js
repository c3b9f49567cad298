// SPDX-License-Identifier: GPL-3.0-or-later
// The library: a card for each episode, with how far one is in it, a page of them at a time; what is typed to find one,
// and where in all of them something is said.

import { ask } from "./ask.js";
import { $, fetchJson, lengthInWords, make, ownButton, recall, remember, request, say, timeButton } from "./dom.js";
import { fraction, stage } from "./heard.js";
import { lookNow } from "./main.js";
import { player } from "./player.js";
import { headers, progress } from "./progress.js";
import { sheet } from "./sheet.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";
import { go, view } from "./views.js";
import { marked } from "./words.js";

const PAUSE = 250; // milliseconds without a key after which what is typed is looked for
const BEFORE = 60; // characters of a quote before the word that was looked for
const PAGE = 60; // episodes that are asked for at once
const MOST = 1000; // of them, as the server has it
const AHEAD = 1200; // pixels before the end of the list at which the next page is asked for
const KEPT = 8; // lists that are remembered, for coming back to them

/** @typedef {{episodes: any[], total: number, mark: string | null, more: boolean}} List */

/** @type {Map<string, List>} */
const lists = new Map(); // by what is asked for, the one on the page last
const byId = new Map(); // what is known of episodes; null for one that is not there
let shows = []; // those of the library, with how many episodes each has
let watch = null; // what sees the end of the list come near
let loading = false;
let work = {}; // what is being taken in, by episode
let mark = null; // of the library when the shows were asked for
const cards = new Map(); // by id: what stands on a card, and its element, which stays while that is the same
let shelfKind = "all";
let sought = 0; // number of the latest search
let timer = 0;
let moments = 0; // that the search found

const byDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" }); // making one takes long
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

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

export const statusText = ({ id, status }) => {
  const now = work[id];
  const left = now?.state !== "failed" && now?.eta ? t(", about {time} left", { time: soon(now.eta) }) : "";
  const behind = now?.state === "waiting" && now.before ? t(", {n} before it", { n: now.before }) : "";
  return `${status.replace(/https?:\/\/([^/\s]+)\S*/g, "$1")}${behind}${left}`;
};

// The button that goes on with an episode that failed or was stopped, or stops one that is under way.
const redo = (episode) => {
  const stopped = kind(episode) === "failed";
  if (!stopped && !work[episode.id]) return null;
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

// What is asked for, for the list that belongs to the view.
const address = () => {
  const { name, show } = view();
  const text = wanted();
  const asked = new URLSearchParams({ order: $("order").value || "added" });
  if (text) asked.set("query", text);
  else if (shelfKind !== "all") asked.set("kind", shelfKind);
  if (name === "show") asked.set("show", show);
  return String(asked);
};

/** @returns {List} */
const list = () => lists.get(address()) ?? { episodes: [], total: 0, mark: null, more: false };

const note = (episodes) => { for (const episode of episodes) byId.set(episode.id, episode); };

// Ask for the list on the page as far as it is drawn, or for the next page of it.
const load = async (further = false) => {
  const asked = address();
  const known = list();
  const have = known.episodes.length;
  const part = further ? `limit=${PAGE}&offset=${have}` : `limit=${Math.min(MOST, Math.max(PAGE, have))}`;
  const reply = await request(`api/episodes?${asked}&${part}`, null, "GET", headers);
  const found = await reply.json();
  note(found);
  const total = Number(reply.headers.get("X-Total-Count"));
  const before = further ? (lists.get(asked)?.episodes ?? []) : [];
  const rest = further ? [] : known.episodes.slice(MOST);
  const episodes = [...new Map([...before, ...found, ...rest].map((episode) => [episode.id, byId.get(episode.id)])).values()];
  lists.delete(asked);
  lists.set(asked, { episodes, total, mark: reply.headers.get("ETag"), more: found.length > 0 && episodes.length < total });
  if (lists.size > KEPT) lists.delete(lists.keys().next().value);
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

const day = (published) => (Number.isNaN(Date.parse(published)) ? "" : byDay.format(new Date(published)));

const card = (episode) => {
  const ready = kind(episode) === "ready";
  const facts = [view().name === "show" ? "" : episode.show, day(episode.published)].filter(Boolean).join(" · ");
  const done = make("span", { class: "done", "aria-hidden": "true" });
  const part = work[episode.id]?.state === "running" ? work[episode.id].fraction : fraction(episode, progress.of(episode.id));
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

// A card is made anew only when something on it is new: a shelf may show a thousand.
const cardOf = (episode) => {
  const { position, heard } = progress.of(episode.id) ?? { position: 0, heard: 0 };
  const stands = JSON.stringify([episode, work[episode.id], Math.round(position / 30), Math.round(heard / 30), view().name]);
  const known = cards.get(episode.id);
  if (known?.stands === stands) return known.element;
  const element = card(episode);
  cards.set(episode.id, { stands, element });
  return element;
};

const drawShows = () => {
  const names = shows.map(({ show }) => show).filter(Boolean).sort(byName.compare);
  const now = view().name === "show" ? view().show : "";
  if ($("shows").dataset.shows !== JSON.stringify(names)) {
    $("shows").dataset.shows = JSON.stringify(names);
    $("shows").replaceChildren(make("option", { value: "" }, t("All shows")), ...names.map((show) => make("option", { value: show }, show)));
  }
  $("shows").value = names.includes(now) ? now : "";
  $("shows").parentElement.hidden = names.length < 2;
};

const nothingThere = () => {
  if (!shelf.size() || !lists.has(address())) return "";
  if (wanted()) return moments ? "" : t("No title, show or guest is called that, and nobody says it.");
  return { going: t("You are in the middle of nothing."), new: t("You have begun all of them."), heard: t("You have finished none yet.") }[shelfKind] ?? "";
};

// Draw the cards that belong to the view, as far as they are known.
const draw = () => {
  drawShows();
  $("library-title").textContent = wanted() ? t("Titles, shows and guests") : view().name === "show" ? t("Episodes") : t("Your library");
  const { episodes, more } = list();
  const on = $("shelf");
  const now = lists.has(address()) ? episodes.map(cardOf) : [...on.children]; // until it is known
  const same = on.children.length <= now.length && [...on.children].every((element, i) => element === now[i]);
  if (same) on.append(...now.slice(on.children.length));
  else {
    const focused = document.activeElement?.closest("#shelf li");
    const [choose, tool] = [/** @type {HTMLElement} */ (focused?.querySelector(".card"))?.dataset.choose, document.activeElement?.classList.contains("redo")];
    on.replaceChildren(...now);
    /** @type {HTMLElement | null} */
    const again = focused && on.querySelector(`[data-choose="${CSS.escape(choose)}"]`);
    ((tool && /** @type {HTMLElement} */ (again?.parentElement.querySelector(".redo"))) || again)?.focus({ preventScroll: true });
  }
  for (const button of $("kinds").children) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.kind === shelfKind));
  $("kinds").hidden = $("order").parentElement.hidden = shelf.size() < 2 || Boolean(wanted());
  $("shelf-more").hidden = !more;
  say("shelf-none", now.length ? "" : nothingThere());
};

// Draw the list that belongs to the view: at once as it was known, and then as it is.
export const drawLibrary = async () => {
  draw();
  await load().catch((error) => {
    if (!error.away) toast(error.message);
    if (!lists.has(address())) $("shelf").replaceChildren();
  });
  draw();
};

// The end of the list comes into sight: the next page of it.
const goOn = async () => {
  if (loading || !list().more) return;
  loading = true;
  await load(true).catch(() => {}); // it is tried again on scrolling, and what is wrong is said elsewhere
  loading = false;
  draw();
  watch.unobserve($("shelf-more")); // and told anew, if it is in sight still
  watch.observe($("shelf-more"));
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
  await shelf.need(found.map((moment) => moment.episode));
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
  draw();
};

// Look for what stands in the field; typing leads to the library, and Back to where one was.
const typed = () => {
  const text = wanted();
  moments = 0;
  clearTimeout(timer);
  timer = setTimeout(() => { search(); if (text === (view().text ?? "")) drawLibrary(); }, PAUSE);
  if (text !== (view().text ?? "")) go({ name: "home", text }, { replace: view().name === "home" }); // which draws it
};

export const shelf = {
  // Ask how the list on the page stands, and for the shows when the library is another; `status`, or a promise of it,
  // tells what is being taken in.
  async look(status = null) {
    const first = mark === null;
    const [told, , all] = await Promise.all([status, load(), first ? fetchJson("api/shows") : null]);
    work = Object.fromEntries((told?.work ?? []).map((one) => [one.episode, one]));
    const now = list().mark;
    if (first) shows = all;
    else if (now !== mark) shows = await fetchJson("api/shows");
    mark = now;
    this.draw();
  },

  // Draw what is known, as it stands now.
  draw() { if (view().name !== "episode") draw(); },

  // The episodes of the list on the page, as far as they are loaded.
  all: () => list().episodes,

  // How many episodes the library has; of one show, if it is named.
  size: (show = null) => shows.reduce((sum, one) => sum + (show === null || one.show === show ? one.episodes : 0), 0),

  // What the library says of an episode; undefined when that is not known, or it is not there.
  known: (id) => byId.get(id) ?? undefined,

  // Some episode of a show.
  ofShow: (show) => [...byId.values()].find((one) => one?.show === show),

  // Ask about episodes of which nothing is known yet.
  async need(ids) {
    const unknown = [...new Set(ids)].filter((id) => id && !byId.has(id));
    for (let at = 0; at < unknown.length; at += PAGE) {
      const some = unknown.slice(at, at + PAGE);
      const found = await fetchJson(`api/episodes?${new URLSearchParams(some.map((id) => ["id", id]))}`).catch(() => null);
      if (!found) return; // asked again with the next need
      for (const id of some) byId.set(id, null);
      note(found);
    }
  },

  // An episode as it stands now; undefined when it is not there.
  async fresh(id) {
    const [found] = await fetchJson(`api/episodes?id=${encodeURIComponent(id)}`);
    byId.set(id, found ?? null);
    return found;
  },

  // It is no more.
  forget(id) {
    byId.set(id, null);
    cards.delete(id);
    for (const one of lists.values()) one.episodes = one.episodes.filter((episode) => episode.id !== id);
  },

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
    watch = new IntersectionObserver(([entry]) => { if (entry.isIntersecting) goOn(); }, { rootMargin: `${AHEAD}px` });
    watch.observe($("shelf-more"));
    if (view().text) { $("filter").value = view().text; drawLibrary(); search(); }
  },

  // Look anew for what stands in the field: one came back to it.
  seek: () => search(),
};
