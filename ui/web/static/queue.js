// SPDX-License-Identifier: GPL-3.0-or-later
// What is up next: ids of episodes, in the order in which they will be heard.

// With an episode put first, or moved there.
export const first = (queue, id) => [id, ...queue.filter((one) => one !== id)];

export const without = (queue, id) => queue.filter((one) => one !== id);

// With an episode one place up (-1) or down (1).
export const moved = (queue, id, by) => {
  const [from, all] = [queue.indexOf(id), [...queue]];
  const to = from + by;
  if (from < 0 || to < 0 || to >= all.length) return all;
  [all[from], all[to]] = [all[to], all[from]];
  return all;
};

// What comes when an episode is over, of those that there are: [its id or null, the queue that is left].
export const next = (queue, there) => {
  const usable = queue.filter(there);
  return [usable[0] ?? null, usable.slice(1)];
};
