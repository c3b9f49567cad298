# SPDX-License-Identifier: GPL-3.0-or-later
"""The only door to the network in this room: what a feed names is fetched here, within bounds, and from the outside.

A feed is written by strangers, and its addresses are theirs to choose. So an address of this machine or of the home
network is refused, and what counts is the address that is connected to, not what a name stood for a moment before.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from voice.errors import DownloadError, EarmarkError
from voice.plain_text import one_line
from voice.resumable_download import download

if TYPE_CHECKING:
    import httpx

SETTING_FILE, SETTING_DOCUMENT = "fetch_megabytes", "fetch_document_megabytes"
"""The settings that allow larger recordings, and larger documents."""

_TOKEN = re.compile(r"(?=[^/.]{0,400}\d)(?=[^/.]{0,400}[A-Za-z])[A-Za-z0-9_~=-]{20,400}(?:\.\w{1,5})?")
"""A part of a path that is a subscriber's token rather than a name: long, with letters and digits."""

_ADDRESSES = re.compile(r"https?://[^\s“”\"<>()]{1,4000}[^\s“”\"<>().,:;]")
_REDIRECTS = 10
_BLOCK = 1 << 16  # bytes
_MOVED = (301, 308)
_MEDIA = (b"ID3", b"fLaC", b"OggS", b"RIFF", b"FORM", b"\x1aE\xdf\xa3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1")


@dataclass(frozen=True, slots=True)
class Document:
    """A feed, page, transcript or list of chapters as it was sent.

    ``address`` is the one to ask next time (another one than was asked for when it has moved for good), ``base`` the
    one its relative links start from; ``media`` is true for sound or film, of which only the beginning is in
    ``content``; ``etag`` and ``modified`` prove to the server which version is known.
    """

    address: str
    base: str
    content: bytes
    type: str = ""
    etag: str = ""
    modified: str = ""
    media: bool = False


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Net:
    """The network with its bounds.

    ``private`` allows addresses that are not public; ``silence`` is how many seconds nothing may come, ``longest`` and
    ``longest_file`` how many a document or a media file may take, ``largest`` and ``largest_file`` their bytes (of a
    document: unpacked). ``slowest`` is how many bytes a second have to come of a file on average, once it had
    ``grace`` seconds. ``unwanted`` is asked every half a second, wherever a request stands, whether to break it off.
    """

    private: bool = False
    silence: float = 30.0
    longest: float = 120.0
    longest_file: float = 6 * 3600.0
    largest: int = 64_000_000
    largest_file: int = 4_000_000_000
    slowest: float = 2_000.0
    grace: float = 60.0
    unwanted: Callable[[], bool] = _never

    def until(self, unwanted: Callable[[], bool]) -> "Net":
        """The same network, which breaks off as soon as ``unwanted`` says so."""
        before = self.unwanted
        return replace(self, unwanted=lambda: before() or unwanted())

    def check(self) -> None:
        """Raise DownloadError when nobody wants anything more."""
        if self.unwanted():
            raise DownloadError("It was stopped.")

    def document(self, address: str, etag: str = "", modified: str = "", accept: str = "*/*") -> Document | None:
        """Fetch something small that is read as a whole; None when it is still what ``etag``/``modified`` stand for.

        Raises DownloadError with one sentence when the address, the network or the server says no, or a bound is met.
        """
        headers = {"Accept-Encoding": "gzip", "Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if modified:
            headers["If-Modified-Since"] = modified
        with self._client(address, self.longest) as client, _foreign(address), _explained(address):
            with client.stream("GET", address, headers=headers) as answer:
                if answer.status_code == 304 and (etag or modified):
                    return None
                answer.raise_for_status()
                kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                body = _unpacked(answer, self.largest)
                first = next(body, b"")
                media = kind.startswith(("audio/", "video/")) or _sounds(first)
                content = first if media else b"".join([first, *body])
            asked = [*answer.history, answer]
            stays = [one.url for one, before in zip(asked[1:], asked, strict=False) if before.status_code in _MOVED]
            for_good = len(stays) == len(answer.history)
            return Document(
                str(answer.url) if for_good else address,
                str(answer.url),
                content,
                kind,
                answer.headers.get("ETag", ""),
                answer.headers.get("Last-Modified", ""),
                media,
            )

    def file(self, address: str, to: Path, on_progress: Callable[[float], None]) -> Path:
        """Fetch a large file into ``to``, which is there only when it is complete; a broken-off one is continued.

        Raises DownloadError as above, NoSpace or LibraryError when it cannot be stored.
        """
        again = "Try again: it goes on where it stopped."
        told = 0.0

        def tell(fraction: float) -> None:
            nonlocal told
            told = fraction
            on_progress(fraction)

        def still() -> bool:  # also while nothing comes at all: whoever is told may break it off
            on_progress(told)
            return False

        with self.until(still)._client(address, self.longest_file) as client, _foreign(address):
            return download(
                address, to, tell, limit_bytes=self.largest_file, client=client, advice=again,
                slowest=self.slowest, grace=self.grace,
                limit_advice=f"Set {SETTING_FILE} to more in the settings to allow it.",
            )  # fmt: skip

    def _client(self, address: str, longest: float) -> "httpx.Client":
        """A client for one document or file. No proxy is used: behind one nobody sees what is connected to."""
        import httpx

        from episodes.sources.ssrf_guard import SsrfTransport

        _plain_address(address)
        return httpx.Client(
            transport=SsrfTransport(self.private, monotonic() + longest, self.unwanted),
            timeout=self.silence,
            follow_redirects=True,
            max_redirects=_REDIRECTS,
            headers={"User-Agent": "Earmark (podcast library)"},
            trust_env=False,
        )


def is_address(text: str) -> bool:
    """True for something meant as an address of the web (or of another scheme) rather than as a file name."""
    scheme, colon, rest = text.partition("://")
    return bool(colon and rest) and scheme.replace("+", "").isalnum() and len(scheme) > 1


def masked(address: str) -> str:
    """An address without what lets somebody in: no name and password, no values in the query, no long random parts.

    Publishers put a subscriber's token into any of the three.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return one_line(address, 40)
    if not parts.scheme or not host:
        return address
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    path = "/".join("…" if _TOKEN.fullmatch(part) else part for part in parts.path.split("/"))
    query = "&".join(f"{name}=…" for name, _ in parse_qsl(parts.query, keep_blank_values=True)[:20])
    return one_line(urlunsplit((parts.scheme, place, path, query, "")), 1_000)


def without_secrets(text: str) -> str:
    """A sentence whose addresses are masked."""
    return _ADDRESSES.sub(lambda found: masked(found[0]), text)


def _plain_address(address: str) -> None:
    """Refuse what is not an address of the web. Raises DownloadError."""
    import httpx

    shown = one_line(masked(address), 100)
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and (parts.port or 1) > 0
        httpx.URL(address)  # which knows what a name may look like (IDNA)
    except (ValueError, httpx.InvalidURL):
        usable = False
        parts = None
    if parts is not None and parts.scheme not in ("http", "https"):
        raise DownloadError(f"“{shown}” is not an address of the web.",
                            "Give one that begins with http:// or https://.")
    if not usable or len(address) > 4000 or not address.isprintable() or " " in address:
        raise DownloadError(f"“{shown}” is not an address that can be used.",
                            "Check it for missing or extra characters.")


def _sounds(first: bytes) -> bool:
    """True when a body begins as media files do."""
    return first.startswith(_MEDIA) or first[4:8] == b"ftyp"


def _unpacked(answer: "httpx.Response", largest: int) -> Iterator[bytes]:
    """The body in pieces, unpacked as it comes, so that a small one cannot grow without a bound."""
    packed = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if packed not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise DownloadError(f"{answer.url} is packed in a way that was not asked for ({packed[:20]}).",
                            "Download it by hand, then add the file.")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed not in ("identity", "") else None
    size = 0
    for block in answer.iter_raw(_BLOCK):
        for piece in _pieces(unpack, block, str(answer.url)) if unpack else (block,):
            size += len(piece)
            if size > largest:
                raise DownloadError(
                    f"{answer.url} is larger than the {largest / 1e6:.0f} MB that are allowed here, so it was refused.",
                    f"Set {SETTING_DOCUMENT} to more in the settings to allow it.",
                )
            yield piece


def _pieces(unpack: "zlib._Decompress", block: bytes, address: str) -> Iterator[bytes]:
    """One packed block unpacked, at most a block's size at a time."""
    try:
        while block and not unpack.eof:
            yield unpack.decompress(block, _BLOCK)
            block = unpack.unconsumed_tail
    except zlib.error as error:
        raise DownloadError(f"{address} is packed and damaged.", "Try again later.") from error


@contextmanager
def _foreign(address: str) -> Iterator[None]:
    """Whatever else a library of others raises on what a stranger sent (a name that is no name, a number that is no
    number) is a download that failed, and nothing more: the other feeds and episodes go on."""
    try:
        yield
    except EarmarkError as error:  # of whichever address: a redirect's may hold a token too
        told = type(error)(without_secrets(error.message), without_secrets(error.hint))
        raise told from error.__cause__
    except (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise DownloadError(f"{one_line(masked(address), 200)} could not be fetched: what was sent makes no sense "
                            f"({type(error).__name__}).", "Check the address.") from error


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Translate httpx's errors into one sentence."""
    import httpx

    shown = one_line(masked(address), 200)
    try:
        yield
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        hint = "Try again later." if code >= 500 or code == 429 else "Check the address."
        if code in (401, 402, 403):
            hint = "It is for subscribers; use the address they were given."
        answered = one_line(f"{code} {error.response.reason_phrase}", 80)
        raise DownloadError(f"{shown} was answered with {answered}.", hint) from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        host = error.request.url.host
        raise DownloadError(f"No connection to {host}.", "Check the address and the network.") from error
    except httpx.TimeoutException as error:
        raise DownloadError(f"{shown} took too long to answer, so it was given up.", "Try again later.") from error
    except httpx.TooManyRedirects as error:
        raise DownloadError(f"{shown} leads from one address to the next without an end.",
                            "Check the address.") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        reason = " ".join((str(error) or type(error).__name__).split())[:200].rstrip(".")
        raise DownloadError(f"{shown} could not be fetched: {reason}.", "Try again later.") from error


def status_of(cause: BaseException | None) -> int:
    """The HTTP status with which a server refused; 0 when something else went wrong."""
    import httpx

    return cause.response.status_code if isinstance(cause, httpx.HTTPStatusError) else 0


def is_endless(cause: BaseException | None) -> bool:
    """True when one address led to the next without an end."""
    import httpx

    return isinstance(cause, httpx.TooManyRedirects)


def is_no_address(cause: BaseException | None) -> bool:
    """True when what was asked for is no address."""
    import httpx

    return isinstance(cause, httpx.InvalidURL)
