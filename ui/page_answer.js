// SPDX-License-Identifier: GPL-3.0-or-later
// The answer on the page: sentences with the times they rest on, the speakers' own words, and what was asked before.

((Earmark) => {
  const { $, clock, make, player, timeButton } = Earmark;
  const MOST_MOMENTS = 3;
  const WORTH_SHOWING = 0.3; // confidence from which a moment that the answer does not use is still of interest

  let conversation = []; // answers, oldest first

  const title = (moment) => {
    if (moment.episode === Earmark.chosen()?.id) return "";
    return document.querySelector(`[data-choose="${CSS.escape(moment.episode)}"] .card-title`)?.textContent ?? "";
  };

  const cite = (moment) => timeButton(
    moment.start, moment.episode, [moment.speaker, title(moment)].filter(Boolean).join(", "),
  );

  const small = (name, text, label, act) => {
    const button = make("button", { type: "button", class: `own ${name}`, "aria-label": label, title: label }, text);
    button.onclick = act;
    return button;
  };

  // What can be done with a moment: hear only that, or keep it.
  const tools = (moment) => make(
    "span", { class: "moment-tools" },
    moment.episode === player.episode?.id && player.episode.audio ? small(
      "hear", "In their own words", `Hear ${moment.speaker || "them"} say it, from ${clock(moment.start)} to ${clock(moment.end)}`,
      () => player.excerpt(moment.start, moment.end),
    ) : null,
    small("clip", "Clip", `Keep a clip from ${clock(moment.start)}: sound, quote and link`, () => Earmark.share.clip(moment)),
  );

  const sentences = (answer, withTools) => answer.sentences.map((sentence) => make(
    "p", { class: "sentence" }, make("span", { class: "words" }, sentence.text),
    ...sentence.moments.flatMap((moment) => [cite(moment), withTools ? tools(moment) : null]),
  ));

  const drawEarlier = () => {
    const before = conversation.slice(0, -1);
    $("earlier").hidden = !before.length;
    $("earlier-count").textContent = `Asked before (${before.length})`;
    $("earlier-list").replaceChildren(...before.toReversed().map((answer) => make(
      "li", { class: "earlier-answer" }, make("p", { class: "asked" }, answer.question), ...sentences(answer, false),
    )));
  };

  Earmark.answers = {
    // Draw an answer; returns its moments, for the timeline.
    show(answer) {
      conversation = [...conversation, answer];
      $("answer").hidden = false;
      $("answer").classList.toggle("uncovered", !answer.covered);
      $("asked").textContent = answer.question;
      $("verdict").hidden = answer.covered;
      $("sentences").replaceChildren(...sentences(answer, true));
      const cited = answer.sentences.flatMap((sentence) => sentence.moments);
      const within = (moment) => cited.some((other) => other.start < moment.end && moment.start < other.end
        && other.episode === moment.episode);
      const more = answer.moments
        .filter((moment) => !answer.covered || (moment.confidence >= WORTH_SHOWING && !within(moment)))
        .slice(0, MOST_MOMENTS);
      $("evidence").hidden = !more.length;
      $("evidence-title").textContent = answer.covered ? "More on this" : "The nearest moments";
      $("moments").replaceChildren(...more.map((moment) => make(
        "li", { class: "moment" }, cite(moment),
        make("div", { class: "moment-text" },
          make("p", { class: "moment-speaker" }, [moment.speaker, title(moment)].filter(Boolean).join(" · ")),
          make("blockquote", {}, moment.quote)),
      )));
      drawEarlier();
      $("sentences").scrollIntoView({ block: "nearest" });
      return answer.covered ? [...cited, ...more] : more;
    },

    // Mark the sentence that is being read; -1 for none.
    sounding(now) {
      [...$("sentences").children].forEach((line, i) => line.classList.toggle("sounding", i === now));
    },

    // The answer as one says it, with its times.
    inWords(answer) {
      const times = answer.sentences.flatMap((sentence) => sentence.moments.map((moment) => clock(moment.start)));
      return `${answer.covered ? "Answer" : "Not covered"}: ${answer.sentences.map((sentence) => sentence.text).join(" ")}`
        + (times.length ? ` At ${[...new Set(times)].join(", ")}.` : "");
    },

    conversation: () => conversation,

    forget() {
      conversation = [];
      $("answer").hidden = true;
      drawEarlier();
    },
  };
})(window.Earmark);
