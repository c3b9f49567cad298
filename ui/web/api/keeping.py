# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listener keeps: notes, conversations, saved moments and what can be made of them."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from ui import moments_export
from ui.listener_data import NoteConflict, SavedMoment, feed_of
from ui.web.api.listening import Key, who
from ui.web.bodies import ConversationBody, KeepBody, NoteBody, RemarkBody
from ui.web.dependencies import CompanionDep, EpisodeDep, ServedDep, UserDep

ConversationScope = Annotated[str, Query(min_length=1, max_length=300)]
MomentId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]

router = APIRouter(tags=["keeping"])


@router.get("/api/notes/{episode_id}")
def note(episode: EpisodeDep, served: ServedDep, user: UserDep, key: Key = "") -> dict[str, Any]:
    """The notes on an episode, and their version."""
    return asdict(served.kept.note(who(user, key), episode.id))


@router.put("/api/notes/{episode_id}")
def write_note(episode: EpisodeDep, served: ServedDep, user: UserDep, body: NoteBody, key: Key = "") -> Response:
    """Store notes; 409 with those that are kept when others were stored since ``version``."""
    try:
        return JSONResponse(asdict(served.kept.write_note(who(user, key), episode.id, body.text, body.version)))
    except NoteConflict as error:
        return JSONResponse(asdict(error.present), status_code=409)


@router.get("/api/conversations")
def conversation(scope: ConversationScope, served: ServedDep, user: UserDep, key: Key = "") -> list[dict[str, Any]]:
    """The answers that were given in a scope, oldest first."""
    return served.kept.conversation(who(user, key), scope)


@router.post("/api/conversations")
def add_answer(body: ConversationBody, served: ServedDep, user: UserDep, key: Key = "") -> dict[str, int]:
    """Keep an answer; how many are kept in its scope."""
    return {"kept": len(served.kept.add_answer(who(user, key), body.scope, body.answer.model_dump()))}


@router.delete("/api/conversations")
def forget_conversation(scope: ConversationScope, served: ServedDep, user: UserDep, key: Key = "") -> dict[str, str]:
    """Forget what was asked in a scope."""
    served.kept.forget_conversation(who(user, key), scope)
    return {"forgotten": scope}


@router.get("/api/moments")
def moments(served: ServedDep, user: UserDep, key: Key = "") -> dict[str, Any]:
    """The saved moments, the last first, and the path of the feed of their clips."""
    listener = who(user, key)
    return {"moments": [asdict(one) for one in served.kept.moments(listener)],
            "feed": f"moments/{feed_of(listener)}/feed.xml"}  # fmt: skip


@router.post("/api/moments")
def save(body: KeepBody, companion: CompanionDep, served: ServedDep, user: UserDep, key: Key = "") -> dict[str, Any]:
    """Save a moment."""
    episode = companion.library.exactly(body.episode)
    if body.end < body.start:
        raise HTTPException(422, "A moment ends after it begins.")
    moment = SavedMoment("", episode.id, body.start, body.end, body.quote, body.speaker, body.question)
    return asdict(served.kept.save_moment(who(user, key), moment))


@router.put("/api/moments/{moment_id}")
def annotate(moment_id: MomentId, body: RemarkBody, served: ServedDep, user: UserDep, key: Key = "") -> dict[str, Any]:
    """Write a note on a saved moment."""
    return asdict(served.kept.annotate(who(user, key), moment_id, body.note))


@router.delete("/api/moments/{moment_id}")
def forget(moment_id: MomentId, served: ServedDep, user: UserDep, key: Key = "") -> dict[str, str]:
    """Save a moment no longer."""
    served.kept.forget_moment(who(user, key), moment_id)
    return {"forgotten": moment_id}


@router.get("/api/moments/export/{form}")
def export_moments(
    form: Literal["markdown", "soundbites"], request: Request, companion: CompanionDep, served: ServedDep,
    user: UserDep, key: Key = "",
) -> Response:
    """The saved moments as a file."""
    kept, known = served.kept.moments(who(user, key)), companion.library.by_id
    if form == "markdown":
        return Response(moments_export.markdown(kept, known, _base(request)), media_type="text/markdown")
    return Response(moments_export.soundbites(kept, known), media_type="application/rss+xml")


@router.get("/moments/{feed}/feed.xml")
def feed(
    feed: Annotated[str, Path(pattern="^[0-9a-f]{32}$")], request: Request, companion: CompanionDep, served: ServedDep
) -> Response:
    """The clips as a podcast, for an app that subscribes to it: who has the address can hear them, and do nothing."""
    kept = served.kept.moments_of_feed(feed)
    text = moments_export.clips_feed(kept, companion.library.by_id, _base(request))
    return Response(text, media_type="application/rss+xml")


def _base(request: Request) -> str:
    return str(request.base_url)
