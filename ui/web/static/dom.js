// SPDX-License-Identifier: GPL-3.0-or-later
// What all parts of the page use. Everything hangs on one global name, so that Gradio's js= hooks can reach it.

window.Earmark = {};

((Earmark) => {
  Earmark.$ = (id) => document.getElementById(id);

  // Make an element. Texts are added as text nodes, so nothing in them is ever markup.
  Earmark.make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name in element && typeof value === "boolean") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };

  // Put a text into an element and hide the element when there is none.
  Earmark.say = (id, text) => {
    const element = Earmark.$(id);
    if (element.textContent !== text) element.textContent = text;
    element.hidden = !text;
  };

  // Tell people who listen to the page instead of looking at it, when they are not being told something else.
  Earmark.announce = (text) => { Earmark.$("announce").textContent = text; };

  // Seconds as people write a time: 1:05, 1:02:03.
  Earmark.clock = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds || 0));
    const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (number) => String(number).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  };

  // Seconds as people say a length: 9 min, 1 h 12 min.
  Earmark.length = (seconds) => {
    const minutes = Math.max(1, Math.round(seconds / 60));
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  };

  // A button that plays from a time. The click is caught in main.js and never leaves the browser.
  Earmark.timeButton = (seconds, episode, speaker, ...children) => Earmark.make(
    "button", { type: "button", class: "time", "data-seek": seconds, "data-episode": episode },
    Earmark.make("span", { class: "time-mark", "aria-hidden": "true" }),
    Earmark.make("span", { class: "unseen" }, "Play from "),
    Earmark.make("span", { class: "clock" }, Earmark.clock(seconds)),
    speaker ? Earmark.make("span", { class: "unseen" }, `, ${speaker}`) : null, ...children,
  );

  // JSON from the server, to which `body` is sent if there is one. Throws an Error with a sentence for a person.
  Earmark.json = async (path, body, method = body ? "POST" : "GET") => {
    const headers = { Accept: "application/json", "Content-Type": "application/json" };
    const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
      .catch(() => { throw new Error("Earmark does not answer. Is it still running?"); });
    if (!response.ok) throw new Error(Earmark.reason(await response.json().catch(() => ({}))) || response.statusText);
    return response.json();
  };

  // What an answer that is an error says, with the next step.
  Earmark.reason = (answer) => {
    const detail = typeof answer.detail === "string" ? answer.detail : "";
    return [answer.error, answer.hint, detail].filter(Boolean).join(" ");
  };

  // What this browser remembers between visits, or this tab until it is closed; one that forbids it just forgets.
  const keeping = (store) => ({
    remember(key, value) {
      try { store().setItem(`earmark:${key}`, JSON.stringify(value)); } catch { /* private mode, or full */ }
    },
    recall(key, otherwise) {
      try { return JSON.parse(store().getItem(`earmark:${key}`)) ?? otherwise; } catch { return otherwise; }
    },
  });
  Object.assign(Earmark, keeping(() => localStorage));
  Earmark.tab = keeping(() => sessionStorage);
})(window.Earmark);
