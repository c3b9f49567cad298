# SPDX-License-Identifier: GPL-3.0-or-later
"""The index keeps what it is given, whatever happens meanwhile."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from retrieval.index import snapshot as snapshot_module
from retrieval.index import sqlite_index as index_module
from retrieval.index.chunking import UNIT_WORDS, WINDOW_WORDS, window_spans
from retrieval.index.embedding import DIMENSION, Matrix
from retrieval.index.index import Index
from retrieval.index.sqlite_index import SqliteIndex
from retrieval.model import Passage
from ui.settings import Settings
from ui.storage import Storage
from voice.errors import LibraryError, NoSpace


def episode(name: str, units: int = 6) -> tuple[list[Passage], Matrix]:
    """Passages of an invented episode, and vectors that can be told from those of any other."""
    found = [
        Passage(
            name, 10.0 * number, 10.0 * number + 9, f"{name} says number{number} " + "word " * 28, "Ann", UNIT_WORDS
        )
        for number in range(units)
    ]
    spans = window_spans([len(passage.text.split()) for passage in found], [0] * units)
    found += [
        Passage(name, found[a].start, found[b - 1].end, " ".join(p.text for p in found[a:b]), "Ann", WINDOW_WORDS)
        for a, b in spans
    ]
    noise = np.random.default_rng(list(name.encode())).normal(size=(len(found), DIMENSION)).astype(np.float32)
    return found, noise / np.linalg.norm(noise, axis=1, keepdims=True)


def check(index: SqliteIndex, names: Sequence[str]) -> None:
    """Words, places and vectors of each episode belong together, and there are no others."""
    check_any(index, names)
    with index.snapshot() as snapshot:
        for name in names:
            layout = snapshot.episode_passages(name)
            assert layout is not None
            assert np.array_equal(np.concatenate(snapshot.vectors(layout)), episode(name)[1])


def check_any(index: Index, names: Sequence[str]) -> None:
    """The same, but for the vectors' last digits, which a server does not keep."""
    with index.snapshot() as snapshot:
        assert sorted(snapshot.episodes) == sorted(names)
        for name in names:
            expected, vectors = episode(name)
            layout = snapshot.episode_passages(name)
            assert layout is not None
            texts = [passage.text for passage in expected if passage.grain == UNIT_WORDS]
            assert snapshot.texts(layout, 0, layout.units) == texts
            (cosines,) = snapshot.cosines([layout], vectors[3])
            assert np.allclose(np.concatenate(cosines), vectors @ vectors[3], atol=2e-3)
            assert snapshot.units_with(name, layout).tolist() == list(range(len(texts)))
            assert snapshot.units_with("number2", layout).tolist() == [2]
            best = snapshot.dense(vectors[3], 1)
            assert [(found, numbers.tolist()) for found, numbers, _ in best] == [(name, [3])]
        assert {found for found, _ in snapshot.lexical("number1")} == set(names)


@pytest.fixture
def opened(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Index]]:
    """Opens the index, of a model; it runs on each engine."""
    storage = Storage(Settings(data_dir=tmp_path, database=database_url))
    yield storage.index
    storage.close()


def test_what_is_added_is_found_also_after_opening_again(opened: Callable[..., Index]) -> None:
    index = opened()
    check_any(index, [])
    for name in ("one", "two", "three"):
        index.add(name, *episode(name))
    check_any(index, ["one", "two", "three"])
    index.add("two", *episode("two"))
    index.remove("one")
    index.remove("never")
    check_any(index, ["two", "three"])
    assert index.holds("two") and not index.holds("one")
    index.close()
    check_any(opened(), ["two", "three"])


def test_an_index_of_another_model_is_begun_anew(opened: Callable[..., Index]) -> None:
    opened().add("one", *episode("one"))
    check_any(opened(), ["one"])
    check_any(opened(model="another"), [])


def test_how_far_it_was_compared_is_remembered(opened: Callable[..., Index]) -> None:
    index = opened()
    assert index.synced_version is None
    index.synced_version = 7
    assert opened().synced_version == 7
    index.synced_version = None
    assert opened().synced_version is None
    assert index.damaged() == ()


def test_nearness_and_words_are_the_same_inside_some_episodes(opened: Callable[..., Index]) -> None:
    index = opened()
    for name in ("one", "two", "three"):
        index.add(name, *episode(name), title="Of Bees")
    _, vectors = episode("two")
    with index.snapshot() as snapshot:
        found = snapshot.dense(vectors[1], 3, ["one", "three"])
        assert {name for name, _, _ in found} <= {"one", "three"}
        assert sum(len(numbers) for _, numbers, _ in found) == 3
        every = snapshot.dense(vectors[1], 5)
        assert max((float(cosines.max()), name) for name, _, cosines in every)[1] == "two"
        layout = snapshot.episode_passages("two")
        assert layout is not None
        part = layout.until(35.0)
        (cosines,) = snapshot.cosines([part], vectors[1])
        assert [len(each) for each in cosines] == [part.units, len(part.first)]
        assert np.allclose(cosines[0], vectors[: part.units] @ vectors[1], atol=2e-3)
        assert snapshot.units_with("number2", part).tolist() == [2] and not len(snapshot.units_with("number5", part))
        assert [snapshot.frequency(word) for word in ("two", "number2", "numbers", "nowhere")] == [6, 3, 0, 0]
        assert snapshot.words("number2 nummber2 saying, thre") == ["number2", "saying", "thre"]
        assert snapshot.in_title("bee", layout) and not snapshot.in_title("word", layout)
        assert (snapshot.unit_count, snapshot.passage_count) == (18, 3 * len(vectors))


def test_removed_rows_are_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_WASTE", 20)
    index = SqliteIndex.open(tmp_path)
    reader = SqliteIndex.open(tmp_path)
    names = [f"episode{number}" for number in range(8)]
    for name in names:
        index.add(name, *episode(name))
    check(reader, names)
    for name in names[:6]:
        index.remove(name)
        check(index, names[names.index(name) + 1 :])
    check(reader, names[6:])
    rows = sum(len(episode(name)[0]) for name in names)
    sizes = {path.suffix: path.stat().st_size for path in tmp_path.glob("vectors-*")}
    assert set(sizes) == {".f32", ".i8"}
    assert sizes[".f32"] == 4 * sizes[".i8"] < rows * DIMENSION * 4 / 2
    index.add("later", *episode("later"))
    check(reader, [*names[6:], "later"])


def test_other_processes_writes_are_seen(tmp_path: Path) -> None:
    index = SqliteIndex.open(tmp_path)
    index.add("mine", *episode("mine"))
    check(index, ["mine"])
    code = (
        "import sys; from pathlib import Path; from retrieval.index.sqlite_index import SqliteIndex;"
        " from tests.retrieval.index.test_index import episode;"
        " SqliteIndex.open(Path(sys.argv[1])).add('theirs', *episode('theirs'))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    check(index, ["mine", "theirs"])


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    SqliteIndex.open(tmp_path)
    context = multiprocessing.get_context("spawn")
    names = [[f"{writer}x{number}" for number in range(5)] for writer in "ab"]
    writers = [context.Process(target=_write, args=(tmp_path, mine)) for mine in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    check(SqliteIndex.open(tmp_path), [*names[0], *names[1]])


def _write(folder: Path, names: list[str]) -> None:
    index = SqliteIndex.open(folder)
    for name in names:
        index.add(name, *episode(name))


def test_several_threads_read_while_one_writes(tmp_path: Path) -> None:
    index = SqliteIndex.open(tmp_path)
    index.add("stays", *episode("stays"))
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                with index.snapshot() as snapshot:
                    for name in snapshot.episodes:
                        layout = snapshot.episode_passages(name)
                        assert layout is not None
                        assert np.array_equal(np.concatenate(snapshot.vectors(layout)), episode(name)[1])
                        assert len(snapshot.units_with(name, layout)) == layout.units
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(10):
        index.add(f"guest{number % 3}", *episode(f"guest{number % 3}"))
        index.remove(f"guest{(number + 1) % 3}")
    done.set()
    for reader in readers:
        reader.join()
    assert not failures


@pytest.mark.parametrize("moment", ["before the vectors", "after the vectors"])
def test_a_crash_while_adding_leaves_the_index_as_it_was(tmp_path: Path, moment: str) -> None:
    index = SqliteIndex.open(tmp_path)
    index.add("one", *episode("one"))
    child = multiprocessing.get_context("fork").Process(target=_die, args=(tmp_path, moment))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    check(index, ["one"])
    index.add("two", *episode("two"))
    check(SqliteIndex.open(tmp_path), ["one", "two"])


def _die(folder: Path, moment: str) -> None:
    class Dying(SqliteIndex):
        def _append(self, *args: object) -> None:
            if moment == "after the vectors":
                super()._append(*args)  # type: ignore[arg-type]
            os.kill(os.getpid(), signal.SIGKILL)

    Dying.open(folder).add("one", *episode("half"))


def test_killed_at_any_moment_the_index_stays_whole(tmp_path: Path) -> None:
    index = SqliteIndex.open(tmp_path)
    pick = np.random.default_rng(5)
    context = multiprocessing.get_context("fork")
    announced: list[str] = []
    for life in range(6):
        reader, writer = context.Pipe(duplex=False)
        child = context.Process(target=_add_for_ever, args=(tmp_path, life, writer))
        child.start()
        announced.append(reader.recv())  # the first one is in
        time.sleep(float(pick.uniform(0, 0.03)))
        child.kill()
        child.join(60)
        while reader.poll():
            try:
                announced.append(reader.recv())
            except EOFError:
                break
        with index.snapshot() as snapshot:
            found = snapshot.episodes
        assert set(announced) <= set(found)
        check(index, found)
    index.add("later", *episode("later"))
    check(index, [*found, "later"])


def _add_for_ever(folder: Path, life: int, done: Connection) -> None:
    mine = SqliteIndex.open(folder)
    for number in range(1000):
        name = f"life{life}x{number}"
        mine.add(name, *episode(name))
        done.send(name)


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = SqliteIndex.open(tmp_path)
    index.add("one", *episode("one"))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NoSpace, match="disk is full"):
            index.add("two", *episode("two"))
    check(index, ["one"])
    index.add("two", *episode("two"))
    check(index, ["one", "two"])


@pytest.mark.parametrize("kind", ["f32", "i8"])
def test_a_matrix_that_was_cut_off_is_told(tmp_path: Path, kind: str) -> None:
    SqliteIndex.open(tmp_path).add("one", *episode("one"))
    (path,) = tmp_path.glob(f"vectors-*.{kind}")
    os.truncate(path, 100)
    with pytest.raises(LibraryError, match="damaged"), SqliteIndex.open(tmp_path).snapshot():
        pass


def test_common_words_are_counted_a_few_with_each_episode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_module, "RARE", 10)
    monkeypatch.setattr(snapshot_module, "COMMON", 0.5)
    monkeypatch.setattr(index_module, "_COUNTED", 5)
    index = SqliteIndex.open(tmp_path)
    seen: list[bool] = []
    for number in range(12):
        index.add(f"episode{number}", *episode(f"episode{number}"))
        with index.snapshot() as snapshot:
            seen.append(snapshot.is_common("word"))
            assert snapshot.frequency("word") <= snapshot.unit_count
            assert not snapshot.is_common("number2") and snapshot.frequency("number2") == number + 1
    assert not seen[0] and seen[-1]
    with index.snapshot() as snapshot:
        assert snapshot.frequency("word") > snapshot.unit_count / 2


GERMAN = (
    "Die alten Häuser stehen am Fluss.", "Im Garten wachsen drei Bäume.", "Das ist alles, was man dazu sagen kann.",
)  # fmt: skip
ENGLISH = ("The old houses stand by the river.", "Three trees grow in the garden.", "Haus is a kind of music.")


def with_both(folder: Path) -> SqliteIndex:
    """An index of a German episode and an English one."""
    index = SqliteIndex.open(folder)
    for name, texts, language, title in (("de", GERMAN, "de", "Alte Häuser"), ("en", ENGLISH, "en", "Old houses")):
        found = [Passage(name, 5.0 * at, 5.0 * at + 5, text, "", UNIT_WORDS) for at, text in enumerate(texts)]
        index.add(name, found, episode(name)[1][: len(found)], title, language=language)
    return index


@pytest.mark.parametrize(
    ("word", "german", "english"),
    [("haus", [0], [2]), ("hausern", [0], []), ("gärten", [1], []), ("baum", [1], []), ("house", [], [0]),
     ("gardens", [], [1])],
)  # fmt: skip
def test_words_are_stemmed_by_the_language_of_the_episode(
    word: str, german: list[int], english: list[int], tmp_path: Path
) -> None:
    index = with_both(tmp_path)
    with index.snapshot() as snapshot:
        layouts = [snapshot.episode_passages(name) for name in ("de", "en")]
        assert [snapshot.units_with(word, layout).tolist() for layout in layouts if layout] == [german, english]
        assert {name: rows.tolist() for name, rows in snapshot.lexical(word)} == {
            name: rows for name, rows in (("de", german), ("en", english)) if rows
        }
        assert snapshot.frequency(word) == len(german) + len(english)
        assert [snapshot.in_title(word, layout) for layout in layouts if layout] == [
            word in ("haus", "hausern"), word == "house"
        ]  # fmt: skip


def test_a_language_that_is_replaced_or_removed_leaves_nothing(tmp_path: Path) -> None:
    index = with_both(tmp_path)
    found = [Passage("de", 0.0, 5.0, "Die Häuser.", "", UNIT_WORDS)]
    index.add("de", found, episode("de")[1][:1], language="fr")
    with index.snapshot() as snapshot:
        assert snapshot.frequency("bäume") == 0
    index.remove("de")
    with index.snapshot() as snapshot:
        assert snapshot.frequency("häuser") == 0
        assert snapshot.frequency("houses") == 1
