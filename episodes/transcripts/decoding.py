# SPDX-License-Identifier: GPL-3.0-or-later
"""Text out of bytes, by evidence: a mark, zero bytes beside Latin letters, UTF-8, else the most likely code page.

charset-normalizer tells legacy code pages apart (requests' own, MIT, no model to load); what it is not sure of is
refused with its guess, so that nothing unreadable gets into the index.
"""

import re
from pathlib import Path

from voice.errors import TranscriptError

LARGEST_TRANSCRIPT = 64_000_000
"""Bytes; ten times what a day of talk with a time for each word takes."""

_GIVE = "Give a VTT, SRT or Podcasting 2.0 JSON file."
_UNTOLD = 3  # letters beyond ASCII that are too few to tell a tag's code page
_SAMPLE = 60_000  # bytes that are looked at
_FEW = 0.02  # share of bytes that are no UTF-8 in a file that is UTF-8 with damage
_WESTERN = re.compile(rb"[\x80-\xff]")
_LATIN_1 = re.compile(r"[\x80-\xff]")
_ASCII = re.compile(rb"[\x00-\x7f]{8,}")
_NEVER = ["utf_7", "cp037", "cp500", "cp1026", "cp1140", "utf_16", "utf_32"]
_SURE = 0.25  # of the letters beyond ASCII; a text in the wrong code page has under a tenth of them
_RUSSIAN = frozenset("оеаинтсрвлкмдуя")  # 70 % of what is written with its letters
_SCRIPTS = (
    ("gb18030", frozenset(
        "的一是了不在人有我他这中大来上个国到说们为子和你"
        "地出也时年得就那要下以生会自着去之过家学对可里后"
        "小么心多天而能好都然没日于起还发成事只作当想看文"
        "无开手十用主行方又如前所本见经头面公同已从动两长"
        "知样现分将外但些与高意进把法此实，。"
    )),
    ("big5", frozenset(
        "的一是了不在人有我他這中大來上個國到說們為子和你"
        "地出也時年得就那要下以生會自著去之過家學對可裡後"
        "小麼心多天而能好都然沒日於起還發成事只作當想看文"
        "無開手十用主行方又如前所本見經頭面公同已從動兩長"
        "知樣現分將外但些與高意進把法此實，。"
    )),
    ("cp949", frozenset("이다는에을의가고지기하를은로서도사한어인해리대정아나자시들그있수것보게일라부여제만전스요으")),
    ("cp932", frozenset("のにはをたがでてとしれさいあるなかもうっすりつ、。")),
    ("euc_jp", frozenset("のにはをたがでてとしれさいあるなかもうっすりつ、。")),
    ("cp1251", _RUSSIAN),
    ("koi8_r", _RUSSIAN),
)  # fmt: skip
_CYRILLIC = re.compile(r"[А-яЁё]+")
_MIXED = re.compile(r"[A-Za-z][А-яё]|[А-яё][A-Za-z]")
_RARE = frozenset("¤§¨¬¯±´¶·¸¹÷×ØÞßð")  # letters and marks of Windows-1252 that other code pages' words are full of


def read_text_file(path: Path) -> str:
    """The file as text. Raises TranscriptError when it is too large, not text, or in a code page that is not told."""
    try:
        size = path.stat().st_size
        if size > LARGEST_TRANSCRIPT:
            raise TranscriptError(
                f"{path.name} is too large for a transcript ({size / 1e6:.0f} MB).",
                f"Transcripts may have up to {LARGEST_TRANSCRIPT / 1e6:.0f} MB.",
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        raise TranscriptError(f"There is no file {path}.", "Check the name.") from None
    except OSError as error:
        raise TranscriptError(f"{path.name} cannot be read: {error.strerror}.", "Check the file.") from error
    return decode(raw, path.name)


def decode(raw: bytes, name: str) -> str:
    """Bytes as text, without byte order marks; ``name`` is for errors, which are ``read_text_file``'s."""
    document = _document(raw)
    if document:
        raise TranscriptError(f"{name} is {document}, not a text file.", f"Save it as plain text. {_GIVE}")
    begin = raw[:10_000].decode(_unicode(raw[:1000]), "replace")
    controls = sum(char < " " and char not in "\t\n\r\f\v\x1c\x1d\x1e\x1f" for char in begin)
    if "\0" in begin or controls > 20:
        raise TranscriptError(f"{name} is not a text file.", _GIVE)
    return _decoded(raw, name).lstrip("\ufeff")


def legacy(raw: bytes) -> tuple[str, str]:
    """(text, name of its encoding) of bytes that are not UTF-8; the text is empty when that cannot be told.

    Chinese, Japanese, Korean and Cyrillic show in their commonest letters; a text with few letters beyond ASCII, all
    of them Western, is Windows-1252; anything else is judged by charset-normalizer.
    """
    from charset_normalizer import from_bytes

    sample = raw[:_SAMPLE]
    scored = max(((_evidence(sample, *one), one[0]) for one in _SCRIPTS), key=lambda row: row[0])
    if scored[0] >= _SURE:
        return raw.decode(scored[1], "replace"), scored[1]
    western = sample.decode("cp1252", "replace")
    accented = [char for char in western if ord(char) > 127]
    share = len(accented) / max(1, sum(char.isalpha() for char in western))
    few = 0.3 if len(accented) < 10 else 0.12
    if "\ufffd" not in western and share < few and not any(char in _RARE for char in accented):
        return raw.decode("cp1252", "replace"), "cp1252"
    bare = _ASCII.sub(b" ", sample)  # times and tags say nothing
    found = from_bytes(bare if len(bare) > 16 else sample, enable_fallback=False, cp_exclusion=_NEVER).best()
    if found is None or found.chaos > 0.1:
        return "", found.encoding if found is not None else ""
    try:
        return raw.decode(found.encoding), found.encoding
    except (UnicodeDecodeError, LookupError):
        return "", found.encoding


def readable(tag: str) -> str:
    """A tag as it was meant: some programs write ID3 in the code page of their country and say that it is Latin-1."""
    if not tag or not _LATIN_1.search(tag) or any(ord(char) > 255 for char in tag):
        return tag
    raw = tag.encode("latin-1")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        beyond = sum(byte > 127 for byte in raw)
        if beyond <= _UNTOLD and beyond < sum(char.isalpha() for char in tag) / 2:
            return tag  # some umlauts among other letters: any code page would do
        text, encoding = legacy(raw)
        return text if text and encoding != "cp1252" else tag


def _evidence(sample: bytes, encoding: str, common: frozenset[str]) -> float:
    """The share of a script's commonest letters among what is not ASCII, 0 when it cannot be in this encoding."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # more than a letter that the sample cut in two
            return 0.0
        text = sample[: error.start].decode(encoding)
    beyond = [char for char in text if ord(char) > 127]
    share = sum(char in common for char in beyond) / len(beyond) if beyond else 0.0
    if common is _RUSSIAN:  # any bytes are Cyrillic letters, but not words of them
        words = _CYRILLIC.findall(text)
        regular = sum(word[1:].islower() or word.isupper() for word in words if len(word) > 1)
        if len(_MIXED.findall(text)) > 0.2 * len(beyond) or regular < 0.9 * sum(len(word) > 1 for word in words):
            return 0.0
        letters = sum(map(len, words)) >= 0.9 * len(beyond)
        short = 3 < len(beyond) < 20 and letters  # too few to count: a name, a title
        return max(share, 2 * _SURE) if regular and (share >= 0.6 or short) else 0.0
    return share


def _decoded(raw: bytes, name: str) -> str:
    encoding = _unicode(raw[:1000])
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        pass
    if encoding.startswith("utf-16"):
        return raw.decode(encoding, "replace")
    patched = raw.decode("utf-8-sig", "replace")
    high = len(_WESTERN.findall(raw[:_SAMPLE]))
    bad = raw[:_SAMPLE].decode("utf-8", "replace").count("\ufffd")
    if bad <= max(2, _FEW * high) and high > 3 * bad:  # UTF-8 with a few broken letters
        return patched
    text, guess = legacy(raw)
    if text:
        return text
    guessed = f" (perhaps {guess})" if guess else ""
    raise TranscriptError(
        f"{name} is in an encoding that cannot be told for sure{guessed}.", "Save it as UTF-8 and add it again."
    )


def _unicode(begin: bytes) -> str:
    """UTF-16 by its mark, or by the zero bytes beside Latin letters; else UTF-8."""
    if begin[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        return "utf-32"
    if begin[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    odd, even = begin[1::2].count(0), begin[::2].count(0)
    if 4 * max(odd, even) > len(begin) > 20 * min(odd, even):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8-sig"


def _document(raw: bytes) -> str:
    """What a file of another program is, as a person would name it; empty for what may be text."""
    if raw[:4] == b"%PDF":
        return "a PDF document"
    if raw[:4] == b"PK\x03\x04":
        inside = raw[:4000] + raw[-8000:]
        if b"word/" in inside:
            return "a Word document (docx)"
        if b"opendocument" in inside or b"mimetypeapplication/vnd.oasis" in inside:
            return "an OpenDocument text"
        return "a zip archive"
    if raw[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "an old Word document (doc)"
    if raw[:5] == b"{\\rtf":
        return "a Rich Text document (rtf)"
    if raw[:2] == b"\x1f\x8b":
        return "a compressed file (gzip)"
    return ""
