# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAI's addresses for the programs that speak those: hearing, speaking, and the library as a model to chat with.

What they send beyond what is used here (temperature, tools, …) is left out. The protocol:
https://platform.openai.com/docs/api-reference
"""

import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, File, Form, HTTPException, Request, UploadFile
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from episodes.transcripts.writer import write_srt, write_vtt
from retrieval.model import Exchange
from ui import schemas
from ui.companion import Companion
from ui.home.conversations import Conversations, Said
from ui.web import answer_stream, limits
from ui.web.bodies import AskBody, MomentBody, TurnBody
from ui.web.dependencies import CompanionDep, ServedDep, UserDep
from voice.audio import ENCODED, Audio, duration, encoded, join, pcm16, read_audio, silence
from voice.errors import AudioError, EarmarkError
from voice.model import Cue

router = APIRouter(prefix="/v1", tags=["openai"])

MODEL = "earmark"
"""The library as a model; ``earmark:ID`` is one episode."""

MessageText = Annotated[str, Field(max_length=200_000)]
"""As long as a whole body may be; what is a question is looked at by itself."""


class ContentPart(BaseModel):
    """A part of a message; only text is read."""

    type: Annotated[str, Field(max_length=50)]
    text: MessageText = ""


class Message(BaseModel):
    """A turn of a chat."""

    role: Annotated[str, Field(max_length=50)]
    content: MessageText | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """What is said in it."""
        if isinstance(self.content, list):
            return " ".join(part.text for part in self.content if part.type == "text").strip()
        return (self.content or "").strip()


class ChatBody(BaseModel):
    """What ``POST /v1/chat/completions`` takes."""

    model: Annotated[str, Field(max_length=300)] = MODEL
    messages: Annotated[list[Message], Field(min_length=1, max_length=1_000)]
    stream: bool = False


class SpeechBody(BaseModel):
    """What ``POST /v1/audio/speech`` takes; the voice is the one of the settings."""

    input: Annotated[str, Field(min_length=1, max_length=4_096)]
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0


@router.get("/models")
def models(companion: CompanionDep) -> dict[str, Any]:
    """The library, and the newest episodes that can be asked, as models; those that are not listed can be asked too."""
    newest = companion.library.page(limits.MOST_ON_A_PAGE)
    ids = [MODEL, *(f"{MODEL}:{episode.id}" for episode in newest if episode.ready)]
    return {"object": "list",
            "data": [{"id": name, "object": "model", "created": 0, "owned_by": "earmark"} for name in ids]}  # fmt: skip


@router.post("/audio/transcriptions", response_model=None)
async def transcriptions(
    companion: CompanionDep, served: ServedDep, file: Annotated[UploadFile, File()],
    response_format: Annotated[Literal["json", "text", "srt", "vtt", "verbose_json"], Form()] = "json",
) -> Response:
    """Hear a recording."""
    data = await file.read()
    cues = await to_thread.run_sync(partial(_heard, companion, data), limiter=served.askers)
    text = " ".join(cue.text for cue in cues)
    match response_format:
        case "text":
            return PlainTextResponse(text + "\n")
        case "srt":
            return PlainTextResponse(write_srt(cues))
        case "vtt":
            return PlainTextResponse(write_vtt(cues))
        case "verbose_json":
            segments = [{"id": number, "start": cue.start, "end": cue.end, "text": cue.text}
                        for number, cue in enumerate(cues)]  # fmt: skip
            told = {"task": "transcribe", "language": companion.settings.language, "text": text, "segments": segments,
                    "duration": cues[-1].end if cues else 0.0}  # fmt: skip
            return JSONResponse(told)
    return JSONResponse({"text": text})


@router.post("/audio/speech")
async def speech(body: SpeechBody, companion: CompanionDep, served: ServedDep) -> Response:
    """Read a text aloud."""

    def spoken() -> bytes:
        sounds = list(companion.speak(body.input))
        whole = join(sounds) if sounds else silence(0.1, companion.engines.speaking.rate)
        if body.response_format == "pcm":
            return pcm16(whole.at_rate(_PCM_RATE).samples).astype("<i2").tobytes()
        return encoded(whole, body.response_format, body.speed)

    kind = "audio/pcm" if body.response_format == "pcm" else ENCODED[body.response_format][2]
    return Response(await to_thread.run_sync(spoken, limiter=served.askers), media_type=kind)


@router.post("/chat/completions", response_model=None)
async def chat(body: ChatBody, request: Request, served: ServedDep, user: UserDep) -> Response:
    """Answer the last question of a chat out of the library."""
    asked = [message.text for message in body.messages if message.role == "user" and message.text]
    if not asked or len(asked[-1]) > limits.LONGEST_TEXT:
        raise HTTPException(400, f"The last question has to have 1 to {limits.LONGEST_TEXT} characters.")
    name, _, episode = body.model.partition(":")
    if name != MODEL:
        raise HTTPException(404, f"The model is called {MODEL}, or {MODEL}:ID for one episode.")
    known: Conversations = request.app.state.chats
    before = known.of(_key(user, asked[:-1])) if len(asked) > 1 else ()
    events = answer_stream.events(served, AskBody(text=asked[-1], episode=episode or None, history=_history(before)))
    id_ = f"chatcmpl-{time.time_ns():x}"

    def keep(answer: dict[str, Any], text: str) -> None:
        turn = Exchange(asked[-1], tuple(map(schemas.moment_from, answer["moments"])))
        for said in (*before, Said(turn, text)):
            known.add(_key(user, asked), said)

    if body.stream:
        first = await anext(events)
        return StreamingResponse(_streamed(events, first, id_, body.model, keep), media_type="text/event-stream")
    answer = await answer_stream.whole(events)
    text = _told(answer)
    keep(answer, text)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return JSONResponse({
        "id": id_, "object": "chat.completion", "created": int(time.time()), "model": body.model, "choices": [choice],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, "moments": answer["moments"],
    })  # fmt: skip


async def _streamed(
    events: AsyncIterator[dict[str, Any]], first: dict[str, Any], id_: str, model: str, keep: Any
) -> AsyncIterator[str]:
    """The answer as server-sent events, sentence by sentence."""

    def chunk(delta: dict[str, str], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        told = {"id": id_, "object": "chat.completion.chunk", "created": int(time.time()), "model": model,
                "choices": [choice]}  # fmt: skip
        return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    said = ""
    event = first
    async with aclosing(events):  # type: ignore[type-var]
        try:
            while True:
                if "sentence" in event:
                    text = (" " if said else "") + event["sentence"]["text"]
                    said += text
                    yield chunk({"content": text})
                elif "answer" in event:
                    if not said:
                        said = _told(event["answer"])
                        yield chunk({"content": said})
                    keep(event["answer"], said)
                event = await anext(events)
        except StopAsyncIteration:
            pass
        except EarmarkError as error:
            yield chunk({"content": (" " if said else "") + str(error)})
    yield chunk({}, "stop")
    yield "data: [DONE]\n\n"


def _told(answer: dict[str, Any]) -> str:
    """An answer as text; a command is for a player, and there is none in a chat."""
    text = " ".join(sentence["text"] for sentence in answer["sentences"])
    if not text and answer["command"] is not None:
        return "That is a command for a player. Say in which room, or use the page."
    return text or "I do not know."


def _history(said: Sequence[Said]) -> list[TurnBody]:
    return [
        TurnBody(text=one.turn.text, moments=[MomentBody(**schemas.moment_json(moment)) for moment in one.turn.moments])
        for one in said
    ]


def _key(user: str | None, asked: Sequence[str]) -> str:
    """What a chat is known again by: who asks, and all that was asked."""
    return hashlib.sha256(json.dumps([user, *asked]).encode()).hexdigest()


def _heard(companion: Companion, data: bytes) -> list[Cue]:
    """A recording as timed lines: a short one as a question is heard, a longer one as an episode."""
    with TemporaryDirectory(dir=companion.settings.data_dir) as folder:
        path = Path(folder) / "sound"
        path.write_bytes(data)
        seconds = duration(path)
        if seconds is not None and seconds <= limits.LONGEST_QUESTION:
            audio: Audio = read_audio(path)
            text = companion.hear(audio).text
            return [Cue(0.0, audio.seconds, text)] if text else []
        return list(_pieces(companion, path))


def _pieces(companion: Companion, path: Path) -> Iterator[Cue]:
    for piece in companion.engines.hearing.transcribe(path, companion.bias(None)):
        if piece.end > limits.LONGEST_UPLOAD:
            raise AudioError(f"A recording has at most {limits.LONGEST_UPLOAD / 60:.0f} minutes here.",
                             "Add it to the library instead.")  # fmt: skip
        yield from piece.cues


_PCM_RATE = 24_000  # hertz of sound without a header, as OpenAI sends it
