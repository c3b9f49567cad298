// SPDX-License-Identifier: GPL-3.0-or-later
// Which part of the page one looks at: the library, a show, an episode or what was saved. Each has an address of its
// own, and the browser's Back and Forward lead through them. What plays is not touched by it.

import { showScope } from "./ask.js";
import { $ } from "./dom.js";
import { drawLibrary, shelf } from "./episode_list.js";
import { choose, drawLead, leaveEpisode } from "./episode_view.js";
import { kept } from "./kept.js";
import { format, parse, same } from "./route.js";
import { later, t } from "./texts.js";

/** @typedef {import("./route.js").View} View */

/** @type {View} */
let now = { name: "home" };
let depth = 0; // views that Back leads through

/** @returns {View} what is on the page */
export const view = () => now;

const titles = { home: "Earmark", kept: later("Saved – Earmark") };

// Show which parts belong to the view; what is in them is drawn by whose they are.
const arrange = async (play = false) => {
  const { name } = now;
  const searching = name === "home" && Boolean(now.text);
  document.body.dataset.view = searching ? "search" : name;
  $("columns").hidden = searching || name === "kept";
  $("side").hidden = $("episode").hidden = name !== "episode";
  $("library").hidden = name === "episode" || name === "kept";
  $("kept").hidden = name !== "kept";
  $("go-back").hidden = name === "home";
  $("go-back").textContent = depth ? t("← Back") : t("← Library");
  if (name !== "episode") {
    leaveEpisode();
    document.title = name === "show" ? `${now.show} – Earmark` : t(titles[name]);
    drawLead();
  }
  const listed = name === "home" || name === "show" ? drawLibrary() : null;
  if (name === "episode") await shelf.need([now.episode]); // whose show it is
  showScope();
  if (name === "kept") kept.show();
  if (name === "episode") await choose(now.episode, now.at ?? null, play);
  await listed;
};

/**
 * Go to a view. With `replace` the present one is not a place to come back to.
 * @param {View} to
 * @param {{replace?: boolean, play?: boolean}} how
 */
export const go = async (to, { replace = false, play = false } = {}) => {
  const stays = same(now, to);
  history.replaceState({ ...history.state, top: scrollY, scope: $("scope").value }, "");
  if (!stays) $("scope").value = "episode";
  now = to;
  if (replace || stays) history.replaceState({ ...history.state, depth }, "", format(to));
  else {
    depth += 1;
    history.pushState({ depth, top: 0 }, "", format(to));
  }
  const drawn = arrange(play);
  if (!stays && !to.text) scrollTo({ top: 0, behavior: "instant" });
  await drawn;
};

// To where one came from, or else to the library.
const goBack = () => { if (depth) history.back(); else go({ name: "home" }); };

// The view that the page was opened for; it is drawn when the library is known.
export const openFor = (first) => { now = first; };

export const startViews = () => {
  history.scrollRestoration = "manual";
  depth = history.state?.depth ?? 0;
  history.replaceState({ depth, ...history.state }, "", location.href.split("#")[0].replace(/[?&]t=[^&]*/, ""));
  addEventListener("popstate", async (event) => {
    now = parse(location.search, location.hash);
    depth = event.state?.depth ?? 0;
    $("filter").value = now.text ?? "";
    $("scope").value = event.state?.scope ?? "episode";
    await arrange();
    if (now.name === "home") shelf.seek();
    scrollTo({ top: event.state?.top ?? 0, behavior: "instant" });
  });
  $("go-back").onclick = goBack;
  $("scope").value = history.state?.scope ?? "episode";
  $("scope").addEventListener("change", () => history.replaceState({ ...history.state, scope: $("scope").value }, ""));
  return arrange();
};
