# SPDX-License-Identifier: GPL-3.0-or-later
"""Mentions: which episodes of a library say the words of a subject, how often, and where first."""

from collections.abc import Collection

from episodes.text.lexicon import FUNCTION_WORDS, words
from retrieval.answers.corpus import Mention
from retrieval.index.snapshot import Snapshot

_LOOKED_UP = 50  # episodes of which the place of the first mention is looked up


def mentions(snapshot: Snapshot, text: str, within: Collection[str] | None = None) -> dict[str, Mention]:
    """The episodes (of those ``within``) in which all telling words of a text stand in one passage, most often first.

    Words are compared by their stems. Empty when the text has no telling word.
    """
    telling = [word for word in dict.fromkeys(words(text)) if word not in FUNCTION_WORDS]
    places: dict[str, set[int]] | None = None
    for word in snapshot.words(" ".join(telling)):
        found = {name: set(rows.tolist()) for name, rows in snapshot.lexical(word)}
        places = found if places is None else {
            name: both for name, rows in places.items() if (both := rows & found.get(name, set()))
        }
    counted = {
        name: rows for name, rows in (places or {}).items() if within is None or name in within
    }
    order = sorted(counted, key=lambda name: (-len(counted[name]), name))
    made = {}
    for number, name in enumerate(order):
        layout = snapshot.episode_passages(name) if number < _LOOKED_UP else None
        start = float(layout.start[min(counted[name])]) if layout is not None else 0.0
        made[name] = Mention(len(counted[name]), start)
    return made
