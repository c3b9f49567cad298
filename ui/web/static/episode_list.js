// SPDX-License-Identifier: GPL-3.0-or-later
// The shelf: a card for each episode, what is typed to find one, and where in all of them something is said.

import { ask, hint } from "./ask.js";
import { $, fetchJson, lengthInWords, make, say, timeButton } from "./dom.js";
import { chosen } from "./episode_view.js";
import { lookNow } from "./main.js";

const PAUSE = 250; // milliseconds without a key after which what is typed is looked for
const BEFORE = 60; // characters of a quote before the word that was looked for
let every = []; // the episodes
const cards = new Map(); // by id: what stands on a card, and its element, which stays while that is the same
let sought = 0; // number of the latest search
let timer = 0;

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

const statusText = ({ status, work }) => {
  const left = work?.state !== "failed" && work?.eta ? `, about ${soon(work.eta)} left` : "";
  const behind = work?.state === "waiting" && work.before ? `, ${work.before} before it` : "";
  return `${status.replace(/https?:\/\/([^/\s]+)\S*/g, "$1")}${behind}${left}`;
};

// The button that goes on with an episode that failed or was stopped, or stops one that is under way.
const redo = (episode) => {
  const stopped = kind(episode) === "failed";
  if (!stopped && !episode.work) return null;
  const button = make(
    "button", { type: "button", class: "own redo", "aria-label": `${stopped ? "Try again" : "Stop"}: ${episode.title}` },
    stopped ? "Try again" : "Stop",
  );
  button.onclick = async () => {
    try {
      await fetchJson(`api/episodes/${encodeURIComponent(episode.id)}/work`, { do: stopped ? "retry" : "cancel" });
      lookNow();
    } catch (error) {
      hint(error.message);
    }
  };
  return button;
};

const wanted = () => $("filter").value.trim();

const fits = (episode) => {
  const text = [episode.title, episode.show, ...episode.guests].join(" ").toLowerCase();
  return ($("shows").value === "" || episode.show === $("shows").value)
    && wanted().toLowerCase().split(/\s+/).every((word) => text.includes(word));
};

const card = (episode) => {
  const facts = [episode.show, episode.seconds ? lengthInWords(episode.seconds) : ""].filter(Boolean).join(" · ");
  const status = statusText(episode);
  return make("li", {}, make(
    "button", { type: "button", class: "card", "data-choose": episode.id },
    paint(make("span", { class: "artwork", "aria-hidden": "true" }), episode),
    make("span", { class: "card-text" },
      make("span", { class: "card-title" }, episode.title),
      make("span", { class: "card-facts" }, facts),
      episode.guests.length ? make("span", { class: "card-facts" }, `with ${episode.guests.join(", ")}`) : null,
      make("span", { class: `status ${kind(episode)}`, title: status }, make("span", { class: "status-text" }, status)),
      episode.work?.state === "running" ? make("progress", { class: "work", max: 1, value: episode.work.fraction, "aria-hidden": "true" }) : null),
  ), redo(episode));
};

// A card is made anew only when something on it is new: a shelf may hold a thousand.
const cardOf = (episode) => {
  const stands = JSON.stringify(episode);
  const known = cards.get(episode.id);
  if (known?.stands === stands) return known.element;
  const element = card(episode);
  cards.set(episode.id, { stands, element });
  return element;
};

const drawShows = () => {
  const shows = [...new Set(every.map((episode) => episode.show).filter(Boolean))].sort((a, b) => a.localeCompare(b));
  const before = $("shows").value;
  if ($("shows").dataset.shows === JSON.stringify(shows)) return;
  $("shows").dataset.shows = JSON.stringify(shows);
  $("shows").replaceChildren(make("option", { value: "" }, "All shows"), ...shows.map((show) => make("option", { value: show }, show)));
  $("shows").value = shows.includes(before) ? before : "";
  $("shows").parentElement.hidden = shows.length < 2;
};

const draw = (episodes = every) => {
  every = episodes;
  drawShows();
  const now = episodes.filter(fits).map(cardOf);
  const shelf = $("shelf");
  if (now.length !== shelf.children.length || now.some((element, i) => element !== shelf.children[i])) {
    const focused = document.activeElement?.closest("#shelf li");
    const [choose, tool] = [/** @type {HTMLElement} */ (focused?.querySelector(".card"))?.dataset.choose, document.activeElement?.classList.contains("redo")];
    const [left, top] = [shelf.scrollLeft, shelf.scrollTop];
    shelf.replaceChildren(...now);
    shelf.scrollTo({ left, top, behavior: "instant" });
    /** @type {HTMLElement | null} */
    const again = focused && shelf.querySelector(`[data-choose="${CSS.escape(choose)}"]`);
    ((tool && /** @type {HTMLElement} */ (again?.parentElement.querySelector(".redo"))) || again)?.focus({ preventScroll: true });
  }
  const open = $("shelf-all").getAttribute("aria-expanded") === "true" || wanted() !== "" || $("shows").value !== "";
  shelf.classList.toggle("open", open);
  $("shelf-all").hidden = episodes.length < 4 || wanted() !== "" || $("shows").value !== "";
  $("shelf-all").textContent = open ? "Show fewer" : `Show all ${episodes.length.toLocaleString()}`;
  say("shelf-none", !now.length && wanted() ? "No title, show or guest is called that." : "");
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (shelf.querySelectorAll("[data-choose]"))) {
    const here = button.dataset.choose === chosen()?.id;
    if (here && !button.hasAttribute("aria-current") && !open) {
      const room = shelf.clientWidth - button.offsetWidth;
      const { offsetLeft } = button.parentElement;
      shelf.scrollTo({ left: offsetLeft - shelf.offsetLeft - room / 2 });
    }
    if (here) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
};

// What is said around the first word that was looked for, which is marked.
const around = (quote, words) => {
  const at = words.map((word) => quote.toLowerCase().search(new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "u")))
    .reduce((best, one, i) => (one >= 0 && (best[0] < 0 || one < best[0]) ? [one, words[i].length] : best), [-1, 0]);
  if (at[0] < 0) return [quote];
  const from = at[0] > BEFORE ? quote.indexOf(" ", at[0] - BEFORE) + 1 : 0;
  const to = at[0] + at[1];
  return [(from ? "… " : "") + quote.slice(from, at[0]), make("mark", {}, quote.slice(at[0], to)), quote.slice(to)];
};

// Where in the library something is said.
const search = async () => {
  const mine = ++sought;
  const text = wanted();
  let found = [];
  if (text.length > 2) found = await fetchJson(`api/search?text=${encodeURIComponent(text)}`).catch(() => []);
  if (mine !== sought) return;
  const there = found.filter((moment) => shelf.known(moment.episode));
  $("said").hidden = !there.length;
  const words = text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
  $("said-list").replaceChildren(...there.map((moment) => make(
    "li", { class: "moment" }, timeButton(moment.start, moment.episode, moment.speaker),
    make("div", { class: "moment-text" },
      make("p", { class: "moment-speaker" }, [shelf.known(moment.episode).title, moment.speaker].filter(Boolean).join(" · ")),
      make("blockquote", {}, ...around(moment.quote, words))),
  )));
};

export const shelf = {
  // Show these episodes, or the same ones as they stand now.
  draw,

  // What the library says of an episode; undefined when it is not there.
  known: (id) => every.find((episode) => episode.id === id),

  start() {
    $("filter").oninput = () => {
      draw();
      clearTimeout(timer);
      timer = setTimeout(search, PAUSE);
    };
    $("filter").onkeydown = (event) => {
      const text = wanted();
      if (event.key !== "Enter" || !text) return;
      $("scope").value = "library";
      $("scope").dispatchEvent(new Event("change"));
      ask(text);
      $("ask").scrollIntoView({ block: "nearest" });
    };
    $("shows").onchange = () => draw();
    $("shelf-all").onclick = () => {
      const open = $("shelf-all").getAttribute("aria-expanded") === "true";
      $("shelf-all").setAttribute("aria-expanded", String(!open));
      draw();
    };
  },
};
