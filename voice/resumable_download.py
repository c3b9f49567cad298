# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches one large file over HTTP: bounded, resumable, and never half there under its final name."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from voice.errors import DownloadError, from_os_error
from voice.plain_text import one_line

if TYPE_CHECKING:
    import httpx

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOOK = 1.0  # seconds after which progress is told anyway
_STEP = 0.01  # smallest growth of the fraction that is reported


def download(
    url: str,
    to: Path,
    progress: Callable[[float], None] | None = None,
    *,
    limit_bytes: int = 4_000_000_000,
    timeout: float = 30.0,
    sha256: str | None = None,
    client: "httpx.Client | None" = None,
    advice: str | None = None,
    limit_advice: str = "",
    slowest: float = 0.0,
    grace: float = 60.0,
) -> Path:
    """Fetch `url` into the file `to` and return `to`.

    Bytes go to `<to>.part`, which takes the final name only when complete. An interrupted download (also by
    Ctrl-C) leaves the part, and the next call continues it if the server still offers the same file.

    progress: called with the fraction that is there, 0 to 1, in steps of at least 0.01 or once a second (also while
    the whole is unknown), and with 1.0 at the end. What it raises breaks the download off.
    limit_bytes: a file longer than this is refused, by its announced length or as soon as it grows past it.
    timeout: seconds without a connection, or without a single byte, after which the attempt is given up.
    sha256: the hexadecimal digest the file must have; a file with another is thrown away.
    client: what to fetch with, when it has rules of its own about addresses, redirects and time; `timeout` is then its
    own, and it may follow a redirect to an unencrypted address. It is left open.
    advice: the next step that an error names, in place of the one to put the file there by hand; `limit_advice` the
    one for a file that is too large.

    slowest: bytes a second that have to come on average after the first `grace` seconds; 0: any.

    Raises DownloadError when the network, the server or the content says no, NoSpace or LibraryError when the disk
    does.
    """
    import httpx

    part, tag = to.with_name(to.name + ".part"), to.with_name(to.name + ".part.etag")
    again = advice or f"Try again (it continues where it stopped), or put the file there by hand: {to}"
    tell = progress or (lambda fraction: None)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        if client is not None:
            _fetch(client, url, part, tag, tell, limit_bytes, limit_advice, slowest, grace)
        else:
            with httpx.Client(follow_redirects=True, timeout=timeout) as plain:
                if not url.startswith("https:") and httpx.URL(url).host not in _LOOPBACK:
                    raise DownloadError(f"{url} is an unencrypted address: what comes from it could be anybody's.",
                                        "Use one that begins with https://.")
                if url.startswith("https:"):
                    plain.event_hooks = {"request": [_encrypted]}
                _fetch(plain, url, part, tag, tell, limit_bytes, limit_advice, slowest, grace)
        if sha256 is not None and file_sha256(part) != sha256.lower():
            _forget(part, tag)
            raise DownloadError(f"What {url} sent is not the expected file (its checksum differs).", again)
        part.replace(to)
        tag.unlink(missing_ok=True)
    except httpx.HTTPStatusError as error:
        answer = error.response
        raise DownloadError(
            f"{url} was answered with {one_line(f'{answer.status_code} {answer.reason_phrase}', 80)}.",
            advice or f"Check the name, or put the file there by hand: {to}",
        ) from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise DownloadError(
            f"No connection to {httpx.URL(url).host}, so {to.name} could not be fetched.",
            advice or f"Check the network and try again, or put the file there by hand: {to}",
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise DownloadError(f"The download of {url} broke off: {reason}.", again) from error
    except OSError as error:
        raise from_os_error(error, f"store {to.name} in {to.parent}") from error
    if progress is not None:
        progress(1.0)
    return to


def _fetch(
    client: "httpx.Client",
    url: str,
    part: Path,
    tag: Path,
    progress: Callable[[float], None],
    limit: int,
    limit_advice: str,
    slowest: float,
    grace: float,
) -> None:
    """Bring `part` to its full length, asking only for the bytes that are missing."""
    have = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        # If-Range: a file that changed since is sent whole instead of being spliced to the old beginning.
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text(encoding="ascii")}
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == 416 and have:  # the part is as long as the file, or longer: begin anew
            _forget(part, tag)
            restart = True
        else:
            restart = False
            answer.raise_for_status()
            if not (answer.status_code == 206 and _range_start(answer) == have):
                have = 0
            length = answer.headers.get("Content-Length", "")
            total = have + int(length) if length.isdecimal() else None
            if total is not None and total > limit:
                _refuse(url, limit, limit_advice, part, tag)
            _note_validator(answer, tag)
            received = _append(answer, part, have, total, limit, progress, slowest, grace)
            if received > limit:
                _refuse(url, limit, limit_advice, part, tag)
            if total is not None and part.stat().st_size != total:
                _forget(part, tag)  # two processes wrote the same part, or the server miscounted
                raise DownloadError(
                    f"{url} sent another number of bytes than announced.", "Try again."
                ) from ConnectionError("incomplete")
    if restart:
        _fetch(client, url, part, tag, progress, limit, limit_advice, slowest, grace)


def _encrypted(request: "httpx.Request") -> None:
    """Refuse to leave https on the way: what a model does should be what its maker published."""
    if request.url.scheme != "https":
        raise DownloadError(f"The download leads to an unencrypted address ({request.url}), which is not followed.")


def _append(
    answer: "httpx.Response",
    part: Path,
    have: int,
    total: int | None,
    limit: int,
    progress: Callable[[float], None],
    slowest: float,
    grace: float,
) -> int:
    """Write the body behind the first `have` bytes of `part`; return its length, at most one block past `limit`."""
    told, begun, before = 0.0, monotonic(), have
    looked = begun
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        file.truncate()
        for block in answer.iter_raw():  # as it comes: gathered into larger ones, a slow host's would be waited for
            file.write(block)
            have += len(block)
            if have > limit:
                break
            now = monotonic()
            if slowest and now - begun > grace and (have - before) / (now - begun) < slowest:
                raise DownloadError(f"{answer.url} sends less than {slowest / 1000:g} kB a second, so it was given up.")
            fraction = have / total if total else 0.0
            if (fraction - told >= _STEP or now - looked >= _LOOK) and fraction < 1.0:
                told, looked = fraction, now
                progress(told)
    return have


def _range_start(answer: "httpx.Response") -> int | None:
    """The first byte position a 206 answer carries (`Content-Range: bytes 100-199/200`), None when it is unclear."""
    first = answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(first) if first.isdecimal() else None


def _note_validator(answer: "httpx.Response", tag: Path) -> None:
    """Remember what proves that the file is still the same; without such proof nothing is continued later."""
    etag = answer.headers.get("ETag", "")
    validator = answer.headers.get("Last-Modified", "") if not etag or etag.startswith("W/") else etag
    if validator and validator.isascii():
        tag.write_text(validator, encoding="ascii")
    else:
        tag.unlink(missing_ok=True)


def _refuse(url: str, limit: int, advice: str, part: Path, tag: Path) -> None:
    """Throw away what was received and say that the file is too large."""
    _forget(part, tag)
    allowed = f"{limit / 1e6:.0f} MB that are allowed here"
    raise DownloadError(f"{url} is larger than the {allowed}, so it was refused.", advice)


def _forget(*files: Path) -> None:
    """Remove the files that are there."""
    for file in files:
        file.unlink(missing_ok=True)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
