# SPDX-License-Identifier: GPL-3.0-or-later
"""How much the server takes from outside: every bound that an address of it has stands here, once."""

from typing import Annotated

from pydantic import Field

from ui.schemas import LONGEST_TEXT as LONGEST_TEXT
from voice.audio import HEARING_RATE

LONGEST_QUESTION = 60
"""Seconds of a spoken question."""

LARGEST_BODY = 1_000_000
"""Bytes of a request's body, but for sound and files."""

LARGEST_SOUND = LONGEST_QUESTION * HEARING_RATE * 2
"""Bytes of a spoken question: 16-bit samples."""

LARGEST_RECORDING = 25_000_000
"""Bytes of a recording that is heard at once, as OpenAI has it."""

LONGEST_UPLOAD = 3600.0
"""Seconds of one."""

MOST_FILES = 200
"""Files that are uploaded together."""

UPLOADS_FACTOR = 2
"""All uploads that wait take at most so many times the bytes of the largest recording."""

SILENT_BODY = 30.0
"""Seconds that the next piece of a body may take."""

ASKERS = 16
"""Questions worked on at the same time; others wait."""

MOST_WAITING = 256
"""Questions that wait; one more is refused."""

ENGINES_TIMEOUT = 300.0
"""Seconds a question waits for the engines before it is told that they are still loading."""

MOST_ON_A_PAGE = 1_000
"""Episodes on a page of them."""

MOST_NAMED = 100
"""Episodes that are asked for by their ids at once."""

MOST_FOUND = 12
"""Moments that a search gives."""

LONGEST_EXCERPT = 20_000
"""Characters of transcript that a tool gives at once."""

QuestionText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
"""A question, or something to be read aloud."""

EpisodeId = Annotated[str, Field(min_length=1, max_length=200)]
"""The id of an episode, in full."""

Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
"""A time in an episode."""
