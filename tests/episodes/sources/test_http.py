# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and addresses that mean no good: each is one download that failed, at once, and never more."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from episodes.model import Link, Source
from episodes.sources import ssrf_guard
from episodes.sources.fetcher import Fetcher
from episodes.sources.http import Net, masked, without_secrets
from tests.episodes.feedserver import Publisher, publishing
from voice.errors import DownloadError

NET = Net(private=True)


@contextmanager
def answering(head: bytes, drip: bytes = b"", pause: float = 0.1) -> Iterator[str]:
    """A server that sends ``head`` and then a drop every ``pause`` seconds, for as long as anybody listens."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(head)
                while drip and not over.wait(pause):
                    connection.sendall(drip)
                over.wait(10) if not head else None

        def work() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    threading.Thread(target=one, args=[listener.accept()[0]], daemon=True).start()

        threading.Thread(target=work, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            time.sleep(0.15)


@pytest.mark.parametrize("address", [
    "http://[", "http://xn--/", "http://a..b/", "http://\u00ad/", "http://" + "a" * 300 + ".example/",
    "http://.example/",
    "http://example.org:" + "9" * 400 + "/", "http://example.org:-1/", "https://xn--zn7c.com/", "http://ex\u2488mple/",
    "http://%00/", "http://127.0.0.1%2f@x/", "http:///x", "http://[::1", "http://[v1.x]/", "http://\ud800/",
    "http://1." + "1" * 400 + "/", "http://xn--a\u0308/",
])  # fmt: skip
def test_a_name_that_is_no_name_is_one_download_that_failed(address):
    with pytest.raises(DownloadError):
        replace(NET, longest=3.0).document(address)
    with pytest.raises(DownloadError):
        replace(NET, longest_file=3.0).file(address, Path("/nowhere/x"), lambda _: None)


@pytest.mark.parametrize("where", ["http://[", "http://xn--/", "https://a..b/", "http://x:" + "9" * 400, "//", "\x80"])
def test_so_is_a_redirect_to_one(where):
    with answering(b"HTTP/1.1 302 Found\r\nLocation: " + where.encode() + b"\r\n\r\n") as address, \
            pytest.raises(DownloadError):  # fmt: skip
        replace(NET, longest=3.0).document(address)


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 400 + b"\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 999999 Odd\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n",
    b"\x00" * 500, b"HTTP/1.1 200 OK\r\nA: " + b"x" * 200_000,
    b"HTTP/1.1 206 P\r\nContent-Range: bytes " + b"9" * 400 + b"-/\r\n\r\n",
])  # fmt: skip
def test_so_is_an_answer_that_is_none(head, tmp_path):
    with answering(head) as address:
        for fetch in (lambda: NET.document(address), lambda: NET.file(address, tmp_path / "x", lambda _: None)):
            with suppress(DownloadError):
                fetch()


def test_what_a_server_says_of_itself_is_one_printable_line():
    head = b"HTTP/1.1 404 \x1b]0;owned\x07" + b"x" * 5000 + b"\r\n\r\n"
    with answering(head) as address, pytest.raises(DownloadError) as error:
        NET.document(address)
    assert error.value.message.isprintable()
    assert len(error.value.message) < 400


class Stop(BaseException):
    pass


@pytest.mark.parametrize(("head", "drip"), [
    (b"", b""),  # connects and says nothing
    (b"HTTP/1.1 200 OK\r\n", b""),  # stops in the head
    (b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n", b"x"),  # a byte now and then, and no length
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
])  # fmt: skip
def test_whoever_waits_for_a_slow_host_may_leave_at_any_time(tmp_path, head, drip):
    asked: list[float] = []

    def tell(fraction: float) -> None:
        asked.append(time.monotonic())
        if len(asked) > 3:
            raise Stop

    with answering(head, drip, pause=2.0) as address, pytest.raises(Stop):
        NET.file(address, tmp_path / "x", tell)
    assert max(after - before for before, after in pairwise(asked)) < 2


def test_documents_are_left_as_well():
    asked: list[int] = []
    with answering(b"") as address, pytest.raises(DownloadError, match="stopped"):
        NET.until(lambda: asked.append(1) or len(asked) > 3).document(address)  # type: ignore[func-returns-value]
    assert len(asked) == 4


@pytest.mark.parametrize("kind", ["transcript", "artwork", "chapters"])
def test_what_comes_beside_a_recording_is_left_at_once_too(tmp_path, kind):
    asked: list[float] = []

    def tell(fraction: float) -> None:
        asked.append(time.monotonic())
        if len(asked) > 4:
            raise Stop

    with answering(b"HTTP/1.1 200 OK\r\n\r\n", b"x", pause=2.0) as address:
        source = Source("Talk", audio=tmp_path / "talk.wav")
        more: dict[str, Source] = {
            "transcript": replace(source, transcripts=(Link(address, "text/vtt"),)),
            "artwork": replace(source, artwork=address),
            "chapters": replace(source, chapters_address=address),
        }
        with pytest.raises(Stop):
            Fetcher(NET)(more[kind], tmp_path / "fetched", tell)
    assert max(after - before for before, after in pairwise(asked)) < 2


def test_less_than_a_minimum_rate_is_given_up(tmp_path):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n"
    with answering(head, b"xxxx", pause=0.05) as address, pytest.raises(DownloadError, match="kB a second"):
        replace(NET, grace=0.5).file(address, tmp_path / "x", lambda _: None)


@pytest.mark.parametrize("address", [
    "::127.0.0.1", "::7f00:1", "64:ff9b:1::1", "64:ff9b:1:ffff::7f00:1", "fec0::1", "feff::1", "192.88.99.1",
    "2001:0:7f00:1::", "::ffff:10.0.0.1", "::", "fe80::1%eth0", "255.255.255.255", "198.18.0.1",
])  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not ssrf_guard.public(address)


@pytest.mark.parametrize(("address", "shown"), [
    ("https://ann:hunter2@example.org/feed.xml", "https://example.org/feed.xml"),
    ("https://example.org/rss?auth=s3cr3t&x=1", "https://example.org/rss?auth=…&x=…"),
    ("https://example.org/private/AbCdEf0123456789abcdef/feed.rss", "https://example.org/private/…/feed.rss"),
    ("https://example.org/a-long-title-of-an-episode.mp3", "https://example.org/a-long-title-of-an-episode.mp3"),
    ("https://example.org:8443/x#t=secret", "https://example.org:8443/x"),
    ("/home/ann/talk.mp3", "/home/ann/talk.mp3"), ("", ""), ("http://[", "http://["),
])  # fmt: skip
def test_addresses_are_shown_without_what_lets_somebody_in(address, shown):
    assert masked(address) == shown


@pytest.mark.parametrize("way", ["document", "file"])
def test_what_lets_somebody_in_is_not_in_what_is_said_of_a_failure(tmp_path: Path, way: str) -> None:
    with publishing() as publisher:
        _failures_are_told_without_secrets(publisher, tmp_path, way)


def _failures_are_told_without_secrets(publisher: Publisher, tmp_path: Path, way: str) -> None:
    secret = f"http://ann:sesame@127.0.0.1:{publisher.port}"
    net = replace(NET, largest=1000, largest_file=1000)
    publisher.files["/big.xml?token=sesame"] = b"<rss>" + b"x" * 5000
    for path in ("/gone.xml?token=sesame", "/busy/?token=sesame", "/big.xml?token=sesame", "/around/?token=sesame",
                 "/moved/gone.xml?token=sesame"):  # fmt: skip
        with pytest.raises(DownloadError) as refused:
            if way == "document":
                net.document(secret + path)
            else:
                net.file(secret + path, tmp_path / "a.mp3", lambda part: None)
        assert "127.0.0.1" in refused.value.message
        assert "sesame" not in str(refused.value), path


def test_a_sentence_without_addresses_stays_as_it_is() -> None:
    assert without_secrets("The disk is full.") == "The disk is full."
    assert without_secrets("“http://e.org/a?k=1” is no feed.") == "“http://e.org/a?k=…” is no feed."
    assert without_secrets("See http://e.org/feed.xml.") == "See http://e.org/feed.xml."
