# SPDX-License-Identifier: GPL-3.0-or-later
"""An episode as files that other programs read: captions, chapters, soundbites, and a text for people.

Everything in them was written by strangers, so it is written as text, never as markup.
"""

import mimetypes
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from episodes.model import Chapter, Cue, Episode, Segment, Soundbite
from episodes.store.library import Library
from episodes.transcripts.captions import escaped
from episodes.transcripts.entries import without_markup
from episodes.transcripts.writer import json_text, write_json, write_srt, write_vtt
from voice.errors import LibraryError
from voice.model import clock

_BITE_LEAST, _BITE_MOST = 15.0, 60.0  # seconds; Podcasting 2.0 recommends 15 to 120
_BITES = 5
_PARAGRAPH = 60.0  # seconds after which one speaker's text gets a new time
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~])")
_ENTITY = re.compile(r"&(?=#?\w{1,31};)")  # "R&D" is none
_LINE_START = re.compile(r"^(\d{1,9})([.)])|^([-+=])")


def export(library: Library, episode: Episode, form: str) -> str:
    """The episode in one of ``EXPORT_FORMATS``. Raises LibraryError when it has nothing of that kind yet."""
    made = EXPORT_FORMATS[form](library, episode)
    if not made:
        raise LibraryError(f"“{episode.title}” has no {form} to export ({episode.status}).",
                           "Wait until it is ready ('earmark jobs').")
    return made


def opml(feeds: Sequence[tuple[str, str]]) -> str:
    """A list of feeds (title and address of each) as OPML 2.0, which every podcast app reads."""
    lines = [f"    <outline type=\"rss\" text={quoteattr(_written(title))} title={quoteattr(_written(title))}"
             f" xmlUrl={quoteattr(_written(address))}/>" for title, address in feeds]  # fmt: skip
    head = ['<?xml version="1.0" encoding="UTF-8"?>', '<opml version="2.0">',
            "  <head><title>Earmark</title></head>", "  <body>"]  # fmt: skip
    return "\n".join([*head, *lines, "  </body>", "</opml>", ""])


def _written(text: str) -> str:
    """A text without what XML cannot hold."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "", text)


def _told(title: str) -> str:
    """A title as it is; escaped only where it would be read as markup."""
    return title if without_markup(title) == title else escaped(title)


def write_chapters(chapters: Sequence[Chapter | Segment], title: str = "") -> str:
    """Podcasting 2.0 JSON chapters; reading them gives the same starts and titles (times to 1 ms)."""
    rows = []
    for chapter in chapters:
        row: dict[str, object] = {"startTime": round(chapter.start, 3), "title": _told(chapter.title)}
        if isinstance(chapter, Segment):
            row["endTime"] = round(chapter.end, 3)
        rows.append(row)
    head = {"version": "1.2.0"} | ({"title": title} if title else {})
    return json_text(head | {"chapters": rows}) + "\n"


def write_soundbites(bites: Sequence[Soundbite], title: str, address: str = "", guid: str = "") -> str:
    """An RSS item with its ``podcast:soundbite`` elements, ready to be put into a feed; reading gives the same."""
    lines = "\n".join(
        f'  <podcast:soundbite startTime="{bite.start:.3f}" duration="{bite.length:.3f}">'
        f"{escape(_told(bite.title))}</podcast:soundbite>"
        for bite in bites
    )
    mime = mimetypes.guess_type(urlsplit(address).path)[0] or "audio/mpeg"
    enclosure = f"  <enclosure url={quoteattr(address)} type={quoteattr(mime)} length=\"0\"/>\n" if address else ""
    name = f"  <guid isPermaLink=\"false\">{escape(guid)}</guid>\n" if guid else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0">\n<channel>\n<item>\n'
        f"  <title>{escape(_told(title))}</title>\n{name}{enclosure}{lines}\n</item>\n</channel>\n</rss>\n"
    )


def proposed(segments: Sequence[Segment], cues: Sequence[Cue]) -> Iterator[Soundbite]:
    """Soundbites for an episode whose publisher gave none: the beginnings of its longest topics, in order."""
    longest = sorted(segments, key=lambda segment: segment.start - segment.end)[:_BITES]
    for segment in sorted(longest, key=lambda segment: segment.start):
        end = segment.start
        for cue in cues:
            if cue.start < segment.start - 0.001 or cue.end > segment.start + _BITE_MOST:
                continue
            end = max(end, cue.end)
            if end - segment.start >= _BITE_LEAST and cue.text.rstrip()[-1:] in ".!?…":
                break
        if end > segment.start:
            yield Soundbite(segment.start, round(end - segment.start, 3), segment.title)


def _chapters(library: Library, episode: Episode) -> str:
    found = library.chapters(episode.id) or library.segments(episode.id)
    return write_chapters(found, episode.title) if found else ""


def _soundbites(library: Library, episode: Episode) -> str:
    source = library.source(episode.id)
    bites = source.soundbites or tuple(proposed(library.segments(episode.id), library.cues(episode.id)))
    address = source.address or f"https://example.org/{episode.id}.m4a"
    return write_soundbites(bites, episode.title, address, source.guid or episode.id) if bites else ""


def _markdown(library: Library, episode: Episode) -> str:
    """What the episode is about, its topics, and the transcript with a time for each paragraph."""
    cues, digest, source = library.cues(episode.id), library.digest(episode.id), library.source(episode.id)
    if not cues:
        return ""
    about = (episode.show, ", ".join(episode.guests), episode.published, clock(episode.seconds))
    lines = [f"# {markdown_text(episode.title)}", "", " · ".join(markdown_text(part) for part in about if part), ""]
    if source.link:
        lines += [f"<{source.link}>" if " " not in source.link and ">" not in source.link else "", ""]
    for text in (digest.teaser, digest.summary):
        lines += [markdown_text(text), ""] if text else []
    marks = library.segments(episode.id) or library.chapters(episode.id)
    if marks:
        lines += ["## Topics", ""]
        for mark in marks:
            summary = f" – {markdown_text(mark.summary)}" if isinstance(mark, Segment) and mark.summary else ""
            lines.append(f"- `{clock(mark.start)}` {markdown_text(mark.title)}{summary}")
        lines.append("")
    lines += ["## Transcript", ""]
    for start, speaker, text in _paragraphs(cues):
        who = f"**{markdown_text(speaker)}:** " if speaker else ""
        lines += [f"`{clock(start)}` {who}{markdown_text(text)}", ""]
    return "\n".join(lines)


def _paragraphs(cues: Sequence[Cue]) -> Iterator[tuple[float, str, str]]:
    """(start, speaker, text): what one speaker says in one go, a minute or so at a time."""
    for speaker, group in groupby(cues, key=lambda cue: cue.speaker):
        said: list[str] = []
        start = 0.0
        for cue in group:
            if said and cue.start - start > _PARAGRAPH:
                yield start, speaker, " ".join(said)
                said = []
            start = start if said else cue.start
            said.append(cue.text)
        yield start, speaker, " ".join(said)


def markdown_text(text: str) -> str:
    """A text on one line whose characters mean themselves in Markdown (and HTML)."""
    one = _ENTITY.sub("&amp;", _MARKS.sub(r"\\\1", " ".join(text.split())))
    return _LINE_START.sub(lambda match: f"{match[1]}\\{match[2]}" if match[1] else f"\\{match[3]}", one)


def _captions(write: Callable[[Sequence[Cue]], str]) -> Callable[[Library, Episode], str]:
    def written(library: Library, episode: Episode) -> str:
        cues = library.cues(episode.id)
        return write(cues) if cues else ""

    return written


EXPORT_FORMATS: dict[str, Callable[[Library, Episode], str]] = {
    "vtt": _captions(write_vtt),
    "srt": _captions(write_srt),
    "json": _captions(write_json),
    "chapters": _chapters,
    "soundbites": _soundbites,
    "markdown": _markdown,
}
"""What an episode can be exported as, by name."""
