// SPDX-License-Identifier: GPL-3.0-or-later
// The library and the chosen episode: what the server's JSON door says, put on the page as text.

((Earmark) => {
  const { $, json, make, player, progress, say, transcript, timeButton } = Earmark;
  const PAUSE = 250; // milliseconds without a key after which what is typed is looked for
  const BEFORE = 60; // characters of a quote before the word that was looked for
  let every = []; // the episodes
  let cards = new Map(); // by id: what stands on a card, and its element, which stays while that is the same
  let chosen = null; // the episode on the page
  const gone = new Set(); // what is being removed: nothing more is asked about it
  let asked = 0; // number of the latest request for an episode; an older one that comes late is dropped
  let sought = 0; // number of the latest search
  let timer = 0;

  // The publisher's picture, kept on this server, or one painted for the show.
  const paint = (element, episode) => {
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

  const kind = (episode) => (episode.ready ? "ready" : /^(failed|cancelled)/.test(episode.status) ? "failed" : "busy");

  // Seconds as one says how long something will take.
  const soon = (seconds) => (seconds < 55 ? `${Math.max(10, 10 * Math.round(seconds / 10))} s` : Earmark.length(seconds));

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
        await json(`api/episodes/${encodeURIComponent(episode.id)}/work`, { do: stopped ? "retry" : "cancel" });
        Earmark.lookNow();
      } catch (error) {
        Earmark.hint(error.message);
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
    const facts = [episode.show, episode.seconds ? Earmark.length(episode.seconds) : ""].filter(Boolean).join(" · ");
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

  const drawShelf = (episodes) => {
    every = episodes;
    drawShows();
    const now = episodes.filter(fits).map(cardOf);
    const shelf = $("shelf");
    if (now.length !== shelf.children.length || now.some((element, i) => element !== shelf.children[i])) {
      const focused = document.activeElement?.closest("#shelf li");
      const [choose, tool] = [focused?.querySelector(".card").dataset.choose, document.activeElement?.classList.contains("redo")];
      const [left, top] = [shelf.scrollLeft, shelf.scrollTop];
      shelf.replaceChildren(...now);
      shelf.scrollTo({ left, top, behavior: "instant" });
      const again = focused && shelf.querySelector(`[data-choose="${CSS.escape(choose)}"]`);
      ((tool && again?.parentElement.querySelector(".redo")) || again)?.focus({ preventScroll: true });
    }
    const open = $("shelf-all").getAttribute("aria-expanded") === "true" || wanted() !== "" || $("shows").value !== "";
    shelf.classList.toggle("open", open);
    $("shelf-all").hidden = episodes.length < 4 || wanted() !== "" || $("shows").value !== "";
    $("shelf-all").textContent = open ? "Show fewer" : `Show all ${episodes.length.toLocaleString()}`;
    say("shelf-none", !now.length && wanted() ? "No title, show or guest is called that." : "");
    for (const button of shelf.querySelectorAll("[data-choose]")) {
      const here = button.dataset.choose === chosen?.id;
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
    return [(from ? "… " : "") + quote.slice(from, at[0]), make("mark", {}, quote.slice(at[0], at[0] + at[1])), quote.slice(at[0] + at[1])];
  };

  // Where in the library something is said.
  const search = async () => {
    const mine = ++sought;
    const text = wanted();
    let found = [];
    if (text.length > 2) found = await json(`api/search?text=${encodeURIComponent(text)}`).catch(() => []);
    if (mine !== sought) return;
    const there = found.filter((moment) => Earmark.known(moment.episode));
    $("said").hidden = !there.length;
    const words = text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
    $("said-list").replaceChildren(...there.map((moment) => make(
      "li", { class: "moment" }, timeButton(moment.start, moment.episode, moment.speaker),
      make("div", { class: "moment-text" },
        make("p", { class: "moment-speaker" }, [Earmark.known(moment.episode).title, moment.speaker].filter(Boolean).join(" · ")),
        make("blockquote", {}, ...around(moment.quote, words))),
    )));
  };

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
    say("episode-facts", [guests, episode.seconds ? Earmark.length(episode.seconds) : "", date].filter(Boolean).join(" · "));
    say("episode-teaser", episode.teaser);
    say("summary", episode.summary);
    let state = episode.ready ? "" : `This episode is not ready yet: ${episode.status}.`;
    if (kind(episode) === "failed") state = `This episode could not be taken in (${episode.status}). “Try again” goes on from there.`;
    if (episode.ready && !episode.audio) state = "This episode is a transcript without sound: times show where the words stand.";
    say("episode-state", state);
    $("inside").textContent = "In this episode";
    $("side-panel").hidden = false;
    drawTopics(episode);
    Earmark.share.open(episode);
    Earmark.suggest(episode.ready ? episode.questions : []);
  };

  // Choose an episode: by id, at a time in seconds or null, playing or not.
  Earmark.choose = async (id, at = null, play = false) => {
    if (gone.has(id)) return;
    const mine = ++asked;
    let episode, kept;
    try {
      [episode, kept] = await Promise.all([json(`api/episodes/${encodeURIComponent(id)}`), progress.load(id)]);
    } catch (error) {
      Earmark.hint(error.message);
      return;
    }
    if (mine !== asked) return;
    const other = chosen?.id !== episode.id;
    if (other && chosen) Earmark.forgetAnswer();
    chosen = episode;
    if (other) progress.open(episode.id, kept);
    if (other && kind(episode) === "busy") json(`api/episodes/${encodeURIComponent(id)}/work`, { do: "first" }).catch(() => {}); // somebody waits for it
    player.open(episode, at ?? (other ? kept.position : null), play);
    drawEpisode(episode);
    if (other) {
      const link = new URL(location.href);
      link.searchParams.set("episode", episode.id);
      link.searchParams.delete("t");
      link.hash = "";
      history.replaceState(null, "", link);
      transcript.clear();
      Earmark.goOn(episode.id);
    }
    if (play && !episode.audio) Earmark.readAlong();
    else if (!$("transcript-panel").hidden) transcript.show();
    drawShelf(every);
  };

  // Take in what the server says about the library now.
  Earmark.takeLibrary = (all, wish) => {
    const episodes = all.filter(({ id }) => !gone.has(id));
    drawShelf(episodes);
    if (!chosen) {
      const first = episodes.find((episode) => episode.id === wish.episode)
        ?? episodes.find((episode) => episode.ready) ?? episodes[0];
      if (first) Earmark.choose(first.id, first.id === wish.episode ? wish.at : null);
      if (first && wish.episode && first.id !== wish.episode) Earmark.hint("The episode of that link is not in this library.");
      return;
    }
    const now = episodes.find((episode) => episode.id === chosen.id);
    if (!now) { // somebody removed it
      chosen = null;
      if (episodes.length) Earmark.takeLibrary(episodes, {});
      else location.replace(location.pathname);
      return;
    }
    if (now.status !== chosen.status || now.audio !== chosen.audio) Earmark.choose(now.id);
  };

  Earmark.chosen = () => chosen;

  Earmark.remove = async (id) => {
    gone.add(id);
    progress.leave();
    try {
      await json(`api/episodes/${encodeURIComponent(id)}`, null, "DELETE");
    } catch (error) {
      gone.delete(id);
      throw error;
    }
  };

  // What the library says of an episode; undefined when it is not there.
  Earmark.known = (id) => every.find((episode) => episode.id === id);

  Earmark.startShelf = () => {
    $("filter").oninput = () => {
      drawShelf(every);
      clearTimeout(timer);
      timer = setTimeout(search, PAUSE);
    };
    $("filter").onkeydown = (event) => {
      const text = wanted();
      if (event.key !== "Enter" || !text) return;
      $("scope").value = "library";
      $("scope").dispatchEvent(new Event("change"));
      Earmark.ask(text);
      $("ask").scrollIntoView({ block: "nearest" });
    };
    $("shows").onchange = () => drawShelf(every);
    $("shelf-all").onclick = () => {
      $("shelf-all").setAttribute("aria-expanded", $("shelf-all").getAttribute("aria-expanded") !== "true");
      drawShelf(every);
    };
  };

  // Keep the topic and the line that sound now marked.
  Earmark.follow = (at, topic) => {
    [...$("topics").children].forEach((item, i) => item.classList.toggle("current", i === topic));
    Earmark.transcript.follow(at);
  };
})(window.Earmark);
