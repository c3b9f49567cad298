// SPDX-License-Identifier: GPL-3.0-or-later
// The library and the chosen episode: what the server's JSON door says, put on the page as text.

((Earmark) => {
  const { $, clock, json, make, player, say, timeButton } = Earmark;
  const PARAGRAPH = 30; // seconds of transcript under one time

  let shown = ""; // the shelf as it is drawn, to leave it alone when nothing changed
  let chosen = null; // the episode on the page
  let asked = 0; // number of the latest request for an episode; an older one that comes late is dropped
  let transcriptOf = null;

  // A small picture of its own for each show, since not every file carries one.
  const paint = (element, episode) => {
    const name = episode.show || episode.title;
    let hue = 0;
    for (const letter of name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
    element.style.setProperty("--hue", hue);
    element.textContent = name.split(/\s+/).map((word) => [...word][0] ?? "").join("").slice(0, 2).toUpperCase();
    return element;
  };

  const kind = (episode) => (episode.ready ? "ready" : episode.status.startsWith("failed") ? "failed" : "busy");

  const card = (episode) => {
    const facts = [episode.show, episode.seconds ? Earmark.length(episode.seconds) : ""].filter(Boolean).join(" · ");
    return make("li", {}, make(
      "button", { type: "button", class: "card", "data-choose": episode.id },
      paint(make("span", { class: "artwork", "aria-hidden": "true" }), episode),
      make("span", { class: "card-text" },
        make("span", { class: "card-title" }, episode.title),
        make("span", { class: "card-facts" }, facts),
        make("span", { class: `status ${kind(episode)}` }, episode.status)),
    ));
  };

  const drawShelf = (episodes) => {
    const now = JSON.stringify(episodes);
    if (now !== shown) {
      shown = now;
      const focused = document.activeElement?.dataset?.choose;
      $("shelf").replaceChildren(...episodes.map(card));
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
    if (kind(episode) === "failed") state = `This episode could not be taken in (${episode.status}). Add it again to go on from there.`;
    if (episode.ready && !episode.audio) state = "This episode is a transcript without sound: times show where the words stand.";
    say("episode-state", state);
    $("inside").textContent = "In this episode";
    $("side-panel").hidden = false;
    drawTopics(episode);
    Earmark.suggest(episode.ready ? episode.questions : []);
  };

  // Choose an episode: by id, at a time in seconds or null, playing or not.
  Earmark.choose = async (id, at = null, play = false) => {
    const mine = ++asked;
    let episode;
    try {
      episode = await json(`api/episodes/${encodeURIComponent(id)}`);
    } catch (error) {
      Earmark.hint(error.message);
      return;
    }
    if (mine !== asked) return;
    const other = chosen?.id !== episode.id;
    if (other && chosen) Earmark.forgetAnswer();
    chosen = episode;
    player.open(episode, at, play);
    drawEpisode(episode);
    if (other) {
      const link = new URL(location.href);
      link.searchParams.set("episode", episode.id);
      link.searchParams.delete("t");
      history.replaceState(null, "", link);
      transcriptOf = null;
      $("transcript-panel").replaceChildren();
    }
    if (!$("transcript-panel").hidden) Earmark.showTranscript();
    drawShelf(JSON.parse(shown || "[]"));
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

  // -- the transcript: paragraphs by speaker, a time for each; a click on a line goes there ---------------------

  const paragraphs = (cues) => {
    const all = [];
    for (const cue of cues) {
      const last = all.at(-1);
      if (last && last.speaker === cue.speaker && cue.start - last.start < PARAGRAPH) last.cues.push(cue);
      else all.push({ start: cue.start, speaker: cue.speaker, cues: [cue] });
    }
    return all;
  };

  Earmark.showTranscript = async () => {
    if (!chosen || transcriptOf === chosen.id) return;
    const { id } = chosen;
    transcriptOf = id;
    let cues;
    try {
      cues = await json(`api/episodes/${encodeURIComponent(id)}/transcript`);
    } catch (error) {
      transcriptOf = null;
      $("transcript-panel").textContent = error.message;
      return;
    }
    if (chosen.id !== id) return;
    $("transcript-panel").replaceChildren(...paragraphs(cues).map(({ start, speaker, cues: lines }) => make(
      "div", { class: "paragraph" },
      make("p", { class: "speaker" }, timeButton(start, id, speaker), speaker),
      make("p", {}, ...lines.flatMap((cue) => [
        make("span", { class: "cue", "data-cue": cue.start }, cue.text), " ",
      ])),
    )));
    if (!cues.length) $("transcript-panel").textContent = "There is no transcript yet.";
    player.show();
  };

  // Keep the topic and the line that sound now marked.
  let line = null;
  Earmark.follow = (at, topic) => {
    [...$("topics").children].forEach((item, i) => item.classList.toggle("current", i === topic));
    if ($("transcript-panel").hidden) return;
    const lines = $("transcript-panel").querySelectorAll(".cue");
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Number(lines[middle].dataset.cue) <= at + 0.05) low = middle + 1;
      else high = middle;
    }
    const now = lines[low - 1] ?? null;
    if (now === line) return;
    line?.classList.remove("current");
    now?.classList.add("current");
    line = now;
    // the panel scrolls, never the page, and only while the listener is not reading elsewhere in it
    const panel = $("transcript-panel");
    if (now && player.playing && !panel.matches(":hover, :focus-within")) {
      panel.scrollTo({ top: now.offsetTop - panel.clientHeight / 3 });
    }
  };
})(window.Earmark);
