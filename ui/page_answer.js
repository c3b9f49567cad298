// SPDX-License-Identifier: GPL-3.0-or-later
// A question from the moment it is asked to the end of its answer. Every question has a number, its turn;
// whatever comes back with an older number is dropped.

((Earmark) => {
  const { $, announce, clock, json, make, player, say, timeButton, voice } = Earmark;
  const MOST_MOMENTS = 3;
  const WORTH_SHOWING = 0.3; // confidence from which a moment that the answer does not use is still of interest

  let turn = 0;
  let settled = 0; // the latest turn that has had its last word: Gradio says the last word of a stream twice
  let history = [];

  // A short word to the listener under the question; spoken to those who cannot see it.
  Earmark.hint = (text) => {
    say("hint", text);
    if (text) announce(text);
  };

  const field = () => document.querySelector("#question textarea, #question input");

  const write = (text) => {
    const box = field();
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };

  const context = () => ({
    turn,
    episode: Earmark.chosen()?.id ?? null,
    position: player.episode?.audio ? player.position : null,
    heard_until: null, // a limit for those who want no spoilers; nobody has asked for one here
    history,
  });

  const begin = (text) => {
    turn += 1;
    voice.stop();
    voice.unlock();
    player.interrupt();
    Earmark.hint(text);
    $("ask").classList.add("busy");
    $("stop").hidden = true;
  };

  // The question is over, one way or the other.
  const end = (text = "") => {
    $("ask").classList.remove("busy");
    Earmark.hint(text);
    player.giveBack();
  };

  const endReading = () => {
    const stop = $("stop");
    if (document.activeElement === stop) field().focus(); // focus must not fall out of the page with the button
    stop.hidden = true;
    for (const sentence of $("sentences").children) sentence.classList.remove("sounding");
  };

  // -- called by Gradio's events; what they return is what Python gets ----------------------------------------

  Earmark.asking = (text) => {
    text = (field()?.value ?? text).trim();
    if (!text) {
      Earmark.hint("Type a question, or press Record and say it.");
      field().focus();
      return ["", context()];
    }
    begin("Looking through the episode…");
    return [text, context()];
  };

  Earmark.listening = () => begin("Listening… press Stop when you have asked.");
  Earmark.dismissed = () => { if ($("ask").classList.contains("busy")) end(); };
  Earmark.hearing = (recording) => {
    Earmark.hint("Understanding what you said…");
    voice.unlock();
    field().focus(); // the button that was pressed goes away
    return [recording, context()];
  };
  Earmark.broke = () => end("Something went wrong on the way to the answer. Is Earmark still running? Ask again.");

  Earmark.ask = (text) => {
    write(text);
    $("ask-button").click();
  };

  Earmark.news = (news) => {
    if (!news || news.turn !== turn || settled === turn) return;
    if (news.state === "waiting") Earmark.hint(`Your question waits: ${news.message}`);
    else settled = turn;
    if (news.state === "error") end(`${news.message} ${news.hint}`.trim());
    if (news.state === "heard" && !news.text) end("I heard no question. Press Record and try again, or type it.");
    if (news.state === "heard" && news.text) Earmark.ask(news.text);
    if (news.state === "answer") show(news);
  };

  // -- the answer --------------------------------------------------------------------------------------------

  const title = (moment) => {
    if (moment.episode === Earmark.chosen()?.id) return "";
    return document.querySelector(`[data-choose="${CSS.escape(moment.episode)}"] .card-title`)?.textContent ?? "";
  };

  const cite = (moment) => timeButton(
    moment.start, moment.episode, [moment.speaker, title(moment)].filter(Boolean).join(", "),
  );

  const draw = (answer) => {
    $("answer").hidden = false;
    $("answer").classList.toggle("uncovered", !answer.covered);
    $("asked").textContent = answer.question;
    $("verdict").hidden = answer.covered;
    $("sentences").replaceChildren(...answer.sentences.map((sentence) => make(
      "p", { class: "sentence" }, make("span", { class: "words" }, sentence.text), ...sentence.moments.map(cite),
    )));
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
    $("sentences").scrollIntoView({ block: "nearest" });
    warm(answer.question, answer.covered ? [...cited, ...more] : more);
  };

  // Show on the timeline where the answer lies; the answer does not wait for the picture.
  const warm = async (question, moments) => {
    const mine = turn;
    const episode = player.episode?.id;
    const here = moments.filter((moment) => moment.episode === episode);
    Earmark.timeline.heat([], here);
    if (!episode || !here.length) return;
    const parts = await json("api/heat", { text: question, episode }).catch(() => []);
    if (mine === turn && episode === player.episode?.id) Earmark.timeline.heat(parts, here);
  };

  const show = async (answer) => {
    const mine = turn;
    draw(answer);
    history = [...history, answer.question].slice(-3);
    $("ask").classList.remove("busy");
    say("hint", "");
    const times = answer.sentences.flatMap((sentence) => sentence.moments.map((moment) => clock(moment.start)));
    announce(`${answer.covered ? "Answer" : "Not covered"}: ${answer.sentences.map((sentence) => sentence.text).join(" ")}`
      + (times.length ? ` At ${[...new Set(times)].join(", ")}.` : ""));
    if (!$("aloud").checked || !answer.sentences.length) {
      player.giveBack();
      return;
    }
    $("stop").hidden = false;
    const texts = answer.sentences.map((sentence) => sentence.text);
    const mark = (now) => [...$("sentences").children].forEach((line, i) => line.classList.toggle("sounding", i === now));
    try {
      await voice.read(texts, mark);
    } catch (error) {
      Earmark.hint(`The answer cannot be read aloud: ${error.message}`);
    }
    if (mine !== turn) return;
    endReading();
    player.giveBack();
  };

  // Another episode is on the page: what was asked about the last one goes.
  Earmark.forgetAnswer = () => {
    turn += 1;
    history = [];
    voice.stop();
    endReading();
    Earmark.timeline.heat([], []);
    $("answer").hidden = true;
    $("ask").classList.remove("busy");
    Earmark.hint("");
  };

  // Questions that the episode answers.
  Earmark.suggest = (questions) => {
    $("suggestions").hidden = !questions.length;
    $("chips").replaceChildren(...questions.slice(0, 6).map((question) => make(
      "li", {}, make("button", { type: "button", class: "chip", "data-ask": question }, question),
    )));
  };

  Earmark.startAnswers = () => {
    $("aloud").checked = Earmark.recall("aloud", true);
    $("aloud").onchange = () => {
      Earmark.remember("aloud", $("aloud").checked);
      if (!$("aloud").checked) voice.stop();
    };
    $("stop").onclick = () => voice.stop();
  };
})(window.Earmark);
