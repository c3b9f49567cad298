# SPDX-License-Identifier: GPL-3.0-or-later
"""What readers and the libraries under them may do at worst, for a process that is to survive it."""

import os
from pathlib import Path

from voice.errors import FeedError


def never_ends(text: str) -> str:
    while True:
        pass


def takes_all_memory(text: str) -> str:
    return str(len(bytearray(1 << 34)))


def crashes(text: str) -> str:
    os.abort()


def prints(text: str) -> str:
    print("who reads this?")
    os.write(1, b"\0" * 100)
    return text


def writes(text: str) -> str:
    Path(text).write_text("a file")
    return "written"


def refuses(text: str) -> str:
    raise FeedError(f"{text} is no feed.", "Give another.")


def stumbles(text: str) -> str:
    raise RecursionError(text)


def says_the_wrong_thing(text: str) -> tuple[int, ...]:
    return text  # type: ignore[return-value]


def name_of(path: Path) -> Path:
    return path
