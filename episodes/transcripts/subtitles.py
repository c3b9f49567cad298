# SPDX-License-Identifier: GPL-3.0-or-later
"""Subtitle forms that pysubs2 reads: SubStation Alpha (ASS, SSA), SAMI, MicroDVD and MPL2.

pysubs2 was chosen because it is kept up, has no dependencies, is free (MIT) and knows these forms' own rules.
"""

import re

from episodes.transcripts.entries import Entry
from voice.errors import TranscriptError

_OVERRIDE = re.compile(r"\{[^{}]{0,500}\}")
_MICRODVD = re.compile(r"\{\d{1,8}\}\{\d{1,8}\}")
_MPL2 = re.compile(r"\[\d{1,7}\]\s{0,3}\[\d{1,7}\]")


def form_of(text: str) -> str:
    """Which of these forms a file is by its beginning ("ass", "sami", …), empty for none."""
    begin = text.lstrip()[:3000]
    low = begin.lower()
    if "[script info]" in low[:500] or ("[events]" in low and "dialogue:" in low):
        return "ass" if "v4+ styles" in low or "v4 styles" not in low else "ssa"
    if low.startswith("<sami"):
        return "sami"
    if _MICRODVD.match(begin):
        return "microdvd"
    return "mpl2" if _MPL2.match(begin) else ""


def read_subtitles(text: str, form: str, name: str) -> list[Entry]:
    """The entries of a file in one of the forms of ``form_of``. Raises TranscriptError."""
    import pysubs2
    from pysubs2.exceptions import Pysubs2Error

    try:
        found = pysubs2.SSAFile.from_string(text, format_=form, fps=25.0 if form == "microdvd" else None)
    except (Pysubs2Error, ValueError, KeyError, IndexError, AttributeError, OverflowError, SyntaxError) as error:
        raise TranscriptError(f"{name} cannot be read as {form.upper()} subtitles.",
                              "Correct it in a text editor, or get the transcript again.") from error  # fmt: skip
    return [
        Entry(event.start / 1000, event.end / 1000, tuple(_bare(event.text).split("\n")), event.name.strip())
        for event in found.events if not event.is_comment and not event.is_drawing
    ]  # fmt: skip


def _bare(text: str) -> str:
    return _OVERRIDE.sub("", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
