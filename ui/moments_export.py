# SPDX-License-Identifier: GPL-3.0-or-later
"""Saved moments as files for other programs: Markdown, a feed of clips, soundbites.

Quotes and titles were written or said by strangers, so they are written as text, never as markup.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import groupby
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from episodes.export import markdown_text, write_soundbites
from episodes.media.clips import LONGEST_CLIP
from episodes.model import Episode, Soundbite
from ui.listener_data import SavedMoment
from voice.model import clock

Known = Callable[[str], Episode | None]
"""Gives the episode of an id; None when it is in the library no longer."""


def link(base: str, moment: SavedMoment) -> str:
    """The address of the page at a moment; ``base`` ends in a slash."""
    return f"{base}?{urlencode({'episode': moment.episode, 't': int(moment.start)})}"


def _clip(base: str, moment: SavedMoment) -> str:
    end = min(moment.end, moment.start + LONGEST_CLIP)
    times = urlencode({"start": f"{moment.start:.2f}", "end": f"{end:.2f}"})
    return f"{base}api/episodes/{quote(moment.episode, safe='')}/clip?{times}"


def markdown(moments: Sequence[SavedMoment], known: Known, base: str) -> str:
    """The moments by episode: quote, speaker, time with a link, the question it answered, and the note on it."""
    lines = ["# Saved moments", ""]
    for episode_id, some in groupby(sorted(moments, key=lambda one: (one.episode, one.start)), lambda one: one.episode):
        episode = known(episode_id)
        lines += [f"## {markdown_text(episode.title if episode else episode_id)}", ""]
        for one in some:
            who = f", {markdown_text(one.speaker)}" if one.speaker else ""
            if one.question:
                lines += [f"*{markdown_text(one.question)}*", ""]
            lines += [f"> {markdown_text(one.quote)}", ""] if one.quote else []
            lines += [f"[{clock(one.start)}]({link(base, one)}){who}", ""]
            lines += [markdown_text(one.note), ""] if one.note else []
    return "\n".join(lines).rstrip() + "\n"


def soundbites(moments: Sequence[SavedMoment], known: Known) -> str:
    """The moments as ``podcast:soundbite`` elements in RSS, an item for each episode."""
    items = []
    for episode_id, some in groupby(sorted(moments, key=lambda one: (one.episode, one.start)), lambda one: one.episode):
        episode = known(episode_id)
        bites = [Soundbite(one.start, max(1.0, one.end - one.start), one.quote or one.question) for one in some]
        made = write_soundbites(bites, episode.title if episode else episode_id, "", episode_id)
        items.append(made[made.index("<item>") : made.index("</channel>")])
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0">\n<channel>\n'
        f"  <title>Saved moments</title>\n{''.join(items)}</channel>\n</rss>\n"
    )


def clips_feed(moments: Sequence[SavedMoment], known: Known, base: str) -> str:
    """A podcast of the clips, the last saved first; only moments whose episode has sound are in it."""
    items = []
    for one in moments:
        episode = known(one.episode)
        if episode is None or not episode.audio:
            continue
        title = one.question or one.quote or episode.title
        told = "\n\n".join(part for part in (f"“{one.quote}”" if one.quote else "", one.speaker, one.note) if part)
        items.append(
            "<item>\n"
            f"  <title>{escape(title[:200])}</title>\n"
            f"  <description>{escape(told)}</description>\n"
            f"  <link>{escape(link(base, one))}</link>\n"
            f'  <guid isPermaLink="false">earmark-{escape(one.id)}</guid>\n'
            f"  <pubDate>{format_datetime(datetime.fromtimestamp(one.at, UTC))}</pubDate>\n"
            f"  <itunes:duration>{max(1, round(min(one.end - one.start, LONGEST_CLIP)))}</itunes:duration>\n"
            f"  <source url={quoteattr(base)}>{escape(episode.title)}</source>\n"
            f'  <enclosure url={quoteattr(_clip(base, one))} type="audio/mp4" length="0"/>\n'
            "</item>\n"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">\n<channel>\n'
        f"  <title>Saved moments</title>\n  <link>{escape(base)}</link>\n"
        f"  <description>What was saved in Earmark.</description>\n{''.join(items)}</channel>\n</rss>\n"
    )
