# SPDX-License-Identifier: GPL-3.0-or-later
"""Cues as transcript files: WebVTT, SubRip and Podcasting 2.0 JSON."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from episodes.transcripts.captions import as_said, escaped, read_captions, timestamp
from episodes.transcripts.entries import GENERATOR, without_markup
from episodes.transcripts.speaker_labels import attribute_entries, cues_of
from voice.model import Cue


def write_vtt(cues: Iterable[Cue]) -> str:
    """A WebVTT file of these cues, speakers as voice tags; reading it gives the same cues (times to 1 ms, no words)."""
    blocks = [f"WEBVTT - {GENERATOR}\n"]
    for cue in cues:
        text = as_said(" ".join(cue.text.split()))
        if cue.speaker:
            text = f"<v {_in_tag(' '.join(cue.speaker.split()))}>{text}"
        blocks.append(f"{timestamp(cue.start)} --> {timestamp(cue.end)}\n{text}\n")
    return "\n".join(blocks)


def write_srt(cues: Sequence[Cue]) -> str:
    """A SubRip file of these cues; reading it gives the same cues (times to 1 ms, no words), but for what reads like a
    caption shown again: the form cannot say who wrote it.

    Speakers stand as ``Name:`` in front of the text, as Podcasting 2.0 wants it; when the names could not be told from
    the text in that way ("Note: ..."), they stand in WebVTT's voice tags, which SubRip's readers know too.
    """
    named = _srt(cues, tags=False)
    again = [(cue.speaker, cue.text) for entry, parts in attribute_entries(read_captions(named, vtt=False))
             for cue in cues_of(entry, parts)]  # fmt: skip
    wanted = [(without_markup(cue.speaker), without_markup(cue.text)) for cue in cues]
    return named if again == wanted else _srt(cues, tags=True)


def write_json(cues: Iterable[Cue]) -> str:
    """A Podcasting 2.0 JSON transcript; reading it gives the same cues, also their words.

    Texts and speakers stand as they are, which JSON says of itself; no sign in it is one of HTML.
    """
    segments: list[dict[str, Any]] = []
    for cue in cues:
        segment: dict[str, Any] = {"speaker": cue.speaker} if cue.speaker else {}
        segment |= {"startTime": round(cue.start, 3), "endTime": round(cue.end, 3), "body": cue.text}
        if cue.words:
            segment["words"] = [
                {"start": round(word.start, 3), "end": round(word.end, 3), "word": word.text,
                 "probability": round(word.probability, 4)}
                for word in cue.words
            ]  # fmt: skip
        segments.append(segment)
    return json_text({"version": "1.0.0", "generator": GENERATOR, "segments": segments})


def json_text(value: object) -> str:
    """``value`` as JSON that may stand within a page or script: what could be markup is written by its numbers."""
    text = json.dumps(value, ensure_ascii=False, indent=1)  # these signs stand only within its strings
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _srt(cues: Iterable[Cue], tags: bool) -> str:
    blocks = []
    for number, cue in enumerate(cues, 1):
        text, speaker = " ".join(cue.text.split()), " ".join(cue.speaker.split())
        if without_markup(text) != text or as_said(text) != escaped(text) or "-->" in text or ">>" in text:
            text = as_said(text)  # few players resolve entities in SubRip, so only where it would be misread
        if speaker:
            text = f"<v {_in_tag(speaker)}>{text}" if tags else f"{speaker}: {text}"
        blocks.append(f"{number}\n{timestamp(cue.start, ',')} --> {timestamp(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks)


def _in_tag(speaker: str) -> str:
    """A name within a voice tag: one that ends in "--" would make an arrow with the tag's own bracket."""
    return escaped(speaker).replace("--", "-&#45;").replace("→", "&#8594;")
