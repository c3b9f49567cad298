# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands as they are said most, for the recogniser to lean towards."""

SAID_OFTEN = (
    "pause", "resume", "stop", "go back thirty seconds", "skip forward", "next chapter", "previous topic", "louder",
    "quieter", "slower", "faster", "repeat that", "bookmark this", "mute", "play the part about",
)  # fmt: skip
