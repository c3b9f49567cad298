// SPDX-License-Identifier: GPL-3.0-or-later
// The loudspeakers of the house: what plays here goes on in another room, and comes back, at the same second.

import { $, clock, fetchJson, make, ownButton } from "./dom.js";
import { shelf } from "./episode_list.js";
import { player } from "./player.js";
import { t } from "./texts.js";
import { toast } from "./toast.js";

const steer = (room, body) => fetchJson(`api/loudspeakers/${encodeURIComponent(room)}`, body);

// Do something in a room, and say why when it cannot be done; what the rooms play is shown again.
const doing = (act) => async () => {
  try {
    await act();
  } catch (error) {
    toast(error.message);
  }
  await drawRooms();
};

const send = async (room) => {
  const { episode, position } = player;
  await steer(room, { do: "play", episode: episode.id, position });
  player.pause();
  toast(t("“{title}” goes on in another room: {room}.", { title: episode.title, room }));
};

const takeBack = async (room) => {
  const there = await steer(room, { do: "pause" });
  if (there.episode) await player.playAt(there.episode, there.position);
};

// What a room plays or holds, in words.
const playing = ({ problem, episode, position }) => {
  if (problem) return problem;
  return episode ? t("{title}, at {time}", { title: shelf.known(episode)?.title ?? t("An episode"), time: clock(position) }) : "";
};

const row = (there) => {
  const { room, episode, problem } = there;
  const button = (text, label, act) => ownButton(text, doing(act), { "aria-label": label });
  const tools = problem ? [] : [
    player.episode?.audio ? button(t("Play there"), t("Play it there: {room}", { room }), () => send(room)) : null,
    ...(episode ? [
      there.playing ? button(t("Pause"), t("Pause there: {room}", { room }), () => steer(room, { do: "pause" }))
        : button(t("Go on"), t("Go on there: {room}", { room }), () => steer(room, { do: "resume" })),
      button(t("Take it back"), t("Take it back from there: {room}", { room }), () => takeBack(room)),
    ] : []),
  ];
  return make("li", {}, make("span", { class: "queue-title" }, make("strong", { class: "room" }, room), " ", playing(there)),
    make("span", { class: "queue-tools" }, ...tools));
};

// Show the rooms that have a loudspeaker, and what plays there; nothing where there is none.
export const drawRooms = async () => {
  const rooms = await fetchJson("api/loudspeakers").catch(() => []);
  await shelf.need(rooms.map(({ episode }) => episode).filter(Boolean));
  $("rooms-part").hidden = !rooms.length;
  $("rooms").replaceChildren(...rooms.map(row));
};
