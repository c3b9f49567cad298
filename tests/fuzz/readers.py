# SPDX-License-Identifier: GPL-3.0-or-later
"""Fuzzing: everything that reads what strangers wrote, for as many minutes as one likes (``make fuzz MINUTES=60``).

Each reader is given broken mixtures of what it expects. It may say no in a sentence (an EarmarkError) and nothing else:
no other exception, and no second of processor time for a few kilobytes. With Schemathesis installed the server's own
description of its API is tried as well: ``python -m tests.fuzz.api``.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic, process_time

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from episodes.media.artwork import small
from episodes.media.confined_media import probe
from episodes.sources.feed import read_feed
from episodes.sources.http import masked
from episodes.transcripts.chapters import read_chapters
from episodes.transcripts.reader import read_transcript
from ui.web.bodies import AskBody
from voice.errors import EarmarkError
from voice.plain_text import harmless, one_line

ROUND = 200  # inputs of a reader before the next has its turn
LONGEST = 2.0  # seconds of processor time for one input

CAPTIONS = (
    "WEBVTT\n\n", "00:00.000 --> 00:05.000\n", "00:00:01,000 --> 00:00:02,500\n", "1\n", "<v Ada>", "</v>", "<c.x>",
    "Ada: ", "[00:01] ", "- ", ">> ", "{\\an8}", "NOTE x\n", "STYLE\n", "&amp;", "&#0;", "\n\n", "\n", " ", "hello",
    '{"version":"1.0.0","segments":[', '{"startTime":0,"endTime":1,"body":"x"}', ",", "]}", '"speaker":"A"',
    "null",
    "1e999", "-1", "9" * 400, "\ufeff", "\u202e", "\x1b[2J", "0:00,0:01\n", "<p>", "<br>", "\t",
)
FEEDS = (
    '<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-16"?>', "<rss><channel>", "<title>x</title>",
    "<item>", "</item>", "</channel></rss>", '<enclosure url="http://[" length="1"/>',
    '<enclosure url="http://e.org/a.mp3"/>',
    "<guid>a</guid>", "<pubDate>Mon, 99 Foo 9999</pubDate>", "<![CDATA[", "]]>", "&", "&amp;", "&x;", "<a ", "\x0b",
    "<itunes:duration>" + "9" * 400 + "</itunes:duration>",
    "<itunes:new-feed-url>http://xn--/</itunes:new-feed-url>",
    '<!DOCTYPE x [<!ENTITY a "b">]>', '<podcast:transcript url="x" type="text/vtt"/>', "<feed>", "<entry>", "</entry>",
    '<opml><body><outline xmlUrl="http://a..b"/>', "</body></opml>",
    '<podcast:soundbite startTime="nan" duration="x"/>',
)
CHAPTERS = (
    '{"version":"1.2.0","chapters":[', '{"startTime":0,"title":"x"}', '{"startTime":1e400}', ",", "]}", "{", "}",
    "null",
    '"toc":false', '{"startTime":"0:01"}', "[", "\x00", "9" * 400,
)


def mixtures(pieces: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    """Broken mixtures of what a reader expects, at times repeated a thousand times."""
    one = st.one_of(
        st.sampled_from(pieces).map(str.encode), st.binary(max_size=20), st.text(max_size=20).map(
            lambda text: text.encode("utf-8", "replace")),
        st.tuples(st.sampled_from(pieces), st.integers(2, 1000)).map(
            lambda pair: (pair[0] * pair[1])[:20_000].encode()),
    )  # fmt: skip
    return st.lists(one, max_size=30).map(b"".join)


def in_a_file(read: Callable[[Path], object], suffixes: tuple[str, ...]) -> Callable[[bytes], None]:
    """Give a reader of files what it is to read, under each of these endings."""
    folder = Path(tempfile.mkdtemp(prefix="earmark-fuzz-"))

    def work(content: bytes) -> None:
        for suffix in suffixes:
            path = folder / f"given{suffix}"
            path.write_bytes(content)
            try:
                read(path)
            except EarmarkError:
                continue

    return work


def body(content: bytes) -> None:
    """A question as a stranger might send it."""
    try:
        AskBody.model_validate_json(content)
    except ValidationError:
        return


def shown(content: bytes) -> None:
    """What is shown of a text from outside."""
    text = content.decode("utf-8", "surrogateescape")
    line = one_line(text)
    if not all(c.isprintable() or c.isspace() or ord(c) > 0x9F for c in line) or len(line) > 500:
        raise AssertionError("not one harmless line")
    if "\x1b" in harmless(text) or "\x1b" in masked(line):
        raise AssertionError("an escape sequence came through")


READERS: dict[str, tuple[Callable[[bytes], object], tuple[str, ...]]] = {
    "transcripts": (in_a_file(read_transcript, (".vtt", ".srt", ".json", ".sbv", ".txt", ".html")), CAPTIONS),
    "feeds": (lambda content: read_feed(content, "http://example.org/feed", "http://example.org/feed"), FEEDS),
    "chapters": (lambda content: read_chapters(content.decode("utf-8", "replace"), "The list"), CHAPTERS),
    "questions": (body, (*CHAPTERS, '"text":"why?"', '"history":[', '"position":1')),
    "texts": (shown, (*CAPTIONS, *FEEDS)),
    "pictures": (small, ("\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF89a", "RIFF", "WEBPVP8 ", "IHDR", "\x00" * 9)),
}
SLOW: dict[str, tuple[Callable[[bytes], object], tuple[str, ...]]] = {
    "recordings": (in_a_file(probe, (".mp3",)), ("ID3\x03", "fLaC", "OggS", "RIFF", "ftypM4A ", "moov", "\x00" * 30)),
}


def run(name: str, read: Callable[[bytes], object], pieces: tuple[str, ...], number: int, count: int) -> int:
    """Try one reader with ``count`` inputs; returns how many there were. Raises what it should not have raised."""
    tried = 0

    @seed(number)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
              suppress_health_check=list(HealthCheck))
    @given(content=mixtures(pieces))
    def attempt(content: bytes) -> None:
        nonlocal tried
        tried += 1
        begun = process_time()
        with suppress(EarmarkError):
            read(content)
        if process_time() - begun > LONGEST:
            raise AssertionError(f"{len(content)} bytes took {process_time() - begun:.1f} s")

    attempt()
    return tried


def main() -> None:
    """Fuzz for the minutes given, each reader in its turn, and say how many inputs that were."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    deadline = monotonic() + 60 * minutes
    counts = dict.fromkeys((*READERS, *SLOW), 0)
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    while monotonic() < deadline:
        for name, (read, pieces) in (READERS | SLOW).items():
            counts[name] += run(name, read, pieces, number, 5 if name in SLOW else ROUND)
        number += 1
    for name, count in counts.items():
        print(f"{name:12} {count:>9,} inputs")
    print(f"{'in all':12} {sum(counts.values()):>9,} inputs in {minutes:g} minutes, no finding")


if __name__ == "__main__":
    main()
