# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcript files, good and broken."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from episodes.transcripts.html_and_text import has_times
from episodes.transcripts.reader import load_transcript, read_transcript
from episodes.transcripts.writer import write_json, write_srt, write_vtt
from voice.errors import TranscriptError
from voice.model import Cue, Word


def read(folder: Path, content: str | bytes, name: str = "talk.vtt") -> list[Cue]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_transcript(path)


def refused(folder: Path, content: str | bytes, name: str = "talk.vtt") -> str:
    with pytest.raises(TranscriptError) as caught:
        read(folder, content, name)
    message = caught.value.message
    assert name in message
    assert message.endswith(".")
    assert caught.value.hint.endswith(".")
    assert "\n" not in str(caught.value)
    return message


VTT = """\ufeffWEBVTT - a title\r
X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\r
\r
NOTE made by hand\r
over two lines\r
\r
STYLE\r
::cue { color: red }\r
\r
intro\r
00:01.500 --> 00:00:04.000 align:start position:0%\r
<v.loud Ann Lee>Q&amp;A about <i>cats</i> &lt;3</v>\r
\r
00:00:04.000 --> 00:00:06.000\r
<v Ann Lee>Really?</v> <v Bob>Yes.</v>\r
"""


def test_webvtt_with_all_its_ornaments(tmp_path: Path) -> None:
    assert read(tmp_path, VTT) == [
        Cue(1.5, 4.0, "Q&A about cats <3", "Ann Lee"),
        Cue(4.0, 5.273, "Really?", "Ann Lee"),
        Cue(5.273, 6.0, "Yes.", "Bob"),
    ]


def test_times_shorter_than_the_standard_asks(tmp_path: Path) -> None:
    cues = read(tmp_path, "WEBVTT\n\n0.860 --> 7.380\nA.\n\n1:02.5 --> 1:03\nB.\n\n75:00.000 --> 75:01.000\nC.\n")
    assert [(cue.start, cue.end) for cue in cues] == [(0.86, 7.38), (62.5, 63.0), (4500.0, 4501.0)]


def test_srt_speakers_hold_until_the_next_name(tmp_path: Path) -> None:
    cues = read(tmp_path, "1\n00:00:00,000 --> 00:00:01,000\nAnn: Hello and\n\n2\n00:00:01,000 --> 00:00:02,000\n"
                "<b>welcome</b>. The rule: be kind.\n\n3\n00:00:02,000 --> 00:00:03,000\n"
                "- Bob Stone: Hi.\n- Ann: Oh.\n", "talk.srt")  # fmt: skip
    assert [(cue.speaker, cue.text) for cue in cues] == [
        ("Ann", "Hello and"), ("Ann", "welcome. The rule: be kind."), ("Bob Stone", "Hi."), ("Ann", "Oh."),
    ]  # fmt: skip


def test_a_colon_alone_makes_no_speaker(tmp_path: Path) -> None:
    cues = read(tmp_path, "1\n00:00:00,000 --> 00:00:01,000\nIt goes on.\n\n2\n00:00:01,000 --> 00:00:02,000\n"
                "Bitcoin: a story.\n", "talk.srt")  # fmt: skip
    assert cues[1] == Cue(1.0, 2.0, "Bitcoin: a story.")


def test_srt_without_blank_line_at_the_end_with_blank_lines_inside_and_in_latin_1(tmp_path: Path) -> None:
    content = "1\r\n00:00:00,000 --> 00:00:01,000\r\nCafé {\\an8}au lait\r\n\r\nsecond line\r\n\r\n2\r\n" \
              "00:00:01.000 --> 00:00:02.000\r\nclick here --> there"  # fmt: skip
    assert [cue.text for cue in read(tmp_path, content.encode("latin-1"), "talk.srt")] == [
        "Café au lait second line", "click here → there",
    ]  # fmt: skip


def test_utf_16_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "WEBVTT\n\n00:00.000 --> 00:01.000\nŁódź\n".encode("utf-16"))[0].text == "Łódź"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-8-sig", "cp1252"])
def test_encodings_without_a_word_about_them(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "WEBVTT\n\n00:00.000 --> 00:01.000\nCafé\n".encode(encoding))[0].text == "Café"


def test_a_cue_without_its_time_line_goes_with_the_one_before(tmp_path: Path) -> None:
    content = "1\n00:00:00,000 --> 00:00:01,000\nOne\n\n2\nTwo\n\n3\n00:00:02,000 --> 00:00:03,000\nThree\n"
    assert [cue.text for cue in read(tmp_path, content, "talk.srt")] == ["One Two", "Three"]


def test_subviewer_captions_as_youtube_writes_them(tmp_path: Path) -> None:
    content = "0:00:00.378,0:00:11.378\nHi, bees\n\n0:00:11.378,0:00:12.305\nTwo\nlines\n"
    assert read(tmp_path, content, "talk.sbv") == [Cue(0.378, 11.378, "Hi, bees"), Cue(11.378, 12.305, "Two lines")]


def test_speakers_in_brackets_as_whisperx_writes_them(tmp_path: Path) -> None:
    blocks = (f"{n}\n00:00:0{n},000 --> 00:00:0{n + 1},000\n[SPEAKER_0{n % 2}]: Hi.\n" for n in range(4))
    assert [cue.speaker for cue in read(tmp_path, "\n".join(blocks), "talk.srt")] == ["SPEAKER_00", "SPEAKER_01"] * 2


def test_a_page_instead_of_captions_is_refused_whatever_the_length(tmp_path: Path) -> None:
    path = tmp_path / "talk.vtt"
    path.write_text("<!DOCTYPE html><html><body><h1>404</h1><p>There is no such page.</p></body></html>")
    with pytest.raises(TranscriptError, match="no line with times"):
        read_transcript(path, 60.0)


def test_scrolling_captions_are_said_once(tmp_path: Path) -> None:
    blocks = ["one two", "three four", "five six", "seven eight", "nine ten"]
    content, at = "WEBVTT\n\n", 0
    for before, now in zip(["", *blocks], blocks, strict=False):
        top = before or " "
        first, second = now.split()
        content += f"00:0{at}.000 --> 00:0{at + 1}.990\n{top}\n{first}<00:0{at}.500><c> {second}</c>\n\n"
        content += f"00:0{at + 1}.990 --> 00:0{at + 2}.000\n{now}\n \n\n"
        at += 2 if at < 8 else 0
    assert [cue.text for cue in read(tmp_path, content)] == blocks


def test_podcasting_json_merges_the_lines_of_one_caption(tmp_path: Path) -> None:
    segments = [
        {"speaker": "Al", "startTime": 0, "endTime": 4.8, "body": "It is so good to"},
        {"speaker": "Al", "startTime": 0, "endTime": 4.8, "body": "show up."},
        {"speaker": "Al", "startTime": "4.8", "endTime": 5.0, "body": "Q&amp;A"},
    ]
    cues = read(tmp_path, json.dumps({"version": "1.0.0", "segments": segments}), "talk.json")
    assert cues == [Cue(0, 4.8, "It is so good to show up.", "Al"), Cue(4.8, 5.0, "Q&A", "Al")]


def test_json_times_as_a_clock_shows_them_and_ends_that_are_missing(tmp_path: Path) -> None:
    segments = [
        {"speaker": 1, "startTime": "00:00:04.500", "body": "Good day."},
        {"speaker": None, "startTime": "1:02,5", "endTime": None, "body": "A" * 30},
    ]
    cues = read(tmp_path, json.dumps({"version": "1.0.0", "segments": segments}), "talk.json")
    assert cues == [Cue(4.5, 62.5, "Good day.", "Speaker 1"), Cue(62.5, 64.5, "A" * 30)]


def test_a_bare_list_of_segments_may_count_in_milliseconds(tmp_path: Path) -> None:
    told = [{"start": 500, "end": 2400, "text": "Hi."}, {"start": 2400, "end": 4000, "text": "You."}]
    assert [cue.start for cue in read(tmp_path, json.dumps(told), "talk.json")] == [0.5, 2.4]
    told = [{"start": 5, "end": 24, "text": "Hi."}]
    assert [cue.start for cue in read(tmp_path, json.dumps(told), "talk.json")] == [5.0]


@pytest.mark.parametrize("spaced", [False, True])
def test_a_segment_for_each_word_becomes_sentences_that_keep_their_words(tmp_path: Path, spaced: bool) -> None:
    segments, at = [], 0.0
    for word in ["Well", ",", "this", "works", ".", "Does", "it", "?", "Yes"]:
        if spaced and word.isalpha() and at:
            segments.append({"speaker": "A", "startTime": at, "endTime": at, "body": " "})
        segments.append({"speaker": "A", "startTime": at, "endTime": at + 0.5, "body": word})
        at += 0.5
    segments.append({"speaker": "B", "startTime": at, "endTime": at + 1, "body": "Sure."})
    cues = read(tmp_path, json.dumps({"segments": segments}), "talk.json")
    assert [(cue.speaker, cue.text) for cue in cues] == [
        ("A", "Well, this works."), ("A", "Does it?"), ("A", "Yes"), ("B", "Sure."),
    ]  # fmt: skip
    assert cues[0].words == (Word(0, 1.0, "Well,"), Word(1.0, 1.5, "this"), Word(1.5, 2.5, "works."))


def test_whisper_json_is_read_too(tmp_path: Path) -> None:
    segment = {"start": 1.0, "end": 2.0, "text": " Hi you.", "words": [
        {"word": " Hi", "start": 1.0, "end": 1.4}, {"word": " you.", "start": 1.4, "end": 2.0}]}  # fmt: skip
    words = (Word(1.0, 1.4, "Hi"), Word(1.4, 2.0, "you."))
    assert read(tmp_path, json.dumps({"segments": [segment]}), "x.json") == [Cue(1.0, 2.0, "Hi you.", words=words)]


def test_people_talk_across_each_other(tmp_path: Path) -> None:
    cues = read(tmp_path, "WEBVTT\n\n00:05.000 --> 00:09.000\nlate\n\n00:03.000 --> 00:06.000\nearly\n")
    assert [cue.text for cue in cues] == ["early", "late"]


@pytest.mark.parametrize(("times", "start"), [
    ("00:00:01.000 --> 00:00:1d.890", 1.0), ("00:01.000 -->", 1.0), ("-00:01.000 --> 00:02.000", 0.0),
    ("00:00:61.000 --> 00:01:02.000", 61.0), ("00:09.000 --> 00:02.000", 9.0),
])  # fmt: skip
def test_one_broken_time_does_not_cost_the_others(tmp_path: Path, times: str, start: float) -> None:
    content = f"WEBVTT\n\n00:00.000 --> 00:01.000\nfine\n\n{times}\nx\n\n02:00.000 --> 02:01.000\ny\n"
    cues = read(tmp_path, content)
    assert sorted(cue.text for cue in cues) == ["fine", "x", "y"]
    assert next(cue.start for cue in cues if cue.text == "x") == start
    assert all(cue.end >= cue.start for cue in cues)


def test_what_was_estimated_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\na\n\n2\n00:00:09,000 --> 00:00:02,000\nb\n\n"
                    "3\n00:00:12,000 --> 00:00:13,000\nc\n")  # fmt: skip
    assert load_transcript(path).remark == "1 of 3 lines had broken times, which are estimated now."


def test_lines_beyond_the_recording_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    blocks = [f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\nline {n}\n" for n in range(1, 30)]
    path.write_text("\n".join([*blocks, "30\n99:00:00,000 --> 99:00:01,000\nby a site\n"]))
    found = load_transcript(path, 60.0)
    assert len(found.cues) == 29
    assert found.remark == "1 of 30 lines had broken times and was left out."


@pytest.mark.parametrize(("content", "says"), [
    (b"", "is empty"),
    (b" \r\n\n", "is empty"),
    (b"WEBVTT\n\n", "no cues"),
    (b"WEBVTT\n\n00:00.000 --> 00:01.000\n<i> </i>\n", "no cues"),
    (b"just some text\n", "no cues"),
    (b"<html><body><!-- x --></body></html>", "no line with times"),
    (b"<html><body><p>Good day.</p></body></html>", "no line with times"),
    (b"[Script Info]\nTitle: x\n", "no cues"),
    (b"<?xml version='1.0'?><rss><channel/></rss>", "is a feed"),
    (b"<?xml version='1.0'?><x><y/></x>", "is XML"),
    (b"%PDF-1.7 x", "is a PDF document"),
    (b"PK\x03\x04 word/document.xml", "is a Word document"),
    (b"\x00\x01\x02\xffID3" * 50, "not a text file"),
    (b"{\"segments\": [", "not valid JSON"),
    (b"[" * 100_000, "not JSON that can be read"),
    (b"{\"version\": \"1.2.0\", \"chapters\": []}", "holds chapters"),
    (b"[1, 2]", "no list of segments"),
    (b"{\"segments\": [3]}", "no list of segments"),
    (b"{\"segments\": [{\"startTime\": NaN, \"endTime\": 1, \"body\": \"x\"}]}", "no usable times"),
    (b"{\"segments\": [{\"endTime\": 1, \"body\": \"x\"}]}", "no list of segments"),
    (b"{\"segments\": [{\"startTime\": 2, \"endTime\": 1, \"body\": \"x\"}]}", "no usable times"),
    (b"{\"segments\": [{\"startTime\": 1e300, \"endTime\": 1e301, \"body\": \"x\"}]}", "no usable times"),
    (b"{\"segments\": []}", "no cues"),
])  # fmt: skip
def test_what_is_no_transcript_is_refused_in_one_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in refused(tmp_path, content)


def test_a_missing_and_a_huge_file(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="There is no file"):
        read_transcript(tmp_path / "none.vtt")
    with (tmp_path / "huge.vtt").open("wb") as file:
        file.truncate(65_000_000)
    with pytest.raises(TranscriptError, match="too large"):
        read_transcript(tmp_path / "huge.vtt")


def test_json_keeps_the_words(tmp_path: Path) -> None:
    words = (Word(0.5, 0.9, "Good", 0.75), Word(0.9, 1.4, "day.", 1.0))
    cues = [Cue(0.5, 1.4, "Good day.", "Ann", words), Cue(1.4, 2.0, "Bob & Eve <3")]
    assert read(tmp_path, write_json(cues), "talk.json") == cues


HTML = """<html><head><title>Talk</title><style>p {}</style></head><body>
<cite>Ann:</cite> <time>0:00</time> <p>Good day. How are you &amp; yours?</p>
<cite>Bob:</cite> <time>1:05</time> <p>Fine.</p><script>alert(1)</script>
<p>And you?</p></body></html>"""


def test_html_with_cites_and_times(tmp_path: Path) -> None:
    cues = read(tmp_path, HTML, "talk.html")
    assert [(cue.speaker, cue.text) for cue in cues] == [
        ("Ann", "Good day."), ("Ann", "How are you & yours?"), ("Bob", "Fine."), ("Bob", "And you?")
    ]  # fmt: skip
    assert (cues[0].start, cues[2].start) == (0.0, 65.0)
    assert cues[1].end < 20  # the pause until Bob speaks is a pause, not slow talk


TEXTS = """Ann Smith: Good day to you.
Bob: [00:10] Fine.

[00:20] Ann Smith: It is late: very late.
Bob: Yes."""


def test_plain_text_with_speakers_and_a_few_times(tmp_path: Path) -> None:
    cues = read(tmp_path, TEXTS.replace("Bob: [00:10]", "[00:10] Bob:"), "talk.txt")
    assert [(cue.speaker, cue.text) for cue in cues] == [
        ("Ann Smith", "Good day to you."), ("Bob", "Fine."), ("Ann Smith", "It is late: very late."), ("Bob", "Yes.")
    ]  # fmt: skip
    assert [cue.start for cue in cues[:3]] == [0.0, 10.0, 20.0]


def test_a_text_without_times_is_spread_over_the_audio(tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    path.write_text("One two three.\nFour five six.\n")
    cues = read_transcript(path, 100.0)
    assert (cues[0].start, cues[-1].end) == (0.0, 100.0)
    assert cues[1].start == pytest.approx(50.0, abs=1)
    assert not has_times(path.read_text())
    with pytest.raises(TranscriptError, match="no line with times"):
        read_transcript(path)


def test_times_in_a_text_that_go_backwards_are_refused(tmp_path: Path) -> None:
    backwards = "".join(f"[{minute:02}:00] Good.\n" for minute in range(9, 0, -1))
    assert "go backwards" in refused(tmp_path, backwards, "talk.txt")


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]), max_size=40)
PHRASE = st.one_of(TEXT, st.sampled_from([
    "a --> b", "Ann: hello", "- no", ">> yes", "&amp;", "{\\an8}Hi", "<b>x</b>", "WEBVTT", "NOTE x", "1",
    "00:01.000 --> 00:02.000",
]))  # fmt: skip


# SubRip cannot say that Earmark wrote it, so what reads like a caption shown again is taken once there
@pytest.mark.parametrize("write", [write_vtt, write_json])
@settings(deadline=None, max_examples=120)
@given(parts=st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 9_000), PHRASE, TEXT), min_size=1, max_size=9))
def test_what_is_written_reads_back(tmp_path_factory: pytest.TempPathFactory, write: Callable[[list[Cue]], str],
                                    parts: list[tuple[int, int, str, str]]) -> None:  # fmt: skip
    cues, at = [], 0
    for before, length, text, speaker in parts:
        at += before
        said = " ".join("".join(char for char in text if char.isprintable()).split())
        who = " ".join("".join(char for char in speaker if char.isprintable() and char not in "<>").split())
        if said and said != (cues[-1].text if cues else ""):  # a caption twice in a row may be one shown again
            cues.append(Cue(at / 1000, (at + length) / 1000, said, who))
    path = tmp_path_factory.mktemp("vtt") / "x.vtt"
    path.write_text(write(cues), encoding="utf-8")
    if cues:
        assert read_transcript(path) == cues
    else:
        with pytest.raises(TranscriptError):
            read_transcript(path)


@pytest.mark.parametrize("write", [write_vtt, write_srt, write_json])
def test_a_name_that_looks_like_an_arrow_comes_back(write: Callable[[list[Cue]], str], tmp_path: Path) -> None:
    cues = [Cue(0.0, 1.0, "0", "--"), Cue(1.0, 2.0, "Hi. Ann: --> so", "a --b--"), Cue(2.0, 3.0, "Note: x", "")]
    (tmp_path / "x.srt").write_text(write(cues), "utf-8")
    assert read_transcript(tmp_path / "x.srt") == cues


LINES = st.sampled_from([
    "WEBVTT", "", "1", "00:00:01,000 --> 00:00:02,000", "00:01.0 --> 00:02.0", "0 --> 9", "--> 00:01", "x --> y",
    "NOTE", "NOTE a --> b", "STYLE", "REGION", "<v A>hi", "</v>", "<v", "Ann: hi", "Ann: yes", "- Bob: oh", ">> so",
    "&#99999999;", "99999:00:00.000 --> 99999:00:01.000", "{", "}", "[", "\x00", "<!--", "{\"segments\": {}}",
    '{"segments": [{"startTime": 1, "body": "x"}]}', "\u2028", "٣:٠٠.٠٠٠ --> ٤:٠٠.٠٠٠", "²³ --> 5",
])  # fmt: skip


@settings(deadline=None, max_examples=300)
@example(b'{"segments":[[null,{"body":"0"}]]}')
@given(st.one_of(
    st.lists(st.one_of(LINES, st.text(max_size=20)), max_size=14).map(lambda lines: "\n".join(lines).encode()),
    st.lists(LINES, max_size=14).map(lambda lines: "\r\n".join(["WEBVTT", *lines]).encode("utf-16")),
    st.binary(max_size=200),
    st.recursive(st.none() | st.floats() | st.integers() | st.text(max_size=5) | st.booleans(),
                 lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
                     ["segments", "startTime", "endTime", "body", "speaker", "words", "word", "start", "end", "text"]),
                     inner, max_size=6), max_leaves=20).map(lambda data: json.dumps({"segments": [data]}).encode()),
))  # fmt: skip
def test_no_content_does_more_than_refuse(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x.vtt"
    path.write_bytes(content)
    try:
        cues = read_transcript(path)
    except TranscriptError as error:
        assert "x.vtt" in error.message
    else:
        assert cues
        assert [cue.start for cue in cues] == sorted(cue.start for cue in cues)
        assert all(cue.text.strip() and 0 <= cue.start <= cue.end for cue in cues)
