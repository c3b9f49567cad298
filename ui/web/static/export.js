// SPDX-License-Identifier: GPL-3.0-or-later
// To take away: a clip, the conversation and one's notes as Markdown, the transcript and chapters as files.

import { answers } from "./answer.js";
import { hint } from "./ask.js";
import { $, clock, make, recall, remember } from "./dom.js";
import { shelf } from "./episode_list.js";
import { chosen, removeEpisode } from "./episode_view.js";
import { lookNow } from "./main.js";
import { player } from "./player.js";

const FILES = [["vtt", "Transcript (VTT)"], ["srt", "Transcript (SRT)"], ["markdown", "Transcript (Markdown)"], ["chapters", "Chapters (JSON)"]];
const LONGEST = 120; // seconds of a clip

const link = (episode, seconds) => {
  const address = new URL(location.pathname, location.origin);
  address.searchParams.set("episode", episode);
  address.searchParams.set("t", String(Math.floor(seconds)));
  return address.href;
};

// What Markdown would take for markup is written with a backslash, so that text stays text.
const plain = (text) => text.replace(/[\\`*_{}[\]<>#|!]/g, "\\$&").replace(/\s+/g, " ").trim();

const download = (name, address) => {
  const anchor = make("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
};

const fileName = (episode) => episode.title.replace(/[^\p{L}\p{N} -]/gu, "").trim().slice(0, 80) || "episode";

const markdown = (episode) => {
  const lines = [`# ${plain(episode.title)}`, "", [episode.show, ...episode.guests].filter(Boolean).map(plain).join(" · "), ""];
  for (const answer of answers.conversation()) {
    lines.push(`## ${plain(answer.question)}`, "");
    for (const { text, moments } of answer.sentences) {
      lines.push(`${plain(text)} ${moments.map((moment) => `[${clock(moment.start)}](${link(moment.episode, moment.start)})`).join(" ")}`.trim(), "");
    }
  }
  const notes = $("notes").value.trim();
  if (notes) lines.push("## Notes", "", notes, "");
  return lines.join("\n");
};

const clearRemove = (text = "Remove it from the library…") => {
  $("remove").textContent = text;
  $("remove-not").hidden = text.endsWith("…");
};

// Two steps, since it cannot be undone.
const remove = async () => {
  const { id, title } = chosen();
  if ($("remove-not").hidden) { clearRemove("Yes, remove it for good"); return; }
  clearRemove();
  try {
    await removeEpisode(id);
    hint(`“${title}” is removed.`);
    lookNow();
  } catch (error) {
    hint(error.message);
  }
};

export const share = {
  async clip(moment) {
    const end = Math.min(moment.end, moment.start + LONGEST);
    const episode = shelf.known(moment.episode);
    if (episode?.audio) {
      download(`${fileName(episode)} ${clock(moment.start).replaceAll(":", ".")}.m4a`,
        `api/episodes/${encodeURIComponent(moment.episode)}/clip?start=${moment.start}&end=${end}`);
    }
    const who = [moment.speaker, episode?.title].filter(Boolean).join(", ");
    const quote = `“${moment.quote}”\n${who}, ${clock(moment.start)}\n${link(moment.episode, moment.start)}`;
    const sound = episode?.audio ? "The sound is among your downloads. " : "";
    try {
      await navigator.clipboard.writeText(quote);
      hint(`${sound}The quote and a link are in your clipboard.`);
    } catch {
      hint(`${sound}${quote}`);
    }
  },

  // Another episode is on the page.
  open(episode) {
    clearRemove();
    $("notes").value = recall(`notes:${episode.id}`, "");
    $("files").replaceChildren(...FILES.map(([form, name]) => make("li", {}, make("a", {
      href: `api/episodes/${encodeURIComponent(episode.id)}/export/${form}`, download: "", class: "file",
    }, name))));
  },

  start() {
    $("remove").onclick = remove;
    $("remove-not").onclick = () => { clearRemove(); $("remove").focus(); };
    $("notes").oninput = () => { if (player.episode) remember(`notes:${player.episode.id}`, $("notes").value); };
    $("note-time").onclick = () => {
      const at = player.position;
      const before = $("notes").value.replace(/\s*$/, "");
      $("notes").value = `${before}${before ? "\n" : ""}- [${clock(at)}](${link(player.episode.id, at)}) `;
      $("notes").dispatchEvent(new Event("input"));
      $("notes").focus();
    };
    $("save-markdown").onclick = () => {
      const address = URL.createObjectURL(new Blob([markdown(player.episode)], { type: "text/markdown" }));
      download(`${fileName(player.episode)}.md`, address);
      setTimeout(() => URL.revokeObjectURL(address), 10_000);
    };
  },
};
