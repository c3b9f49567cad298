# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds behind the cases, each in small: who speaks, what is shown again, forms, and sizes of cues."""

import json
from pathlib import Path

import pytest

from episodes.text.sentences import sentences
from episodes.transcripts.decoding import decode, readable
from episodes.transcripts.entries import Entry
from episodes.transcripts.reader import read_transcript
from episodes.transcripts.shape import shaped
from episodes.transcripts.speaker_labels import attribute_entries, cues_of
from voice.errors import TranscriptError
from voice.model import Cue


def tidied(cues: list[Cue]) -> list[Cue]:
    """Cues as reading a file would shape them."""
    entries = [Entry(cue.start, cue.end, (cue.text,), cue.speaker, cue.words) for cue in cues]
    return shaped([part for entry, parts in attribute_entries(entries) for part in cues_of(entry, parts)])


def srt(*rows: str) -> str:
    """SubRip with a caption of four seconds for each row."""
    return "\n".join(
        f"{number}\n00:00:{4 * number - 4:02},000 --> 00:00:{4 * number:02},000\n{row}\n"
        for number, row in enumerate(rows, 1)
    )


def read(folder: Path, content: str, name: str = "x.srt") -> list[Cue]:
    (folder / name).write_text(content, "utf-8")
    return read_transcript(folder / name)


def said(cues: list[Cue]) -> list[tuple[str, str]]:
    return [(cue.speaker, cue.text) for cue in cues]


@pytest.mark.parametrize(
    ("rows", "speakers"),
    [
        (
            ["iPhone von Max: Hallo.", "Ann's iPad: Hi.", "iPhone von Max: Ja.", "Ann's iPad: So."],
            ["iPhone von Max", "Ann's iPad"] * 2,
        ),
        (
            [
                "Maria del Carmen de la Cruz Garcia: Hola.",
                "Bob: Hi.",
                "Maria del Carmen de la Cruz Garcia: Si.",
                "Bob: No.",
            ],
            ["Maria del Carmen de la Cruz Garcia", "Bob"] * 2,
        ),
        (["山田：こんにちは。", "田中：はい。", "山田：そうですね。", "田中：ええ。"], ["山田", "田中"] * 2),
        (["Q: Why?", "A: Because.", "Q: How?", "A: So."], ["Q", "A"] * 2),
        (["(Ann) Hello.", "(laughs) so", "(Ann) and", "(Max) Hi", "(Max) yes"], ["Ann", "Ann", "Ann", "Max", "Max"]),
        (["[Music]", "[Applause] Hello", "[Music]", "[Laughter] yes"], [""] * 4),
        (
            [">> ANN: Hello there.", "And so.", ">> Good morning.", "so it goes.", ">> ANN: Right."],
            ["ANN", "ANN", "", "", "ANN"],
        ),
        (
            ["user_1234: Hi.", "more of that.", "Ann: Good.", "user_1234: Yes.", "Ann: Ok."],
            ["user_1234", "user_1234", "Ann", "user_1234", "Ann"],
        ),
        (["10:30 Meeting: bees.", "11:45 Lunch: bread.", "12:30 Meeting: bridge."], [""] * 3),
        (
            ["Joan Sample\nHello.", "Max Muster\nHi there.", "Joan Sample\nAnd so.", "Max Muster\nYes."],
            ["Joan Sample", "Max Muster"] * 2,
        ),
    ],
)
def test_who_says_it(tmp_path: Path, rows: list[str], speakers: list[str]) -> None:
    assert [cue.speaker for cue in read(tmp_path, srt(*rows))] == speakers


def test_a_word_before_a_colon_now_and_then_is_nobody(tmp_path: Path) -> None:
    rows = [f"Lesson: do {number}." if number in (5, 9, 12) else f"So it goes on, {number}." for number in range(14)]
    assert {cue.speaker for cue in read(tmp_path, srt(*rows))} == {""}


@pytest.mark.parametrize("label", ["Bitcoin", "The new guy from far away", "Someone Else 7"])
def test_an_unknown_label_ends_the_turn_of_the_speaker_before(tmp_path: Path, label: str) -> None:
    cues = read(
        tmp_path, srt("Ann: Hello.", "Max: Hi.", "Ann: So.", f"{label}: a story.", "it goes on.", "Max: Right.")
    )
    assert cues[3].speaker != "Ann"
    assert cues[4].speaker == cues[3].speaker
    assert "a story." in cues[3].text


def test_names_in_the_middle_divide_a_cue() -> None:
    whole = Cue(0.0, 10.0, "So that is it. Max Muster: An eclipse attack? Ann Lee: Yes.", "Ann Lee")
    parts = tidied([whole, Cue(10.0, 12.0, "Right.", "Max Muster")])
    assert said(parts) == [
        ("Ann Lee", "So that is it."),
        ("Max Muster", "An eclipse attack?"),
        ("Ann Lee", "Yes."),
        ("Max Muster", "Right."),
    ]
    assert [part.start for part in parts] == sorted(part.start for part in parts)
    assert parts[2].end == 10.0


def test_links_are_their_texts(tmp_path: Path) -> None:
    cues = read(tmp_path, srt("See [our site](https://example.org/a?b=1) for more."))
    assert cues[0].text == "See our site for more."
    lines = sentences([Cue(0, 4, "See [our site](https://example.org/?) for more. Bye.")])
    assert [line.text for line in lines] == ["See our site for more.", "Bye."]


def test_what_is_said_twice_stays(tmp_path: Path) -> None:
    assert [cue.text for cue in read(tmp_path, srt("No.", "No.", "No.", "Yes."))] == ["No.", "No.", "No.", "Yes."]


def test_captions_that_grow_are_one(tmp_path: Path) -> None:
    rows = ["welcome", "welcome to", "welcome to the", "welcome to the garden", "Today", "Today we", "Today we talk"]
    cues = read(tmp_path, srt(*rows))
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [
        (0, 16, "welcome to the garden"),
        (16, 28, "Today we talk"),
    ]


def test_hls_segments_are_joined_at_their_edges(tmp_path: Path) -> None:
    head = "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{},LOCAL:00:00:00.000\n\n"
    edge = "00:05.000 --> 00:07.000\nThe angle is the sun.\n\n"
    first = head.format(900_000) + "00:01.000 --> 00:05.000\nBees dance to tell.\n\n" + edge
    again = read(tmp_path, first + head.format(900_000) + edge + "00:07.000 --> 00:09.000\nBread.\n", "x.vtt")
    assert [(cue.start, cue.text) for cue in again] == [
        (1, "Bees dance to tell."),
        (5, "The angle is the sun."),
        (7, "Bread."),
    ]
    later = read(tmp_path, first + head.format(1_800_000) + "00:01.000 --> 00:02.000\nBread.\n", "x.vtt")
    assert later[-1].start == 11.0


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        (
            "a.txt",
            "[0.00s -> 4.00s]  Hello there.\n[4.00s -> 8.50s]  And so on.\n",
            [("", "Hello there."), ("", "And so on.")],
        ),
        (
            "b.txt",
            "whisper_init: loading\n\n[00:00:00.000 --> 00:00:04.000]   Hello there.\n\nprint_timings: 63 ms\n",
            [("", "Hello there.")],
        ),
        (
            "c.json",
            json.dumps(
                {
                    "transcription": [
                        {
                            "offsets": {"from": 0, "to": 4000},
                            "text": " Bees dance.",
                            "tokens": [
                                {"text": "[_BEG_]", "offsets": {"from": 0, "to": 0}},
                                {"text": " Be", "offsets": {"from": 0, "to": 500}},
                                {"text": "es", "offsets": {"from": 500, "to": 1000}},
                                {"text": " dance.", "offsets": {"from": 1000, "to": 4000}},
                            ],
                        }
                    ]
                }
            ),
            [("", "Bees dance.")],
        ),
        (
            "d.json",
            json.dumps(
                {
                    "speech": {
                        "transcripts": [
                            {"transcript": "Hello there.", "start_offset": 0, "end_offset": 64000, "speaker_id": 1}
                        ]
                    }
                }
            ),
            [("Speaker 1", "Hello there.")],
        ),
        (
            "e.json",
            json.dumps(
                {
                    "monologues": [
                        {
                            "speaker": 0,
                            "elements": [
                                {"type": "text", "value": "Hello", "ts": 0.5, "end_ts": 1.0},
                                {"type": "punct", "value": " "},
                                {"type": "text", "value": "there", "ts": 1.1, "end_ts": 1.4},
                                {"type": "punct", "value": "."},
                            ],
                        }
                    ],
                    "speakers": [{"id": 0, "name": "Ann"}],
                }
            ),
            [("Ann", "Hello there.")],
        ),
        ("f.csv", 'Start,End,Speaker,Text\n00:00:01,00:00:04,Ann,"Hello, there"\n', [("Ann", "Hello, there")]),
        ("g.sub", "{0}{100}Bees dance|twice\n{100}{200}Sun\n", [("", "Bees dance twice"), ("", "Sun")]),
        (
            "h.ttml",
            '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:p="http://www.w3.org/ns/ttml#parameter" '
            'xmlns:m="http://www.w3.org/ns/ttml#metadata" p:tickRate="10">'
            '<head><m:agent xml:id="a"><m:name>Ann</m:name></m:agent>'
            '</head><body><div><p begin="10t" end="20t" m:agent="a">Bees<br/>dance</p>'
            '<p begin="2s" dur="2s">R&amp;D</p></div>'
            "</body></tt>",
            [("Ann", "Bees dance"), ("", "R&D")],
        ),
        (
            "i.txt",
            "[00:00:00 - 00:00:04] Ann: Hello.\n[00:00:04 - 00:00:08] Max: Hi.\n",
            [("Ann", "Hello."), ("Max", "Hi.")],
        ),
        ("j.srt", "1\n\u202a00.00.01.000 --> 00.00.04.000\u202c\nBees.\n", [("", "Bees.")]),
    ],
)
def test_a_form_is_told_by_its_content(tmp_path: Path, name: str, content: str, wanted: list[tuple[str, str]]) -> None:
    assert said(read(tmp_path, content, name)) == wanted
    assert said(read(tmp_path, content, "x.txt")) == wanted


def test_a_speech_of_six_minutes_and_paragraphs_of_one_turn() -> None:
    speech = " ".join(f"This is sentence number {number} of a long speech." for number in range(60))
    parts = tidied([Cue(0.0, 360.0, speech, "Ann")])
    assert len(parts) == 60
    assert parts[30].start == pytest.approx(180, abs=3)
    assert max(part.end - part.start for part in parts) < 10
    turn = [
        Cue(0.0, 100.0, "First one here. It goes on.", "Ann"),
        Cue(0.0, 100.0, "Second one here. It goes on.", "Ann"),
    ]
    for lines in (sentences(turn), tidied(turn)):
        assert [line.start for line in lines] == sorted({line.start for line in lines})
        assert [line.text for line in lines][2] == "Second one here."
        assert 40 < lines[2].start < 60


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gbk", "蜜蜂跳舞告诉别人花在哪里。"),
        ("big5", "蜜蜂跳舞告訴別人花在哪裡。"),
        ("shift_jis", "ミツバチは踊って花の場所を教えます。"),
        ("euc-jp", "ミツバチは踊って花の場所を教えます。"),
        ("euc-kr", "꿀벌은 다른 벌들에게 꽃이 어디 있는지 알려주기 위해 춤을 춘다."),
        ("cp1251", "Пчёлы танцуют."),
        ("koi8-r", "Пчёлы танцуют, чтобы показать другим, где цветы."),
        ("cp1252", "Über die Brücke fährt täglich der Verkehr."),
        ("cp1253", "Οι μέλισσες χορεύουν για να πουν πού είναι."),
        ("cp1250", "Včely tančí, aby řekly ostatním, kde jsou květiny. Dobrý chléb potřebuje čas."),
        ("utf-16", "Łódź"),
        ("utf-8", "Café 🐝"),
    ],
)
def test_an_encoding_is_told_by_evidence(encoding: str, text: str) -> None:
    assert text in decode(srt(text).encode(encoding), "x")


def test_an_encoding_that_cannot_be_told_is_refused_with_its_name() -> None:
    with pytest.raises(TranscriptError, match="in an encoding that cannot be told"):
        decode(b"1\n00:00:01,000 --> 00:00:02,000\n" + bytes(range(128, 256)) * 4, "x")


def test_tags_in_the_code_page_of_a_country() -> None:
    assert readable("Пчёлы".encode("cp1251").decode("latin-1")) == "Пчёлы"
    assert readable("Café Müller") == "Café Müller"
    assert readable("Łódź") == "Łódź"


ADA_AND_BOB = [(0.0, "Ada", "Hello there."), (2.0, "Bob", "Hi.")]


@pytest.mark.parametrize("data", [
    [{"speaker": "Ada", "start": 0.0, "end": 2.0, "text": "Hello there."},
     {"speaker": "Bob", "start": 2.0, "end": 4.0, "text": "Hi."}],
    {"transcript": [{"speaker": {"name": "Ada"}, "startTime": 0.0, "endTime": 2.0, "text": "Hello there."},
                    {"speaker": {"name": "Bob"}, "startTime": 2.0, "endTime": 4.0, "text": "Hi."}]},
    {"segments": [{"speakerName": "Ada", "startMs": 0, "endMs": 2000, "text": "Hello there."},
                  {"speakerName": "Bob", "startMs": 2000, "endMs": 4000, "text": "Hi."}]},
    {"paragraphs": [
        {"speaker": "Ada", "words": [{"text": "Hello", "start": 0.0, "end": 1.0},
                                     {"text": "there.", "start": 1.0, "end": 2.0}]},
        {"speaker": "Bob", "words": [{"text": "Hi.", "start": 2.0, "end": 4.0}]}]},
    {"segments": [{"speaker": "Ada", "sentences": [{"text": "Hello there.", "start": 0.0, "end": 2.0}]},
                  {"speaker": "Bob", "sentences": [{"text": "Hi.", "start": 2.0, "end": 4.0}]}]},
])  # fmt: skip
def test_paragraphs_keep_their_speakers_however_an_editor_nests_them(tmp_path: Path, data: object) -> None:
    (tmp_path / "talk.json").write_text(json.dumps(data))
    cues = read_transcript(tmp_path / "talk.json")
    assert [(cue.start, cue.speaker, cue.text) for cue in cues] == ADA_AND_BOB
