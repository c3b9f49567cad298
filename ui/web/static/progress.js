// SPDX-License-Identifier: GPL-3.0-or-later
// Where this listener is in each episode and what was heard of it. The server keeps it under a key that this browser
// has drawn by chance, so nobody shares a position; a link with the key after # makes another device the same listener.

((Earmark) => {
  const { $, recall, remember } = Earmark;
  const REPORT_EVERY = 5; // seconds of playback between two notes of the position
  const JUMP = 2; // seconds between two looks at the player that nobody can have listened to in between

  const draw = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  // The key: from an earlier visit, or a new one. A link for another device holds one too; whoever sends such a link
  // would from then on see and move where this listener is, so nothing happens before the listener has said so.
  const FORM = /^[A-Za-z0-9_.@-]{8,80}$/;
  const kept = recall("listener", null);
  const key = typeof kept === "string" && FORM.test(kept) ? kept : draw();
  remember("listener", key);
  const given = new URLSearchParams(location.hash.slice(1)).get("listener");
  if (given !== null) history.replaceState(null, "", location.pathname + location.search);

  const askForKey = () => {
    const notice = $("other-listener");
    if (given === null || given === key) return;
    if (!FORM.test(given)) {
      Earmark.hint("The link for another device is damaged; nothing was changed. Copy it again.");
      return;
    }
    notice.hidden = false;
    $("other-listener-yes").onclick = () => {
      remember("listener-before", key);
      remember("listener", given);
      location.reload();
    };
    $("other-listener-no").onclick = () => { notice.hidden = true; };
  };

  const address = (id) => `api/listening/${encodeURIComponent(id)}`;
  const headers = { "X-Listener": key, "Content-Type": "application/json" };

  let episode = null;
  let heard = []; // stretches [start, end], as the server joined them
  let fresh = []; // stretches it has not been told of
  let now = null; // the stretch that is being heard
  let told = 0; // position of the last note

  Earmark.progress = {
    key,

    // Where the listener is in an episode: {position, heard}; from this browser alone when the server does not say.
    async load(id) {
      const here = recall(`listened:${id}`, { position: 0, at: 0 });
      try {
        const reply = await fetch(address(id), { headers });
        if (!reply.ok) throw new Error(reply.statusText);
        const there = await reply.json();
        return { heard: there.heard, position: there.at >= here.at ? there.position : here.position };
      } catch {
        return { heard: [], position: here.position };
      }
    },

    // Another episode is on the page.
    open(id, kept) {
      if (episode && episode !== id) this.report();
      [episode, heard, fresh, now, told] = [id, kept.heard, [], null, kept.position];
      Earmark.timeline.heard(heard);
    },

    // The episode on the page is no more.
    leave() { episode = null; },

    // The player is at this second; `playing` when it got there by playing on.
    at(seconds, playing) {
      if (!episode) return;
      if (playing && now && seconds >= now[1] && seconds - now[1] < JUMP * Math.max(1, Earmark.player.audio.playbackRate)) {
        now[1] = seconds;
      } else {
        now = playing ? [seconds, seconds] : null;
        if (now) fresh.push(now);
      }
      if (playing && Math.abs(seconds - told) > REPORT_EVERY) this.report();
    },

    // Tell the server.
    report() {
      if (!episode) return;
      const id = episode;
      const position = Math.round(10 * Earmark.player.position) / 10;
      const stretches = fresh.filter(([start, end]) => end > start).map(([start, end]) => [start, end]);
      if (Math.abs(position - told) < 0.1 && !stretches.length) return; // no news, and another device may have some
      told = position;
      fresh = now ? [now = [now[1], now[1]]] : [];
      remember(`listened:${id}`, { position, at: Date.now() / 1000 });
      fetch(address(id), { method: "PUT", headers, keepalive: true, body: JSON.stringify({ position, heard: stretches }) })
        .then((reply) => (reply.ok ? reply.json() : Promise.reject(new Error(reply.statusText))))
        .then((kept) => {
          remember(`listened:${id}`, { position, at: kept.at }); // by the server's clock, which all devices share
          if (episode !== id) return;
          heard = kept.heard;
          Earmark.timeline.heard(heard);
        })
        .catch(() => { if (episode === id) fresh.unshift(...stretches); }); // told with the next note
    },

    // The page is looked at again: when nothing plays here and another device went on meanwhile, be where that is.
    async catchUp() {
      const id = episode;
      if (!id || Earmark.player.playing || Earmark.player.interrupted) return;
      const before = Earmark.player.position;
      const kept = await this.load(id);
      if (id !== episode || Earmark.player.playing || Earmark.player.position !== before) return;
      heard = kept.heard;
      Earmark.timeline.heard(heard);
      if (Math.abs(kept.position - before) < JUMP) return;
      told = kept.position;
      Earmark.player.seek(kept.position);
      Earmark.hint(`You went on listening on another device: this one is at ${Earmark.clock(kept.position)} now.`);
    },

    // A link that makes another device this listener.
    async copyKey() {
      const link = new URL(location.href);
      link.hash = `listener=${key}`;
      try {
        await navigator.clipboard.writeText(link.href);
        Earmark.hint("In your clipboard is a link for another device of yours. It goes on where you are; keep it to yourself.");
      } catch {
        Earmark.hint(`Open this address on your other device, and keep it to yourself: ${link.href}`);
      }
    },

    start() {
      $("other-device").onclick = () => this.copyKey();
      askForKey();
      addEventListener("pagehide", () => this.report());
      document.addEventListener("visibilitychange", () => { if (document.hidden) this.report(); else this.catchUp(); });
    },
  };
})(window.Earmark);
