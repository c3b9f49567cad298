// SPDX-License-Identifier: GPL-3.0-or-later
// A question from the moment it is asked to the end of its answer. Every question has a number, its turn;
// whatever comes back with an older number is dropped.

((Earmark) => {
  const { $, announce, json, make, player, recall, remember, say, voice } = Earmark;
  const REMEMBERED = 3; // questions that a follow-up may lean on
  const LONGEST = 2000; // characters of a text that the server takes

  let turn = 0;
  let settled = 0; // the latest turn that has had its last word
  let asking = null; // what breaks off the request of the turn that is being answered
  let spoken = ""; // what was heard, while it is being asked
  let readOut = 0; // sentences of the answer that the voice has been given
  let aloud = null; // the feed of the voice that reads the answer, while there is one

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

  // What a follow-up may lean on: the last questions, with the moments of their answers.
  const history = () => Earmark.answers.conversation().slice(-REMEMBERED).map((answer) => {
    const cited = answer.sentences.flatMap((sentence) => sentence.moments);
    const moments = (cited.length ? cited : answer.moments).slice(0, 8);
    return { text: answer.question, moments: moments.map((one) => ({
      ...one, quote: one.quote.slice(0, LONGEST), speaker: one.speaker.slice(0, 200),
    })) };
  });

  const scope = () => $("scope").value;

  const question = (text) => ({
    text,
    stream: true,
    episode: Earmark.chosen()?.id ?? null,
    scope: scope(),
    position: player.episode?.audio ? player.position : null,
    heard_until: Earmark.limit(),
    playing: player.episode?.id ?? null,
    history: history(),
  });

  // How far an answer may look, in seconds: to where the listener is, or to the end (null).
  Earmark.limit = () => ($("so-far").checked && scope() === "episode" ? player.position : null);

  const begin = (text) => {
    turn += 1;
    asking?.abort();
    [aloud, readOut] = [null, 0];
    Earmark.hush();
    voice.unlock();
    player.interrupt();
    Earmark.answers.next();
    Earmark.hint(text);
    Earmark.say("heard-text", spoken && `I heard: “${spoken}”`);
    $("heard-as").hidden = !spoken;
    $("ask").classList.add("busy");
    $("stop").hidden = true;
  };

  // The question is over, one way or the other.
  const end = (text = "") => {
    spoken = "";
    aloud?.end();
    $("ask").classList.remove("busy");
    Earmark.hint(text);
    if (!aloud) player.giveBack();
  };

  const endReading = () => {
    const stop = $("stop");
    // the focus must not fall out of the page with the button, nor bring a phone's keyboard up
    if (document.activeElement === stop) $("answer").focus({ preventScroll: true });
    stop.hidden = true;
    Earmark.answers.sounding(-1);
  };

  Earmark.turn = () => turn;

  // -- asking ------------------------------------------------------------------------------------------------

  // Ask what stands in the field; its answer comes as lines of JSON, each told to `Earmark.news`.
  const put = async () => {
    const text = field().value.trim().slice(0, LONGEST);
    if (!text) {
      Earmark.hint("Type a question, or tap the microphone and say it.");
      field().focus();
      return;
    }
    if (Earmark.nothing) {
      Earmark.hint("There is nothing to ask yet: open “Add episodes”, or drop a recording on this page.");
      return;
    }
    begin(`Looking through ${{ episode: "the episode", show: "the show", library: "your library" }[scope()]}…`);
    const [mine, request] = [turn, new AbortController()];
    asking = request;
    try {
      const reply = await fetch("api/ask", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question(text)),
        signal: request.signal,
      });
      if (!reply.ok) {
        const message = Earmark.reason(await reply.json().catch(() => ({}))) || reply.statusText;
        Earmark.news({ state: "error", turn: mine, message, hint: "" });
        return;
      }
      await follow(reply.body, text, mine);
      if (mine === turn && settled !== turn) broke();
    } catch (error) {
      if (error.name !== "AbortError" && mine === turn) broke();
    } finally {
      if (asking === request) asking = null;
    }
  };

  // Tell what comes, as it comes; all that has come at once is drawn at once.
  const follow = async (body, text, mine) => {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    const sentences = [];
    let rest = "";
    for (;;) {
      const { done, value = "" } = await reader.read();
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      let news = null;
      for (const line of lines) {
        const { waiting, sentence, answer, error, hint = "" } = JSON.parse(line);
        if (sentence) sentences.push(sentence);
        if (waiting) news = { state: "waiting", message: waiting };
        else if (error) news = { state: "error", message: error, hint };
        else if (answer) news = { ...answer, state: "answer" };
        else news = { state: "telling", question: text, covered: true, sentences: [...sentences] };
      }
      if (news) Earmark.news({ ...news, turn: mine });
      if (done) return;
    }
  };

  const broke = () => {
    settled = turn;
    end("Something went wrong on the way to the answer. Is Earmark still running? Ask again.");
  };

  // -- called by the microphone ------------------------------------------------------------------------------

  Earmark.listening = () => { spoken = ""; begin("Listening… tap again or let go when you have asked; Escape forgets it."); };
  Earmark.unheard = (text) => end(text);
  Earmark.hearing = async (samples) => {
    const mine = turn;
    Earmark.hint("Understanding what you said…");
    const episode = Earmark.chosen()?.id;
    const reply = await fetch(`api/hear${episode ? `?episode=${encodeURIComponent(episode)}` : ""}`, {
      method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: samples,
    });
    const heard = await reply.json().catch(() => ({}));
    if (mine !== turn) return;
    if (!reply.ok) { end(heard.error ?? heard.detail ?? reply.statusText); return; }
    if (!heard.text?.trim()) { end("I heard no question. Tap the microphone and try again, or type it."); return; }
    Earmark.ask(heard.text.trim(), true);
  };

  Earmark.ask = (text, heard = false) => {
    write(text);
    spoken = heard ? text : "";
    put();
  };

  // What comes of a question: waiting and telling (any number of times), then an answer or an error.
  Earmark.news = (news) => {
    if (!news || news.turn !== turn || settled === turn) return;
    if (news.state === "waiting") Earmark.hint(`Your question waits: ${news.message}`);
    else if (news.state === "telling") tell(news);
    else settled = turn;
    if (news.state === "error") end(`${news.message} ${news.hint}`.trim());
    if (news.state === "answer") show(news);
  };

  // -- the answer --------------------------------------------------------------------------------------------

  // Show on the timeline where the answer lies; the answer does not wait for the picture.
  const warm = async (question, moments) => {
    const mine = turn;
    const episode = player.episode?.id;
    const here = moments.filter((moment) => moment.episode === episode);
    Earmark.timeline.heat([], here);
    if (!episode || !here.length) return;
    const parts = await json("api/heat", { text: question, episode, heard_until: Earmark.limit() }).catch(() => []);
    if (mine === turn && episode === player.episode?.id) Earmark.timeline.heat(parts, here);
  };

  // Read aloud what has come of an answer, and what will come; then the playback is as it was. A question that was
  // spoken is answered aloud in any case.
  const read = async (mine) => {
    const feed = aloud = voice.feed();
    $("stop").hidden = false;
    try {
      await voice.read(feed, Earmark.answers.sounding);
    } catch (error) {
      Earmark.hint(`The answer cannot be read aloud: ${error.message}`);
    }
    if (mine !== turn) return;
    aloud = null;
    endReading();
    if (settled === turn) player.giveBack();
  };

  // Some of an answer is there: its sentences so far.
  const tell = ({ sentences, question, covered }) => {
    say("hint", "");
    Earmark.answers.tell({ question, sentences, covered });
    const told = readOut;
    readOut = sentences.length;
    if (!told && sentences.length && (spoken || $("aloud").checked)) read(turn);
    for (const { text } of sentences.slice(told)) aloud?.push(text);
  };

  // All of an answer is there.
  const show = (answer) => {
    if (answer.command) {
      end(Earmark.carryOut(answer));
      return;
    }
    tell(answer);
    warm(answer.question, Earmark.answers.show(answer));
    announce(Earmark.answers.inWords(answer));
    spoken = "";
    $("ask").classList.remove("busy");
    if (aloud) aloud.end();
    else player.giveBack();
  };

  // Another episode is on the page: what was asked about the last one goes.
  Earmark.forgetAnswer = () => {
    turn += 1;
    asking?.abort();
    [aloud, readOut] = [null, 0];
    Earmark.hush();
    endReading();
    Earmark.timeline.heat([], []);
    Earmark.answers.forget();
    $("heard-as").hidden = true;
    $("ask").classList.remove("busy");
    Earmark.hint("");
  };

  // An episode is on the page: go on with what was asked about it before.
  Earmark.goOn = (id) => {
    const here = Earmark.answers.restore(id).filter((moment) => moment.episode === id);
    Earmark.timeline.heat([], here);
  };

  // The server does not answer: no question waits any longer.
  Earmark.lost = () => {
    if (!$("ask").classList.contains("busy") || settled === turn) return;
    settled = turn;
    end("Earmark does not answer. Your question is kept: ask it again when Earmark is running.");
  };

  // Questions that the episode answers.
  Earmark.suggest = (questions) => {
    $("suggestions").hidden = !questions.length;
    $("chips").replaceChildren(...questions.slice(0, 6).map((question) => make(
      "li", {}, make("button", { type: "button", class: "chip", "data-ask": question }, question),
    )));
  };

  const scoped = () => {
    $("so-far").disabled = scope() !== "episode";
    $("ask-heading").textContent = { episode: "Ask this episode", show: "Ask this show", library: "Ask your library" }[scope()];
    field().placeholder = `Ask me anything about ${{ episode: "this podcast episode", show: "this show", library: "your podcasts" }[scope()]}…`;
  };

  // Bring the place where one asks into sight.
  Earmark.askHere = () => {
    field().focus({ preventScroll: true });
    $("ask").scrollIntoView({ block: "start" });
  };

  Earmark.startAnswers = () => {
    for (const name of ["aloud", "so-far"]) {
      $(name).checked = recall(name, name === "aloud");
      $(name).addEventListener("change", () => remember(name, $(name).checked));
    }
    $("aloud").addEventListener("change", () => { if (!$("aloud").checked) voice.stop(); });
    $("scope").onchange = scoped;
    const draft = Earmark.tab.recall("draft", "");
    if (draft) write(draft);
    field().addEventListener("input", () => Earmark.tab.remember("draft", field().value));
    scoped();
    $("stop").onclick = () => voice.stop();
    $("ask-button").addEventListener("click", put);
    field().addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      put();
    });
    $("correct").onclick = () => {
      Earmark.hush();
      field().focus();
      field().select();
    };
  };
})(window.Earmark);
