// SPDX-License-Identifier: GPL-3.0-or-later
// Adding to the library: dropped files, addresses of recordings and feeds, and a better model.

((Earmark) => {
  const { $, json, make, say } = Earmark;

  const note = (text) => {
    say("add-note", text);
    if (text) Earmark.announce(text);
  };

  const added = (episodes) => {
    const fresh = episodes.filter((episode) => !episode.ready);
    const one = episodes.length === 1 ? `“${episodes[0].title}”` : "";
    if (!fresh.length) note(one ? `${one} is in your library already.` : `All ${episodes.length} are in your library already.`);
    else note(one ? `${one} is being taken in.` : `${fresh.length} episodes are being taken in.`);
    Earmark.lookNow();
  };

  const attempt = async (doing, act) => {
    note(doing);
    $("add").classList.add("busy");
    try {
      await act();
    } catch (error) {
      note(error.message);
    } finally {
      $("add").classList.remove("busy");
    }
  };

  const files = (list) => attempt("Copying…", async () => {
    const batch = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    for (const file of list) {
      note(`Copying ${file.name}…`);
      const reply = await fetch(`api/upload/${batch}/${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
      if (!reply.ok) throw new Error(Earmark.reason(await reply.json().catch(() => ({}))) || reply.statusText);
    }
    added(await json("api/add", { batch }));
  });

  const drawFeeds = (feeds) => {
    $("feeds").replaceChildren(...feeds.map((feed) => {
      const name = feed.title || feed.address;
      const button = make("button", { type: "button", class: "own", "aria-label": `Follow ${name} no longer` }, "Unfollow");
      button.onclick = () => attempt("", async () => {
        drawFeeds(await json("api/feeds/forget", { id: feed.id }));
        note(`“${name}” is followed no longer; its episodes stay.`);
        $("add").querySelector("summary").focus();
      });
      return make("li", { title: feed.address }, make("span", {}, name), button);
    }));
    $("feeds-part").hidden = !feeds.length;
  };
  const readFeeds = async () => drawFeeds(await json("api/feeds").catch(() => []));

  // -- a better model ----------------------------------------------------------------------------------------

  const watchModel = async () => {
    const { fetching } = await json("api/models").catch(() => ({ fetching: null }));
    if (!fetching?.name) return;
    const under = !fetching.problem && !fetching.done;
    const text = fetching.problem || (under ? `Fetching ${fetching.name}: ${Math.round(100 * fetching.progress)} %`
      : `${fetching.name} is here. ${fetching.next || "It is in use now."}`);
    say("model-note", text);
    $("model-progress").hidden = !under;
    $("model-progress").value = fetching.progress;
    if (under) setTimeout(watchModel, 500);
    else {
      Earmark.announce(text);
      Earmark.lookNow();
    }
  };

  // The button behind an engine that can be better; null when there is nothing to fetch.
  Earmark.betterButton = (engine) => {
    const name = /models get ([\w.-]+)/.exec(engine.better)?.[1];
    const size = /\d+ MB/.exec(engine.better)?.[0];
    if (!name) return null;
    const button = make("button", { type: "button", class: "own", title: engine.better }, `Get ${name}${size ? ` (${size})` : ""}`);
    button.onclick = async () => {
      try {
        await json("api/models", { name });
        watchModel();
      } catch (error) {
        say("model-note", error.message);
        Earmark.announce(error.message);
      }
    };
    return button;
  };

  Earmark.adding = {
    // Put the card away; false when it was not there.
    close() {
      const { open } = $("add");
      if (open && $("add").contains(document.activeElement)) $("add").querySelector("summary").focus();
      $("add").open = false;
      return open;
    },

    start() {
      document.addEventListener("pointerdown", (event) => { if (!$("add").contains(event.target)) $("add").open = false; });
      $("add-form").onsubmit = (event) => {
        event.preventDefault();
        const address = $("add-address").value.trim();
        if (!address) return;
        attempt("Looking what is there…", async () => {
          added(await json("api/add", { address, latest: Number($("add-latest").value) }));
          $("add-address").value = "";
          readFeeds();
        });
      };
      $("add-files").onchange = () => { files($("add-files").files); };
      $("feeds-sync").onclick = () => attempt("Looking for new episodes…", async () => {
        const found = await json("api/feeds/sync", {});
        const fresh = found.reduce((sum, feed) => sum + feed.new, 0);
        const problems = found.filter((feed) => feed.problem).map((feed) => `${feed.title}: ${feed.problem}`);
        note([`${fresh} new.`, ...problems].join(" "));
        Earmark.lookNow();
      });
      $("add").ontoggle = () => { if ($("add").open) readFeeds(); };
      document.addEventListener("dragover", (event) => {
        if (![...event.dataTransfer.types].includes("Files")) return;
        event.preventDefault();
        document.body.classList.add("dropping");
      });
      document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dropping"); });
      document.addEventListener("drop", (event) => {
        document.body.classList.remove("dropping");
        if (!event.dataTransfer.files.length) return;
        event.preventDefault();
        $("add").open = true;
        files([...event.dataTransfer.files]);
      });
    },
  };
})(window.Earmark);
