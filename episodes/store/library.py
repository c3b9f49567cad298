# SPDX-License-Identifier: GPL-3.0-or-later
"""The library: one folder with ``library.db`` (SQLite) and ``audio/``, of which a copy is a backup; or the tables of a
database server and a folder for the sound."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from episodes.media import artwork
from episodes.model import Chapter, Cue, Digest, Episode, Segment, State, Step, StepState, Word
from episodes.store import reserve
from episodes.store.catalogue import Catalogue, unknown
from episodes.store.database import Database
from episodes.store.files import Files, FolderFiles
from episodes.store.sqlite import SqliteDatabase
from episodes.store.words import name_words, search_text, sort_key
from voice.errors import NoSpace, from_os_error
from voice.model import Piece
from voice.plain_text import harmless, one_line

if TYPE_CHECKING:  # what is listed needs neither sources nor what reads them, and a command may not take long
    from episodes.model import Source


class Library(Catalogue):
    """Episodes and everything known of them. Safe to use from several threads and processes at once.

    Every method raises LibraryError when the database cannot be used, NoSpace when the disk is full; what was stored
    before stays as it was. Unknown ids raise UnknownEpisode.
    """

    def __init__(self, folder: Path, database: Database, files: Files | None = None) -> None:
        super().__init__(database)
        self.folder = folder
        self.files = files or FolderFiles(folder)
        """Sound, pictures, and what waits to be taken in."""

    @classmethod
    def open(cls, folder: Path, files: Files | None = None) -> "Library":
        """Open the library in a folder, which is made when it is not there; its ``files`` lie in it as well, unless
        they are elsewhere.

        Raises LibraryError naming the file when it is damaged or was made by a newer version.
        """
        _make(folder)
        try:
            found = cls(folder, SqliteDatabase(folder / "library.db"), files)
        except NoSpace:
            if not reserve.spend(folder):
                raise
            return cls(folder, SqliteDatabase(folder / "library.db"), files)
        reserve.keep(folder)
        return found

    @classmethod
    def on(cls, database: Database, folder: Path, files: Files | None = None) -> "Library":
        """The library of a database server, whose ``files`` lie in a folder that all who use it see, or in a store."""
        _make(folder)
        return cls(folder, database, files)

    def close(self) -> None:
        """Close every thread's connection; the library is not to be used afterwards."""
        self.database.close()

    # reading

    def by_content(self, content: str) -> Episode | None:
        """The episode made from a file with this SHA-256 (hexadecimal), if there is one."""
        with self.database.errors():
            row = self.database.execute("SELECT id FROM episodes WHERE content = ?", (content,)).fetchone()
        return self.by_id(row[0]) if row else None

    def by_guid(self, guid: str) -> Episode | None:
        """The episode of an item of a feed by the name that its publisher gave it, if there is one."""
        return self.by_content(hashlib.sha256(guid.encode("utf-8", "replace")).hexdigest()) if guid else None

    def by_source(self, source: str) -> Episode | None:
        """The newest episode that came from an address, if there is one."""
        with self.database.errors():
            row = self.database.execute(
                "SELECT id FROM episodes WHERE source = ? ORDER BY number DESC LIMIT 1", (source,)
            ).fetchone()
        return self.by_id(row[0]) if row else None

    def alike(self, title: str, show: str, published: str) -> list[Episode]:
        """The episodes of one title, show and date (an ISO date or empty); a feed may give all of its items the same,
        so that no more than some are looked at."""
        with self.database.errors():
            rows = self.database.execute(
                "SELECT id FROM episodes WHERE title = ? AND show = ? AND published = ? LIMIT ?",
                (title, show, published, _MOST_ALIKE),
            ).fetchall()
        return [episode for (name,) in rows if (episode := self.by_id(name)) is not None]

    def describe(self, episode_id: str, title: str, published: str, source: str) -> None:
        """Store what the publisher corrected: title, date (an ISO date or empty) and where the episode comes from."""
        with self.transaction():
            found = self.by_id(episode_id)
            if found is None:
                return
            self.database.execute(
                "UPDATE episodes SET title = ?, folded = ?, words = ?, sorted = ?, published = ?, source = ?"
                " WHERE id = ?",
                (title, title.casefold(), search_text(title, found.show, *found.guests),
                 sort_key(title, found.language), published, source, episode_id),
            )
            self._changed(episode_id)

    def cues(self, episode_id: str) -> tuple[Cue, ...]:
        """The transcript, in order."""
        rows = self._rows(episode_id, 'SELECT start, "end", text, speaker, words FROM cues WHERE episode = ?')
        return tuple(
            Cue(start, end, text, speaker, tuple(Word(*word) for word in json.loads(words)) if words else ())
            for start, end, text, speaker, words in rows
        )

    def chapters(self, episode_id: str) -> tuple[Chapter, ...]:
        """The publisher's own chapters, in order."""
        rows = self._rows(episode_id, "SELECT start, title FROM chapters WHERE episode = ?")
        return tuple(Chapter(*row) for row in rows)

    def segments(self, episode_id: str) -> tuple[Segment, ...]:
        """The topics, in order."""
        rows = self._rows(episode_id, 'SELECT start, "end", title, summary FROM segments WHERE episode = ?')
        return tuple(Segment(*row) for row in rows)

    def digest(self, episode_id: str) -> Digest:
        """What the episode is about; empty while that is not known yet."""
        query = "SELECT teaser, summary, questions, writer FROM digests WHERE episode = ?"
        for teaser, summary, questions, writer in self._rows(episode_id, query, ordered=False):
            return Digest(teaser, summary, tuple(json.loads(questions)), writer)
        return Digest()

    def source(self, episode_id: str) -> "Source":
        """All that was known of an episode when it came in; little more than its title for one of an old library."""
        from episodes.model import Source
        from episodes.store.jobs import stored_source

        episode = self.by_id(episode_id)
        if episode is None:
            raise self.missing(episode_id)
        known = stored_source(self.database, episode_id)
        return known or Source(episode.title, show=episode.show, guests=episode.guests, published=episode.published)

    def audio_path(self, episode: Episode) -> Path | None:
        """Where the normalised audio lies on this machine (absolute), copied there when it is kept elsewhere; None when
        there is only a transcript."""
        return self.files.local(episode.audio) if episode.audio else None

    def picture_path(self, episode_id: str) -> Path | None:
        """Where an episode's picture lies on this machine (absolute), copied there as its audio is; None for none."""
        path = self.files.local(artwork.name_of(episode_id))
        return path if path.is_file() else None

    def painted(self, ids: Iterable[str]) -> set[str]:
        """Those of these episodes that have a picture."""
        names = {artwork.name_of(name): name for name in ids}
        return {names[found] for found in self.files.among(names)}

    def share_fetched(self, episode_id: str) -> None:
        """Let the workers of other machines reach what was fetched for an episode."""
        folder = self.fetched_folder(episode_id)
        if self.files.elsewhere and folder.is_dir():
            for path in folder.iterdir():
                if path.is_file():
                    self.files.put(f"fetched/{episode_id}/{path.name}", path)

    def at_hand(self, episode_id: str, path: Path) -> Path:
        """Where a file that is to be taken in lies on this machine: as it was told, else as another machine shares it.
        """
        if path.exists() or not self.files.elsewhere:
            return path
        return self.files.local(f"fetched/{episode_id}/{path.name}")

    def version(self) -> int:
        """A number that changes whenever any process changes what episodes hold (progress alone does not count)."""
        with self.database.errors():
            (count,) = self.database.execute("SELECT count FROM changes").fetchone()
        return int(count)

    def progress_mark(self) -> str:
        """A text that is another one when the work on any episode got on; with ``version`` it tells of all news."""
        with self.database.errors():
            rows = self.database.execute("SELECT episode, step, progress FROM steps WHERE state = 'running'").fetchall()
        return json.dumps([list(row) for row in rows])

    def left_lying(self) -> list[str]:
        """The ids of episodes that were begun before there was a queue, and are not in it yet."""
        with self.database.errors():
            return [name for (name,) in self.database.execute("SELECT episode FROM left_lying").fetchall()]

    # writing

    def transaction(self) -> AbstractContextManager[object]:
        """What is written inside happens as a whole or not at all. Keep it short: other processes wait."""
        return self.database.transaction()

    def create(self, content: str, episode: Episode) -> Episode:
        """Add an episode whose steps all wait; returns it with its id (made from its title and ``content``).

        ``content`` is the SHA-256 of its file. When that is there already, the stored episode is returned unchanged.
        What a publisher wrote becomes one printable line of bounded length each: whatever is stored can be shown.
        """
        guests = tuple(one_line(guest, 200) for guest in episode.guests[:_MOST_GUESTS])
        episode = replace(
            episode, title=one_line(episode.title), show=one_line(episode.show), guests=guests,
            published=one_line(episode.published, 100), source=storable(episode.source),
        )  # fmt: skip
        with self.transaction():
            there = self.by_content(content)
            if there is not None:
                return there
            name = _slug(episode.title)
            names = (f"{name}-{content[:length]}" for length in range(6, 65))
            new = next(made for made in names if self.by_id(made) is None)
            self.database.execute(
                "INSERT INTO episodes (id, number, content, title, show, guests, published, seconds, source, audio,"
                " folded, words, sorted) VALUES (?, (SELECT coalesce(max(number), 0) + 1 FROM episodes), ?, ?, ?, ?, ?,"
                " ?, ?, ?, ?, ?, ?)",
                (new, content, episode.title, episode.show, json.dumps(episode.guests, ensure_ascii=False),
                 episode.published, episode.seconds, episode.source, episode.audio, episode.title.casefold(),
                 search_text(episode.title, episode.show, *episode.guests), sort_key(episode.title, episode.language)),
            )  # fmt: skip
            self.database.executemany(
                "INSERT INTO steps VALUES (?, ?, ?, 0, '')", [(new, step, State.WAITING) for step in Step]
            )
            self._changed(new)
        stored = self.by_id(new)
        if stored is None:
            raise unknown(new, [], [])
        return stored

    def set_step(self, episode_id: str, step: StepState) -> None:
        """Store how far one step is."""
        with self.transaction():
            before = self.database.execute(
                "SELECT state, reason FROM steps WHERE episode = ? AND step = ?", (episode_id, step.step)
            ).fetchone()
            self._write_step(episode_id, step)
            if before is None or tuple(before) != (step.state, step.reason):
                episode = self.by_id(episode_id)
                ready = episode is not None and episode.ready
                self._changed(episode_id)
                self.database.execute(
                    "UPDATE episodes SET ready_since = CASE WHEN ready = 1 THEN ready_since ELSE changed END, ready = ?"
                    " WHERE id = ?", (int(ready), episode_id),
                )  # fmt: skip

    def save_audio(self, episode_id: str, audio: str, seconds: float) -> None:
        """Store where the normalised audio lies (relative to the folder; empty for none) and its length in seconds."""
        with self.transaction():
            self.database.execute(
                "UPDATE episodes SET audio = ?, seconds = ? WHERE id = ?", (audio, seconds, episode_id)
            )
            self._changed(episode_id)

    def save_language(self, episode_id: str, language: str) -> None:
        """Store which language is spoken (a code, "" when it is not known). Raises UnknownEpisode."""
        with self.transaction():
            found = self.by_id(episode_id)
            if found is None:
                raise self.missing(episode_id)
            self.database.execute(
                "UPDATE episodes SET language = ?, sorted = ? WHERE id = ?",
                (language, sort_key(found.title, language), episode_id),
            )
            self._changed(episode_id)

    def save_cues(self, episode_id: str, cues: Iterable[Cue]) -> None:
        """Store the transcript in place of the one that was there."""
        told = [replace(cue, speaker=one_line(cue.speaker, 200)) for cue in cues]
        names = {cue.speaker for cue in told if cue.speaker}
        with self.transaction():
            self._replace("cues", episode_id, (
                (cue.start, cue.end, harmless(cue.text), cue.speaker,
                 json.dumps([astuple(word) for word in cue.words], ensure_ascii=False) if cue.words else "")
                for cue in told
            ))  # fmt: skip
            self.database.execute("DELETE FROM speakers WHERE episode = ?", (episode_id,))
            for name in names:
                self.database.execute("INSERT INTO speakers VALUES (?, ?)", (name, episode_id))
                for word in name_words(name):
                    self.database.execute("INSERT INTO name_words VALUES (?, ?) ON CONFLICT DO NOTHING", (word, name))

    def save_chapters(self, episode_id: str, chapters: Iterable[Chapter]) -> None:
        """Store the publisher's chapters in place of those that were there."""
        self._replace("chapters", episode_id, ((chapter.start, one_line(chapter.title)) for chapter in chapters))

    def save_segments(self, episode_id: str, segments: Iterable[Segment]) -> None:
        """Store the topics in place of those that were there."""
        self._replace("segments", episode_id, (astuple(segment) for segment in segments))

    def save_digest(self, episode_id: str, digest: Digest) -> None:
        """Store what the episode is about in place of what was there."""
        with self.transaction():
            self.database.execute(
                "INSERT INTO digests (episode, teaser, summary, questions, writer) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (episode) DO UPDATE SET teaser = excluded.teaser, summary = excluded.summary,"
                " questions = excluded.questions, writer = excluded.writer",
                (episode_id, digest.teaser, digest.summary, json.dumps(digest.questions, ensure_ascii=False),
                 digest.writer),
            )
            self._changed(episode_id)

    def add_piece(self, episode_id: str, recogniser: str, piece: Piece) -> None:
        """Store a finished piece of a transcription that goes on."""
        cues = json.dumps([astuple(cue) for cue in piece.cues], ensure_ascii=False)
        with self.transaction():
            self.database.execute(
                "INSERT INTO pieces SELECT ?, coalesce(max(number), 0) + 1, ?, ?, ?, ? FROM pieces WHERE episode = ?",
                (episode_id, recogniser, piece.start, piece.end, cues, episode_id),
            )

    def pieces(self, episode_id: str, recogniser: str) -> list[Piece]:
        """The finished pieces of an unfinished transcription, in order: none when another recogniser made them."""
        with self.database.errors():
            rows = self.database.execute(
                'SELECT recogniser, start, "end", cues FROM pieces WHERE episode = ? ORDER BY number', (episode_id,)
            ).fetchall()
        if any(by != recogniser for by, *_ in rows):
            return []
        return [Piece(start, end, tuple(map(_cue, json.loads(cues)))) for _, start, end, cues in rows]

    def clear_pieces(self, episode_id: str) -> None:
        """Forget the pieces, since the transcription is stored as a whole, or begun anew."""
        with self.transaction():
            self.database.execute("DELETE FROM pieces WHERE episode = ?", (episode_id,))

    def remove(self, episode_id: str) -> None:
        """Remove an episode, everything known of it, and its audio in the library (never the file it came from)."""
        if self.by_id(episode_id) is None:
            raise self.missing(episode_id)
        with self.transaction():
            self.database.execute("DELETE FROM episodes WHERE id = ?", (episode_id,))
            self._changed(episode_id)
        self.clear_files(episode_id)

    def fetched_folder(self, episode_id: str) -> Path:
        """Where what was fetched for an episode lies until it is taken in (absolute; it may not be there)."""
        return (self.folder / "fetched" / episode_id).resolve()

    def clear_fetched(self, episode_id: str) -> None:
        """Remove what was fetched for an episode, since it is taken in."""
        self.files.delete(f"fetched/{episode_id}")

    def clear_files(self, episode_id: str) -> None:
        """Remove the files of an episode that is no more."""
        self.clear_fetched(episode_id)
        for name in (audio_name(episode_id), artwork.name_of(episode_id)):
            self.files.delete(name)

    # inside

    def _rows(self, episode_id: str, query: str, ordered: bool = True) -> list[tuple[Any, ...]]:
        with self.database.errors():
            rows = self.database.execute(query + " ORDER BY number" * ordered, (episode_id,)).fetchall()
            if not rows and self.by_id(episode_id) is None:
                raise self.missing(episode_id)
            return rows

    def _replace(self, table: str, episode_id: str, rows: Iterable[Sequence[object]]) -> None:
        with self.transaction():
            self.database.execute(f"DELETE FROM {table} WHERE episode = ?", (episode_id,))  # noqa: S608 (own names)
            numbered = [(episode_id, number, *row) for number, row in enumerate(rows)]
            if numbered:
                marks = ", ".join("?" * len(numbered[0]))
                self.database.executemany(f"INSERT INTO {table} VALUES ({marks})", numbered)  # noqa: S608
            self._changed(episode_id)

    def _write_step(self, episode_id: str, step: StepState) -> None:
        self.database.execute(
            "INSERT INTO steps VALUES (?, ?, ?, ?, ?) ON CONFLICT (episode, step) DO UPDATE"
            " SET state = excluded.state, progress = excluded.progress, reason = excluded.reason",
            (episode_id, step.step, step.state, step.progress, step.reason),
        )

    def _changed(self, episode_id: str) -> None:
        """Count a change of the library, and note at it that it is this episode's."""
        self.database.execute("UPDATE changes SET count = count + 1")
        self.database.execute(
            "UPDATE episodes SET changed = (SELECT count FROM changes) WHERE id = ?", (episode_id,)
        )


_MOST_GUESTS = 100
_MOST_ALIKE = 20


def audio_name(episode_id: str) -> str:
    """Where an episode's sound lies, relative to the folder of the library."""
    return f"audio/{episode_id}.m4a"


def _make(folder: Path) -> None:
    try:
        (folder / "audio").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, f"make the library folder {folder}") from error


def storable(name: str) -> str:
    """A file name of any bytes as text that a database takes: what is no UTF-8 stands as ``\\xNN``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _cue(fields: Sequence[Any]) -> Cue:
    start, end, text, speaker, words = fields
    return Cue(start, end, text, speaker, tuple(Word(*word) for word in words))


def _slug(title: str) -> str:
    """A title in lower-case ASCII with hyphens, at most 48 characters: what a person can type."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48].strip("-") or "episode"
