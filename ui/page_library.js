// SPDX-License-Identifier: GPL-3.0-or-later
// The library and the chosen episode: what the server's JSON door says, put on the page as text.

((Earmark) => {
  const { $, json, make, player, progress, say, transcript, timeButton } = Earmark;
  let shown = ""; // the shelf as it is drawn, to leave it alone when nothing changed
  let every = []; // the episodes
  let chosen = null; // the episode on the page
  let asked = 0; // number of the latest request for an episode; an older one that comes late is dropped

  // A small picture of its own for each show, since not every file carries one.
  const paint = (element, episode) => {
    const name = episode.show || episode.title;
    let hue = 0;
    for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
    element.style.setProperty("--hue", hue);
    element.textContent = name.split(/\s+/).map((word) => [...word][0] ?? "").join("").slice(0, 2).toUpperCase();
    return element;
  };

  const kind = (episode) => (episode.ready ? "ready" : /^(failed|cancelled)/.test(episode.status) ? "failed" : "busy");

  // Seconds as one says how long something will take.
  const soon = (seconds) => (seconds < 55 ? `${Math.max(10, 10 * Math.round(seconds / 10))} s` : Earmark.length(seconds));

  const statusText = (episode) => {
    const { work } = episode;
    const left = work?.state !== "failed" && work?.eta ? `, about ${soon(work.eta)} left` : "";
    return `${episode.status}${left}`;
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

  const fits = (episode) => {
    const words = $("filter").value.toLowerCase().split(/\s+/);
    const text = [episode.title, episode.show, ...episode.guests].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };

  const card = (episode) => {
    const facts = [episode.show, episode.seconds ? Earmark.length(episode.seconds) : ""].filter(Boolean).join(" · ");
    return make("li", {}, make(
      "button", { type: "button", class: "card", "data-choose": episode.id },
      paint(make("span", { class: "artwork", "aria-hidden": "true" }), episode),
      make("span", { class: "card-text" },
        make("span", { class: "card-title" }, episode.title),
        make("span", { class: "card-facts" }, facts),
        make("span", { class: `status ${kind(episode)}` }, statusText(episode)),
        episode.work?.state === "running" ? make("progress", { class: "work", max: 1, value: episode.work.fraction, "aria-hidden": "true" }) : null),
    ), redo(episode));
  };

  const drawShelf = (episodes) => {
    every = episodes;
    const now = JSON.stringify(episodes) + $("filter").value;
    if (now !== shown) {
      shown = now;
      const focused = document.activeElement?.dataset?.choose;
      $("shelf").replaceChildren(...episodes.filter(fits).map(card));
      if (focused) $("shelf").querySelector(`[data-choose="${CSS.escape(focused)}"]`)?.focus();
    }
    for (const button of $("shelf").querySelectorAll("[data-choose]")) {
      const here = button.dataset.choose === chosen?.id;
      if (here && !button.hasAttribute("aria-current")) {
        const room = $("shelf").clientWidth - button.offsetWidth;
        $("shelf").scrollTo({ left: button.offsetLeft - $("shelf").offsetLeft - room / 2 });
      }
      if (here) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
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
    player.open(episode, at ?? (other ? kept.position : null), play);
    drawEpisode(episode);
    if (other) {
      const link = new URL(location.href);
      link.searchParams.set("episode", episode.id);
      link.searchParams.delete("t");
      history.replaceState(null, "", link);
      transcript.clear();
    }
    if (!$("transcript-panel").hidden) transcript.show();
    drawShelf(every);
  };

  // Take in what the server says about the library now.
  Earmark.takeLibrary = (episodes, wish) => {
    drawShelf(episodes);
    if (!chosen) {
      const first = episodes.find((episode) => episode.id === wish.episode)
        ?? episodes.find((episode) => episode.ready) ?? episodes[0];
      if (first) Earmark.choose(first.id, first.id === wish.episode ? wish.at : null);
      return;
    }
    const now = episodes.find((episode) => episode.id === chosen.id);
    if (now && (now.status !== chosen.status || now.audio !== chosen.audio)) Earmark.choose(now.id);
  };

  Earmark.chosen = () => chosen;

  Earmark.startShelf = () => {
    $("filter").oninput = () => drawShelf(every);
    $("filter").onkeydown = (event) => {
      const text = $("filter").value.trim();
      if (event.key !== "Enter" || !text) return;
      $("scope").value = "library";
      $("scope").dispatchEvent(new Event("change"));
      Earmark.ask(text);
    };
  };

  // Keep the topic and the line that sound now marked.
  Earmark.follow = (at, topic) => {
    [...$("topics").children].forEach((item, i) => item.classList.toggle("current", i === topic));
    Earmark.transcript.follow(at);
  };
})(window.Earmark);
