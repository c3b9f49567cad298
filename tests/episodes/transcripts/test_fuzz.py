# SPDX-License-Identifier: GPL-3.0-or-later
"""Every word of a well-formed cue survives with its time and speaker, whatever stands around it."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from episodes.transcripts.reader import read_transcript
from voice.errors import TranscriptError
from voice.model import Cue

WORDS = st.lists(st.sampled_from(["bees", "dance", "others", "where", "flowers", "angle", "bread", "needs"]),
                 min_size=2, max_size=7)  # fmt: skip
JUNK = st.lists(st.sampled_from([
    "", "NOTE by a machine", "STYLE", "::cue { color: red }", "xx --> yy", "00:00:0x,000 --> 00:00:02,000", "12345",
    "99:59:59,999 --> 00:00:00,000", "-00:00:05,000 --> -00:00:01,000", "{\\an8}", "<font>", "</c>", "&nbsp;", "(",
    "\u200e", "[", "♪", "...", "https://example.org/?a=1", "WEBVTT", "X-TIMESTAMP-MAP=MPEGTS:x,LOCAL:y",
]), max_size=4)  # fmt: skip
SPEAKERS = ("Ann Sample", "Max Muster", "SPEAKER_02")


def _clock(seconds: float, point: str) -> str:
    return f"00:{int(seconds) // 60:02}:{int(seconds) % 60:02}{point}{round(seconds % 1 * 1000):03}"


def _survive(cues: list[Cue], wanted: list[tuple[float, str, str]]) -> None:
    """Each wanted text stands in the cues at its time, by its speaker."""
    for number, (start, speaker, said) in enumerate(wanted):
        mine = [cue for cue in cues if start - 0.01 <= cue.start < start + 4]
        assert said in " ".join(cue.text for cue in mine), (number, said, cues)
        holding = [cue for cue in mine if any(word in cue.text for word in said.split())]
        assert all(cue.speaker == speaker for cue in holding if said in cue.text), (speaker, cues)


def _unlike(texts: list[list[str]]) -> list[str]:
    """The texts with a number in each, so that none is the one before once more."""
    return [f"{' '.join(words)} number{number}" for number, words in enumerate(texts)]


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(WORDS, min_size=3, max_size=8), junk=st.lists(JUNK, min_size=9, max_size=9), vtt=st.booleans())
def test_words_survive_in_captions(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], junk: list[list[str]], vtt: bool
) -> None:
    lines = ["WEBVTT", ""] if vtt else []
    wanted = []
    for number, said in enumerate(_unlike(texts)):
        start, speaker = 4.0 * number + 4, SPEAKERS[number % 3]
        named = f"<v {speaker}>{said}</v>" if vtt else f"{speaker}: {said}"
        point = "." if vtt else ","
        lines += [str(number + 1), f"{_clock(start, point)} --> {_clock(start + 3.5, point)}", named, ""]
        lines += ["" if line.isdecimal() and not vtt else line for line in junk[number % 9]] + [""]
        wanted.append((start, speaker, said))
    path = tmp_path_factory.mktemp("fuzz") / ("x.vtt" if vtt else "x.srt")
    path.write_text("\n".join(lines), "utf-8")
    _survive(read_transcript(path), wanted)


BROKEN = st.dictionaries(st.sampled_from(["start", "end", "text", "speaker", "words"]), st.one_of(
    st.none(), st.floats(), st.text(max_size=3), st.integers(-5, 5), st.just([]), st.just([{}]),
), max_size=4)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(texts=st.lists(WORDS, min_size=4, max_size=8), broken=st.lists(BROKEN, max_size=3))
def test_words_survive_in_json(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], broken: list[dict[str, object]]
) -> None:
    rows: list[object] = []
    wanted = []
    for number, said in enumerate(_unlike(texts)):
        start, speaker = 4.0 * number + 4, SPEAKERS[number % 3]
        rows.append({"start": start, "end": start + 3.5, "speaker": speaker, "text": said})
        wanted.append((start, speaker, said))
        if number < len(broken):
            rows.append(broken[number])
    path = tmp_path_factory.mktemp("fuzz") / "x.json"
    path.write_text(json.dumps({"segments": rows}), "utf-8")
    _survive(read_transcript(path), wanted)


FORMS = ["otter", "descript", "riverside", "console"]


@settings(deadline=None, max_examples=60)
@given(texts=st.lists(WORDS, min_size=3, max_size=8), form=st.sampled_from(FORMS))
def test_words_survive_in_texts(tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]], form: str) -> None:
    lines, wanted = [], []
    for number, said in enumerate(_unlike(texts)):
        start, speaker = 10 * number, "" if form == "console" else SPEAKERS[number % 2]
        at = f"{start // 60}:{start % 60:02}"
        lines += {
            "otter": [f"{speaker}  {at}", said, ""], "descript": [f"**{speaker}:** [00:0{at}] {said}", ""],
            "riverside": [f"{speaker} (0{at}.000)", said, ""],
            "console": [f"[0{at}.000 --> 0{start // 60}:{start % 60 + 9:02}.000]  {said}"],
        }[form]  # fmt: skip
        wanted.append((float(start), speaker, said))
    path = tmp_path_factory.mktemp("fuzz") / "x.txt"
    path.write_text("\n".join(lines), "utf-8")
    _survive(read_transcript(path), wanted)


LONG = 100_000


@pytest.mark.parametrize("content", [
    "WEBVTT\n\n" + "<" * LONG, "WEBVTT\n\n00:00.000 --> 00:01.000\n" + "[a](" * (LONG // 4),
    "1\n00:00:00,000 --> 00:00:01,000\n" + "Ann:" * (LONG // 4), "00:00 " * (LONG // 6), "<![CDATA[" * (LONG // 9),
    "{\"segments\": [" + "\"" * LONG, " " * LONG + "x", "(" * LONG, "&" * LONG, "-->" * (LONG // 3),
    "\n" * LONG + "0:00 a",
    "[00:00.000 --> 00:01.000] " + ": " * (LONG // 2), "<p>" * (LONG // 3),
    "WEBVTT\n\n" + "00:00.000 --> 00:01.000\n" * (LONG // 40),
], ids=range(14))  # fmt: skip
def test_long_lines_come_to_an_end(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.vtt"
    path.write_text(content, "utf-8")
    try:
        assert read_transcript(path, 60.0)
    except TranscriptError as error:
        assert "x.vtt" in error.message
