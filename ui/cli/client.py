# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line's way to a running server: its models are warm, a process of its own would load them for seconds.

Only the standard library and light modules: a command must start at once.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from retrieval.model import Answer, Question, Sentence
from ui import schemas, server_note
from voice.errors import EarmarkError, EngineError
from voice.model import Heard

if TYPE_CHECKING:  # numpy alone takes longer to import than an answer takes to find
    from voice.audio import Audio

ANSWER_SECONDS = 120.0


class Server:
    """A running server of one library; it asks, hears and speaks as ``Companion`` does."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._pass = {"Authorization": f"Bearer {token}"} if token else {}
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port

    def answers(self) -> bool:
        """True when it is there (it has a second to say so) and its models are loaded."""
        try:
            with self._open("/api/status", seconds=1.0) as reply:
                return json.load(reply)["ready"] is True
        except (EarmarkError, ValueError, KeyError, TypeError):
            return False

    def ask(self, question: Question) -> Answer:
        """Ask it; see ``Companion.ask``."""
        *_, made = self.telling(question)
        if not isinstance(made, Answer):
            raise EngineError("The answer broke off.", "Ask again.")
        return made

    def telling(self, question: Question) -> Iterator[Sentence | Answer]:
        """Ask it and get the sentences as they are made, then the answer; see ``Companion.telling``."""
        body = schemas.question_json(question) | {"stream": True}
        with self._open("/api/ask", _as_json(body), "application/json") as reply:
            for line in reply:
                said = json.loads(line)
                if "error" in said:
                    raise EarmarkError(str(said["error"]), str(said.get("hint", "")))
                if "waiting" not in said:
                    yield schemas.news_from(said)

    def hear(self, audio: "Audio", episode_id: str | None = None) -> Heard:
        """Let it turn a spoken question into text."""
        from voice.audio import HEARING_RATE, pcm16

        query = "?" + urlencode({"episode": episode_id}) if episode_id else ""
        sound = pcm16(audio.at_rate(HEARING_RATE).samples).astype("<i2").tobytes()
        with self._open("/api/hear" + query, sound, "application/octet-stream") as reply:
            said = json.load(reply)
        return Heard(said["text"], said["confidence"])

    def speak(self, text: str) -> "Iterator[Audio]":
        """Let it read a text aloud; the pieces come as they are made."""
        from voice.audio import from_pcm16

        with self._open("/api/speak", _as_json({"text": text}), "application/json") as reply:
            rate = int(reply.headers["X-Sample-Rate"])
            while piece := reply.read(rate):  # half a second
                yield from_pcm16(piece, rate)

    def _connection(self, seconds: float) -> HTTPConnection:
        if urlsplit(self.url).scheme == "http":
            return HTTPConnection(self._host, self._port, timeout=seconds)
        import ssl

        trusting = ssl.create_default_context()  # it is this machine, and the certificate names another
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        return HTTPSConnection(self._host, self._port, timeout=seconds, context=trusting)

    @contextmanager
    def _open(
        self, path: str, body: bytes | None = None, kind: str = "", seconds: float = ANSWER_SECONDS
    ) -> Iterator[HTTPResponse]:
        connection = self._connection(seconds)
        try:
            headers = self._pass | ({"Content-Type": kind} if kind else {})
            connection.request("POST" if body else "GET", path, body, headers)
            reply = connection.getresponse()
            if reply.status >= 400:
                raise _explain(reply)
            yield reply
        except (OSError, HTTPException, ValueError) as error:
            raise EngineError("The running server does not answer.", "Restart 'earmark serve'.") from error
        finally:
            connection.close()


def running(data_dir: Path) -> Server | None:
    """The server of this data folder, when it runs and is ready to answer."""
    there = server_note.running_server(data_dir)
    if there is None:
        return None
    server = Server(there.url, there.token)
    return server if server.answers() else None


def _as_json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _explain(reply: HTTPResponse) -> EarmarkError:
    try:
        said = json.load(reply)
    except ValueError:
        said = None
    if isinstance(said, dict) and "error" in said:
        return EarmarkError(str(said["error"]), str(said.get("hint", "")))
    return EngineError(f"The running server answered {reply.status}.", "Restart 'earmark serve'.")
