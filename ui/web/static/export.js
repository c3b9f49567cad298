// SPDX-License-Identifier: GPL-3.0-or-later
// To take away: a clip, the conversation and one's notes as Markdown, the transcript and chapters as files.

import { answers } from "./answer.js";
import { $, clock, make } from "./dom.js";
import { shelf } from "./episode_list.js";
import { chosen, removeEpisode } from "./episode_view.js";
import { lookNow } from "./main.js";
import { t } from "./texts.js";
import { copy, toast } from "./toast.js";
import { go } from "./views.js";

const FILES = [["vtt", "VTT"], ["srt", "SRT"], ["markdown", "Markdown"], ["chapters", ""]];
const LONGEST = 120; // seconds of a clip

// The address of a moment, to be sent to others.
export const linkTo = (episode, seconds) => {
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

// Let the listener save a text as a file.
export const saveText = (name, text, kind = "text/markdown") => {
  const address = URL.createObjectURL(new Blob([text], { type: kind }));
  download(name, address);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
};

const fileName = (episode) => episode.title.replace(/[^\p{L}\p{N} -]/gu, "").trim().slice(0, 80) || "episode";

const markdown = (episode) => {
  const lines = [`# ${plain(episode.title)}`, "", [episode.show, ...episode.guests].filter(Boolean).map(plain).join(" · "), ""];
  for (const answer of answers.conversation()) {
    lines.push(`## ${plain(answer.question)}`, "");
    for (const { text, moments } of answer.sentences) {
      lines.push(`${plain(text)} ${moments.map((moment) => `[${clock(moment.start)}](${linkTo(moment.episode, moment.start)})`).join(" ")}`.trim(), "");
    }
  }
  const notes = $("notes").value.trim();
  if (notes) lines.push("## Notes", "", notes, "");
  return lines.join("\n");
};

const clearRemove = (sure = false) => {
  $("remove").textContent = sure ? t("Yes, remove it for good") : t("Remove it from the library…");
  $("remove-not").hidden = !sure;
};

// Two steps, since it cannot be undone.
const remove = async () => {
  const { id, title } = chosen();
  if ($("remove-not").hidden) { clearRemove(true); return; }
  clearRemove();
  try {
    await removeEpisode(id);
    await go({ name: "home" }, { replace: true });
    toast(t("“{title}” is removed.", { title }));
    lookNow();
  } catch (error) {
    toast(error.message);
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
    const quote = `“${moment.quote}”\n${who}, ${clock(moment.start)}\n${linkTo(moment.episode, moment.start)}`;
    const sound = episode?.audio ? t("The sound is among your downloads.") : "";
    await copy(quote, `${sound} ${t("The quote and a link are in your clipboard.")}`.trim(), `${sound} ${quote}`.trim());
  },

  // Another episode is on the page.
  open(episode) {
    clearRemove();
    $("files").replaceChildren(...FILES.map(([form, name]) => make("li", {}, make("a", {
      href: `api/episodes/${encodeURIComponent(episode.id)}/export/${form}`, download: "", class: "file",
    }, form === "chapters" ? t("Chapters (JSON)") : t("Transcript ({form})", { form: name })))));
  },

  start() {
    $("remove").onclick = remove;
    $("remove-not").onclick = () => { clearRemove(); $("remove").focus(); };
    $("save-markdown").onclick = () => saveText(`${fileName(chosen())}.md`, markdown(chosen()));
  },
};
