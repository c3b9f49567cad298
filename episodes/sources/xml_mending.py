# SPDX-License-Identifier: GPL-3.0-or-later
"""XML as people and scripts write it, put right before it is parsed: damage in one place costs nothing elsewhere.

lxml recovers from damage, but after the first error it drops every predefined entity that follows ("Q&amp;A" becomes
"QA"). So entities are turned into marks before it reads and into characters after it; and what is an error (control
characters, bare ampersands, another encoding than is said) is taken away first. Every step is linear.
"""

import html
import re
from html.entities import html5
from typing import Any

from episodes.transcripts.decoding import legacy
from voice.errors import FeedError

_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s{0,5}=\s{0,5}[\"']([\w.-]{1,40})[\"']")
_REFERENCE = re.compile(r"&(?:#(\d{1,8}|[xX][0-9a-fA-F]{1,6});|([A-Za-z]\w{1,31});)?")
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")
_MARKS = {"&": "\ufdd0", "<": "\ufdd1", ">": "\ufdd2", '"': "\ufdd3", "'": "\ufdd4"}  # noncharacters: no text has them
_BACK = str.maketrans({mark: char for char, mark in _MARKS.items()})
_TEXTS = ("title", "description", "summary", "subtitle", "content", "content:encoded", "itunes:title", "itunes:summary",
          "itunes:subtitle", "media:description", "googleplay:description")  # fmt: skip
_OPEN, _CLOSE = "<![CDATA[", "]]>"
_LONGEST_PROLOGUE = 20_000  # characters of warnings that a broken page prints before its feed


def parse_xml(content: bytes, name: str, advice: str) -> Any:
    """The root element of an XML file, without entities and comments. Raises FeedError with ``advice``."""
    from lxml import etree

    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True,
        encoding="utf-8",
    )  # fmt: skip
    try:
        root = etree.fromstring(mended(content).encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise FeedError(f"{name} is not XML that can be read.", advice)
    etree.strip_elements(root, etree.Entity, with_tail=False)
    for element in root.iter():
        if element.text:
            element.text = element.text.translate(_BACK)
        if element.tail:
            element.tail = element.tail.translate(_BACK)
        for key, value in element.attrib.items():
            element.attrib[key] = value.translate(_BACK)
    return root


def mended(content: bytes) -> str:
    """The text of an XML file with marks for its entities, without an encoding declaration and control characters."""
    text = _CONTROL.sub("", _decoded(content.strip())).strip()
    first = text.find("<", 0, _LONGEST_PROLOGUE)
    if first > 0:
        text = text[first:]
    if text.startswith("<?xml"):
        end = text.find("?>", 0, 500)
        text = text[end + 2 :].lstrip() if end > 0 else text
    return _items_inside(_markup_as_text("".join(_pieces(text))))


def _decoded(content: bytes) -> str:
    bare = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace").lstrip("\ufeff")
    if b"\0" in content[:100]:
        return content.decode("utf-16-le" if content[1:2] == b"\0" else "utf-16-be", "replace")
    said = _ENCODING.search(bare[:1000])
    encoding = said.group(1).decode("ascii", "replace").lower() if said else "utf-8"
    try:
        return bare.decode("utf-8" if encoding.startswith(("utf-16", "utf-32", "ucs")) else encoding).lstrip(
            "\ufeff \r\n\t"
        )
    except (ValueError, LookupError):
        text, _ = legacy(bare)
        return text or bare.decode("cp1252", "replace")


def _pieces(text: str) -> list[str]:
    """The text with marks for entities outside of CDATA, whose own text stays as it is."""
    found: list[str] = []
    at = 0
    while True:
        begin = text.find(_OPEN, at)
        if begin < 0:
            return [*found, _REFERENCE.sub(_mark, text[at:])]
        end = text.find(_CLOSE, begin)
        if end < 0:  # never closed: what follows is text to the end of the next element
            return [*found, _REFERENCE.sub(_mark, text[at:begin] + text[begin + len(_OPEN) :])]
        inside = text[begin + len(_OPEN) : end]
        found += [_REFERENCE.sub(_mark, text[at:begin]), inside.translate(_FORTH)]
        at = end + len(_CLOSE)


_FORTH = str.maketrans(_MARKS)


def _mark(match: re.Match[str]) -> str:
    """What stands for a reference: the character itself, as a mark where it would be markup."""
    number, name = match.group(1), match.group(2)
    if number:
        char = html.unescape(match.group())
        return _CONTROL.sub("", char).translate(_FORTH)
    if name:
        char = html5.get(f"{name};", "")
        return char.translate(_FORTH) if char else ("" if match.group() == "&" else _MARKS["&"] + match.group()[1:])
    return _MARKS["&"]


def _markup_as_text(text: str) -> str:
    """The text with the HTML that stands unescaped in its titles and notes as text: a "<br>" there is not XML."""
    for tag in _TEXTS:
        found, at = [], 0
        while (begin := text.find(f"<{tag}", at)) >= 0:
            start = text.find(">", begin) + 1
            end = text.find(f"</{tag}>", start) if start else -1
            if end < 0:
                break
            if text[begin + len(tag) + 1] in "> \t\r\n" and text[start - 2] != "/":
                inside = text[start:end]
                if "<" in inside and "<item" not in inside and "<entry" not in inside:
                    inside = inside.replace("<", _MARKS["<"]).replace(">", _MARKS[">"])
                found += [text[at:start], inside]
                at = end
            else:
                found.append(text[at:start])
                at = start
        text = "".join([*found, text[at:]])
    return text


def _items_inside(text: str) -> str:
    """The text with its items inside the channel, where a broken script has put some behind its end."""
    last = text.rfind("<item")
    for tag in ("</channel>", "</rss>"):
        if 0 <= text.find(tag) < last:
            text = text[:last].replace(tag, "") + text[last:]
            last = text.rfind("<item")
    return text
