# SPDX-License-Identifier: GPL-3.0-or-later
"""TTML (and DFXP, EBU-TT, IMSC): the paragraphs of a W3C timed text document, with its agents as speakers.

pysubs2's reader knows no frames, ticks, agents or older namespaces, and gives up at the first time it cannot read.
https://www.w3.org/TR/ttml2/#timing-value-time-expression
"""

import re
from typing import Any

from episodes.transcripts.entries import USUAL, Entry
from episodes.transcripts.times import clock_seconds
from voice.errors import TranscriptError

_OFFSET = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|ms|m|s|f|t)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DEEPEST = 40


def is_ttml(text: str) -> bool:
    """True for a document whose first element is ``tt``, in any namespace."""
    begin = text.lstrip()[:4000]
    return begin.startswith("<") and bool(re.search(r"<(?:\w{1,12}:)?tt[\s>]", begin))


def read_ttml(text: str, name: str) -> list[Entry]:
    """The paragraphs of a TTML document. Raises TranscriptError when it is not XML that can be read."""
    from lxml import etree

    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False,
                             remove_comments=True, remove_pis=True, encoding="utf-8")  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise TranscriptError(f"{name} is not XML that can be read.",
                              "Correct it in a text editor, or get the transcript again.")  # fmt: skip
    rates = {key: _number(_attribute(root, key)) for key in ("frameRate", "tickRate")}
    frames = rates["frameRate"] or 30.0
    ticks = rates["tickRate"] or frames
    agents = {_attribute(one, "id"): " ".join("".join(one.itertext()).split())
              for one in root.iter() if _local(one) == "agent"}  # fmt: skip
    found: list[Entry] = []
    _walk(root, 0.0, "", 0, (frames, ticks), agents, found)
    following = [entry.start for entry in found[1:]] + [None]
    return [entry if entry.end is not None or entry.start is None
            else Entry(entry.start, after if after is not None else entry.start + len(entry.text) / USUAL, entry.lines,
                       entry.speaker)
            for entry, after in zip(found, following, strict=True)]  # fmt: skip


def _walk(
    element: Any,
    base: float,
    who: str,
    depth: int,
    rates: tuple[float, float],
    agents: dict[str, str],
    found: list[Entry],
) -> None:
    begin = _seconds(_attribute(element, "begin"), rates)
    who = " ".join(agents.get(one) or one for one in _attribute(element, "agent").split()) or who
    if _local(element) in ("p", "span") and (_local(element) == "p" or begin is not None):
        inner = [one for one in element.iterdescendants() if _local(one) == "span" and _attribute(one, "begin")]
        if not inner or _attribute(element, "begin"):
            end, length = (_seconds(_attribute(element, key), rates) for key in ("end", "dur"))
            start = None if begin is None else base + begin
            stop = base + end if end is not None else (start or 0.0) + length if length is not None else None
            found.append(Entry(start, stop, tuple(_text(element).split("\n")), who))
            return
    if depth < _DEEPEST:
        for child in element:
            _walk(child, base + (begin or 0.0), who, depth + 1, rates, agents, found)


def _text(element: Any) -> str:
    """What a paragraph says, a line for each ``br``; markup that was written as text stays text."""
    parts = [element.text or ""]
    for child in element.iterchildren():
        parts.append("\n" if _local(child) == "br" else _text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _attribute(element: Any, name: str) -> str:
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _number(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,9}", text) else 0.0


def _seconds(text: str, rates: tuple[float, float]) -> float | None:
    """Seconds of a time expression, None when there is none that can be read."""
    match = _OFFSET.fullmatch(text.strip())
    if match:
        unit = match.group(2)
        return float(match.group(1)) * (1 / rates[0] if unit == "f" else 1 / rates[1] if unit == "t" else _UNITS[unit])
    frames = re.fullmatch(r"(\d{1,4}:\d{2}:\d{2}):(\d{1,3})", text.strip())
    if frames:
        whole = clock_seconds(frames.group(1))
        return None if whole is None else whole + int(frames.group(2)) / rates[0]
    return clock_seconds(text) if text.strip() else None
