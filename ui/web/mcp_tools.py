# SPDX-License-Identifier: GPL-3.0-or-later
"""What other programs and language models may call, through Gradio's API and as an MCP server.

The docstrings of the inner functions are what a model reads before it calls one, so they say when to use it, what to
give, what comes back and what to do next. They answer with JSON as text, since Gradio would hand a model the ``repr``
of Python's lists.
"""

import json
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from retrieval.model import Answer
from ui import schemas
from ui.companion import Companion
from ui.web import answer_stream
from ui.web.bodies import AskBody
from ui.web.limits import LONGEST_EXCERPT, LONGEST_TEXT, Seconds
from voice.errors import EarmarkError
from voice.model import clock

MOST_LISTED, MOST_MOMENTS = 200, 10

_WORDS = TypeAdapter(Annotated[str, Field(strict=True, max_length=LONGEST_TEXT)])
_COUNT = TypeAdapter(Annotated[int, Field(ge=1, le=MOST_MOMENTS)])
_SKIP = TypeAdapter(Annotated[int, Field(ge=0, le=1_000_000_000)])
_TIME: TypeAdapter[float] = TypeAdapter(Seconds)


def register_tools(gr: Any, companion: Companion) -> None:
    """Put the functions into the Blocks that is being built. ``gr`` is the gradio module."""

    def checked(kind: TypeAdapter[Any], value: object, what: str) -> Any:
        """Gradio passes on whatever a caller sends, also objects that stand for files: only short texts and numbers
        go further."""
        try:
            return kind.validate_python(value)
        except ValidationError as error:
            raise gr.Error(f"{what}: {error.errors()[0]['msg'].lower()}.") from error

    def answer(question: str, episode: str) -> Answer:
        try:
            body = AskBody(text=question, episode=episode or None)
        except ValidationError as error:
            problem = error.errors()[0]
            raise gr.Error(
                f"Give a question of 1 to {LONGEST_TEXT} characters, and the id of an episode or nothing "
                f"({problem['msg'].lower()})."
            ) from error
        try:
            return answer_stream.answer_at_once(companion, body)
        except EarmarkError as error:
            raise gr.Error(str(error)) from error

    def list_episodes(search: str = "", skip: int = 0) -> str:
        """List the podcast episodes in the library. Call this first: the other tools take the "id" it gives.

        Args:
            search: Words (or their beginnings) that all stand in the title, show or guests; empty lists everything,
                newest first.
            skip: How many of them to leave out. At most 200 come at a time: for more, skip those that came.

        Returns:
            JSON: a list of episodes with "id", "title", "show", "guests", "published" (ISO date), "seconds" (length)
            and "ready" (only those that are ready can be asked).
        """
        query, offset = checked(_WORDS, search, "search"), checked(_SKIP, skip, "skip")
        keys = ("id", "title", "show", "guests", "published", "seconds", "ready")
        return _as_json([
            {key: value for key, value in schemas.episode_json(episode).items() if key in keys}
            for episode in companion.library.page(MOST_LISTED, offset, query)
        ])

    def find_moments(question: str, episode: str = "", count: int = 5) -> str:
        """Find where in the podcasts something is talked about, as passages with their times, best first.

        Use it to quote or to link; use ask_episode for a short answer. Ask in a full sentence, as to a person.

        Args:
            question: What is sought, for instance "Why is a chatbot like a mirror?".
            episode: Id of one episode to search, from list_episodes; empty searches the whole library.
            count: How many moments at most, 1 to 10.

        Returns:
            JSON: a list of moments with "episode" (id), "start" and "end" in seconds, "speaker", "quote" (the words
            said there, from the transcript), "confidence" in 0..1 (under 0.33 it is rather not an
            answer) and "clock" (the start as 1:02:03). Quote only what stands in "quote", and name the speaker and
            the clock time.
        """
        most = checked(_COUNT, count, "count")
        found = answer(question, episode).moments[:most]
        return _as_json([schemas.moment_json(moment) | {"clock": clock(moment.start)} for moment in found])

    def ask_episode(question: str, episode: str = "") -> str:
        """Answer a question out of what is said in the podcasts, sentence by sentence with the times it rests on.

        Args:
            question: A question in a full sentence. Each call stands alone: put in what "it" or "he" refers to.
            episode: Id of one episode, from list_episodes; empty asks the whole library.

        Returns:
            JSON: an object with "covered" (false: the library does not answer this, and the moments are only the
            nearest things; say so instead of guessing), "text" (the whole answer), "sentences" (each with the
            "moments" it rests on) and "moments" (best first, as find_moments gives them).
        """
        found = answer(question, episode)
        return _as_json(schemas.answer_json(found) | {"text": found.text})

    def get_transcript(episode: str, start: float = 0.0, end: float = 0.0) -> str:
        """Read what is said in an episode between two times, to see the context of a moment or to sum up a part.

        Args:
            episode: Id of the episode, from list_episodes.
            start: Seconds from the beginning.
            end: Seconds from the beginning; 0 reads to the end of the episode.

        Returns:
            Lines of "[clock] Speaker: text". A long part is cut, and the last line says with which start to go on.
        """
        wanted = checked(_WORDS, episode, "episode")
        start, end = checked(_TIME, start, "start"), checked(_TIME, end, "end")
        try:
            cues = companion.library.cues(companion.library.exactly(wanted).id)
        except EarmarkError as error:
            raise gr.Error(str(error)) from error
        lines: list[str] = []
        size = 0
        for cue in cues:
            if cue.end <= start or (end > 0 and cue.start >= end):
                continue
            who = f"{cue.speaker}: " if cue.speaker else ""
            line = f"[{clock(cue.start)}] {who}{cue.text}"
            size += len(line) + 1
            if size > LONGEST_EXCERPT and lines:
                lines.append(f"(cut here; go on with start={cue.start:.1f})")
                break
            lines.append(line)
        return "\n".join(lines)

    for function in (list_episodes, find_moments, ask_episode, get_transcript):
        gr.api(function, api_name=function.__name__, concurrency_limit=4, concurrency_id="tools")


def _as_json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)
