# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a library: in its folder, in a store that fsspec reaches, and in S3 (a server of our own, by moto)."""

import os
import secrets
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from episodes.ingest.worker import run
from episodes.media import artwork
from episodes.store.files import Files, FolderFiles, StoredFiles, files_of
from tests.ui.home.conftest import add_episode, tone_file
from ui.companion import Companion
from ui.settings import Settings, net_of
from voice.errors import LibraryError, SettingsError

assert tone_file  # a fixture

NO_S3 = "" if all(map(find_spec, ("moto", "flask", "s3fs"))) else (
    "S3 is not tried: .venv/bin/pip install s3fs 'moto[server]'"
)  # fmt: skip


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket on a server of our own on this machine."""
    if NO_S3:
        pytest.skip(NO_S3)
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("AWS_ACCESS_KEY_ID", "me"), ("AWS_SECRET_ACCESS_KEY", "mine"),
                            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
                            ("AWS_DEFAULT_REGION", "us-east-1")):  # fmt: skip
            patch.setenv(name, value)
        S3FileSystem(skip_instance_cache=True).mkdir("podcasts")
        yield "s3://podcasts"
    server.stop()


def empty(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store of a kind."""
    if kind == "s3":
        return f"{request.getfixturevalue('s3')}/{secrets.token_hex(4)}"
    return {"memory": f"memory://{secrets.token_hex(4)}", "file": f"file://{tmp_path}/store", "folder": ""}[kind]


@pytest.fixture(params=["file", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return empty(request.param, request, tmp_path)


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """The files of a machine, in each place."""
    return files_of(empty(request.param, request, tmp_path), tmp_path / "here")


def test_a_file_is_put_read_in_parts_and_removed(files: Files, tmp_path: Path) -> None:
    given = tmp_path / "given.m4a"
    given.write_bytes(bytes(range(256)) * 2_000)
    assert not files.exists("audio/a.m4a") and files.size("audio/a.m4a") is None
    assert not files.local("audio/a.m4a").exists() and files.near("audio/a.m4a") is None
    with pytest.raises(LibraryError, match="no file"), files.get("audio/a.m4a"):
        pass
    files.put("audio/a.m4a", given)
    files.put("fetched/e1/b.vtt", given)
    assert files.size("audio/a.m4a") == 512_000 and files.exists("audio/a.m4a")
    with files.get("audio/a.m4a") as path:
        assert path.read_bytes() == given.read_bytes()
    assert b"".join(files.read("audio/a.m4a", 255, 300_001)) == given.read_bytes()[255:300_001]
    assert list(files.names()) == ["audio/a.m4a", "fetched/e1/b.vtt"]
    assert files.among(["audio/a.m4a", "audio/b.m4a"]) == {"audio/a.m4a"}
    before = files.mark("audio")
    files.delete("audio/a.m4a")
    files.delete("fetched/e1")
    files.delete("fetched/e2")
    assert list(files.names()) == [] and not files.exists("audio/a.m4a") and files.mark("audio") != before


def test_what_one_machine_stores_the_others_have(store: str, tmp_path: Path) -> None:
    one, other = (StoredFiles(store, tmp_path / name) for name in ("one", "other"))
    given = tmp_path / "given.m4a"
    given.write_bytes(b"first")
    one.put("audio/a.m4a", given)
    assert other.near("audio/a.m4a") is None
    copy = other.local("audio/a.m4a")
    assert copy.read_bytes() == b"first" and copy.is_relative_to(tmp_path / "other")
    assert other.near("audio/a.m4a") == copy
    given.write_bytes(b"the second")
    one.put("audio/a.m4a", given)
    assert other.near("audio/a.m4a") is None, "what it has is old"
    assert other.local("audio/a.m4a").read_bytes() == b"the second"


def test_copies_make_room_for_others_but_not_those_in_use(tmp_path: Path) -> None:
    there, given = StoredFiles(f"memory://{secrets.token_hex(4)}", tmp_path, copies=250), tmp_path / "given"
    given.write_bytes(bytes(100))
    for number in range(4):
        there.put(f"audio/{number}.m4a", given)
    paths = [there.local(f"audio/{number}.m4a") for number in range(3)]
    assert all(path.exists() for path in paths), "all were used just now"
    for number, path in enumerate(paths):
        os.utime(path, (number, number))
    paths.append(there.local("audio/3.m4a"))
    assert [path.exists() for path in paths] == [False, False, True, True]


def test_a_store_that_cannot_be_reached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="cannot be used"):
        StoredFiles("nothing-knows-this://bucket", tmp_path)
    there = StoredFiles("memory://x", tmp_path)
    monkeypatch.setattr(there._fs, "info", lambda path: 1 / 0)
    with pytest.raises(LibraryError, match="could not look for audio"):
        there.size("audio/a.m4a")
    assert isinstance(files_of("", tmp_path), FolderFiles)


def test_an_episode_is_heard_from_the_store_in_parts_and_goes_from_it(
    store: str, tmp_path: Path, tone_file: Path
) -> None:
    from ui.web import server

    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False, files=store))
    library = companion.library
    episode = add_episode(library, tone_file)
    path = library.folder / episode.audio
    library.files.put(episode.audio, path)
    library.files.put(artwork.name_of(episode.id), path)
    path.unlink()
    whole, at = tone_file.read_bytes(), f"/audio/{episode.id}"
    client = TestClient(server.build(companion), base_url="http://127.0.0.1")  # not entered: nothing loads
    assert client.get(at).content == whole
    assert not path.exists(), "playing copies nothing"
    for asked, part in (("bytes=10-19", whole[10:20]), ("bytes=-5", whole[-5:]), ("bytes=7-", whole[7:]),
                        (f"bytes=0-{len(whole) + 9}", whole)):  # fmt: skip
        reply = client.get(at, headers={"Range": asked})
        assert (reply.status_code, reply.content) == (206, part)
        assert int(reply.headers["Content-Length"]) == len(part)
    assert reply.headers["Content-Range"] == f"bytes 0-{len(whole) - 1}/{len(whole)}"
    assert client.get(at, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    head = client.head(at, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["Content-Length"], head.content) == (206, "2", b"")
    (row,) = client.get("/api/episodes").json()
    assert row["artwork"] and client.get(f"/artwork/{episode.id}").content == whole
    assert client.get(f"/api/episodes/{episode.id}/clip?start=1&end=3").headers["Content-Type"] == "audio/mp4"
    companion.remove(episode.id)
    assert list(library.files.names()) == []
    companion.close()


def test_any_machine_takes_in_what_another_one_was_given(
    store: str, tmp_path: Path, postgres_url: str, tone_file: Path
) -> None:
    import threading

    from episodes.ingest.subscriptions import take
    from episodes.sources.resolve import gather

    one, other = (
        Companion(Settings(data_dir=tmp_path / name, demo=False, files=store, database=postgres_url))
        for name in ("one", "other")
    )
    given = tmp_path / "given" / "Tones.m4a"
    given.parent.mkdir()
    given.write_bytes(tone_file.read_bytes())
    given.with_suffix(".vtt").write_text("WEBVTT\n\n00:01.000 --> 00:05.000\n<v Ada>Bees dance on the comb.\n")
    (episode,) = take(one.library, gather(str(given), net_of(one.settings)))
    for path in (given, given.with_suffix(".vtt")):
        path.unlink()
    run(other.library, other.tools, threading.Event(), idle=0.0)
    ready = one.library.episode(episode.id)
    assert ready.ready and one.library.cues(episode.id)[0].text == "Bees dance on the comb."
    assert sorted(one.library.files.names()) == [ready.audio], "and nothing that was only needed for it"
    sound = one.library.audio_path(ready)
    assert sound is not None and sound.is_file() and sound.is_relative_to(tmp_path / "one")
    for companion in (one, other):
        companion.close()
