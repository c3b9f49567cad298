# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking: the one way, streamed or whole; and what belongs to it: hearing, speaking, searching, where answers lie."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from ui import schemas
from ui.web import answer_stream, limits
from ui.web.bodies import AskBody, HeatBody, LiveBody, SpeakBody
from ui.web.dependencies import CompanionDep, ServedDep
from ui.web.live_hearing import Spoken
from voice.audio import HEARING_RATE, from_pcm16, pcm16
from voice.model import Heard

router = APIRouter(tags=["asking"])


@router.post("/api/ask", response_model=None)
async def ask(body: AskBody, served: ServedDep) -> dict[str, Any] | StreamingResponse:
    """Answer a question, or tell which command it was; with ``stream`` as lines of JSON while it is made."""
    events = answer_stream.events(served, body)
    if not body.stream:
        return await answer_stream.whole(events)
    # What is wrong with the question is said before the answer begins; while engines load, that they do is the answer.
    if body.aloud:
        events = answer_stream.with_sound(events, served.companion.speak)
    first = await anext(events)
    return StreamingResponse(answer_stream.lines(events, first), media_type="application/x-ndjson")


@router.get("/api/commands")
def commands() -> list[dict[str, Any]]:
    """Every command, and what each means when no amount is said."""
    return schemas.commands_json()


@router.post("/api/hear")
async def hear(request: Request, companion: CompanionDep, episode: limits.EpisodeId | None = None) -> dict[str, Any]:
    """Turn a spoken question (16-bit samples, mono, 16 kHz) into text."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limits.LARGEST_SOUND:
            raise HTTPException(413, f"A question has at most {limits.LONGEST_QUESTION} seconds.")
    if len(data) % 2:
        raise HTTPException(400, "The sound has to be 16-bit samples.")

    def work() -> Heard:
        chosen = companion.library.exactly(episode).id if episode else None
        return companion.hear(from_pcm16(bytes(data), HEARING_RATE), chosen)

    heard = await run_in_threadpool(work)
    return {"text": heard.text, "confidence": heard.confidence}


@router.post("/api/hear/live")
def begin_hearing(served: ServedDep, body: LiveBody | None = None) -> dict[str, str]:
    """Begin to listen to a question while it is spoken, perhaps over an answer that is read aloud; its id."""
    return {"id": served.live.begin(body.played if body else ())}


@router.post("/api/hear/live/{live_id}")
async def go_on_hearing(
    live_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], request: Request, served: ServedDep,
    episode: limits.EpisodeId | None = None,
) -> dict[str, str]:
    """The next sound of it (16-bit samples, mono, 16 kHz): whether it is over, and what was understood so far."""
    data = await request.body()
    if len(data) % 2:
        raise HTTPException(400, "The sound has to be 16-bit samples.")
    companion = served.companion

    def work() -> Spoken:
        chosen = companion.library.exactly(episode).id if episode else None
        samples = from_pcm16(data, HEARING_RATE).samples
        return served.live.push(live_id, samples, lambda audio: companion.hear(audio, chosen))

    spoken = await run_in_threadpool(work)
    return {"state": spoken.state, "text": spoken.text}


@router.put("/api/hear/live/{live_id}")
def read_meanwhile(
    live_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], body: LiveBody, served: ServedDep
) -> dict[str, str]:
    """Say anew what is read aloud meanwhile."""
    served.live.playing(live_id, body.played)
    return {"id": live_id}


@router.delete("/api/hear/live/{live_id}")
def end_hearing(live_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], served: ServedDep) -> dict[str, str]:
    """Listen to it no longer."""
    served.live.end(live_id)
    return {"ended": live_id}


@router.post("/api/speak")
def speak(body: SpeakBody, companion: CompanionDep) -> StreamingResponse:
    """Read a text aloud: 16-bit samples at the rate in ``X-Sample-Rate``, as they are made."""
    voice = companion.engines.voice_for(body.text)

    def pieces() -> Iterator[bytes]:
        for audio in companion.speak(body.text, voice):
            yield pcm16(audio.samples).astype("<i2").tobytes()

    headers = {"X-Sample-Rate": str(voice.rate), "Cache-Control": "no-store"}
    return StreamingResponse(pieces(), media_type="application/octet-stream", headers=headers)


@router.get("/api/search")
def search(
    text: Annotated[str, Query(min_length=1, max_length=limits.LONGEST_TEXT)], companion: CompanionDep
) -> list[dict[str, Any]]:
    """Moments in which that is said, in any episode, best first."""
    wanted = _words(text)  # "Proof-of-Work" and "proof of work" are the same
    telling = {word for word in wanted if len(word) > 2} or set(wanted)
    phrase = " ".join(wanted)
    found = companion.search(phrase, limits.MOST_FOUND) if phrase else []
    said = [(moment, _words(moment.quote)) for moment in found]
    said = [(moment, words) for moment, words in said if telling & set(words)]
    # where it is said word for word comes first
    said.sort(key=lambda one: f" {phrase} " not in f" {' '.join(one[1])} ")
    return [schemas.moment_json(moment) for moment, _ in said]


def _words(text: str) -> list[str]:
    """The words of a text without regard to case and the marks between them."""
    return re.findall(r"\w+", re.sub(r"(?<=\w)['’](?=\w)", "", text.lower()))


@router.post("/api/heat")
def heat(body: HeatBody, companion: CompanionDep) -> list[tuple[float, float, float]]:
    """How warm each part of the episode is: ``[start, end, warmth]``, warmth in 0..1; the question is understood as by
    ``POST /api/ask``."""
    parts = companion.relevance_curve(body.asked(companion))
    return [(round(part.start, 2), round(part.end, 2), part.value) for part in parts]
