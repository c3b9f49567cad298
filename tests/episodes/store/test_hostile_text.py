# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes from outside is harmless once it is in the library, by whichever way it came."""

from episodes.model import Chapter, Cue, Episode
from episodes.store.library import Library

EVIL = "\x1b]0;owned\x07\u202eTalk\x9b2J\r\n"


def test_names_are_one_printable_line_and_have_an_end(tmp_path):
    library = Library.open(tmp_path)
    try:
        made = library.create("abc", Episode("", EVIL * 1000, EVIL, (EVIL,) * 5000, EVIL, source="talk\udcff.mp3"))
        library.save_chapters(made.id, [Chapter(0.0, EVIL * 1000)])
        library.save_cues(made.id, [Cue(0.0, 1.0, EVIL, EVIL)])
        (chapter,), (cue,) = library.chapters(made.id), library.cues(made.id)
        episode = library.episode(made.id)
        for text in (episode.title, episode.show, *episode.guests, episode.published, chapter.title, cue.speaker):
            assert "Talk" in text
            assert text.isprintable()
            assert len(text) <= 500
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(cue.text)
        assert len(episode.guests) <= 100
        assert episode.source == "talk\\xff.mp3"
    finally:
        library.close()


def test_thousands_come_in_in_the_time_that_each_takes(tmp_path):
    library = Library.open(tmp_path)
    asked: list[str] = []
    try:
        with library.transaction():
            for number in range(300):
                library.create(f"{number:064x}", Episode("", "The same title"))
        library.database.connection.set_trace_callback(asked.append)
        made = library.create("f" * 64, Episode("", "The same title"))
        library.episode(made.id)
        assert not [statement for statement in asked if "SELECT id FROM episodes" in statement and "WHERE" not in
                    statement], "nothing reads them all"  # fmt: skip
        assert not [statement for statement in asked if statement.startswith("SELECT id, title FROM episodes")]
    finally:
        library.close()
