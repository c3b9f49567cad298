# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts as people have them: what comes out of each, in one table, and the kinds behind them in small."""

from pathlib import Path

import pytest

from episodes.transcripts.reader import load_transcript
from voice.errors import TranscriptError

CASES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "cases" / "taking-in"
BEES = "Bees dance to tell the others where the flowers are."
ANGLE = "The angle of the dance is the angle to the sun."
BREAD = "Good bread needs time and water and a little salt."
DOUGH = "Let the dough rest over night in a cool place."
BRIDGE = "The stone bridge was built four hundred years ago."
TRAFFIC = "It still carries traffic every single day."
SIX = (BEES, ANGLE, BREAD, DOUGH, BRIDGE, TRAFFIC)
EIGHT = (*SIX, BEES, ANGLE)
EVERY_FOUR = (0.0, 4.0, 8.0, 12.0, 16.0, 20.0)

Row = tuple[float, str, str]


def _rows(starts: tuple[float, ...], texts: tuple[str, ...], speakers: tuple[str, ...] = ("",)) -> list[Row]:
    return [(start, speakers[number % len(speakers)], text)
            for number, (start, text) in enumerate(zip(starts, texts, strict=True))]  # fmt: skip


ANN_MAX = ("Ann Sample", "Max Muster")
YOUTUBE = (
    "welcome to the garden hour today we", "talk about how bees find their way home",
    "a bee dances to tell the others where", "the flowers are and the angle shows", "the angle to the sun that is all",
)  # fmt: skip
EVERY_EIGHT = (*EVERY_FOUR, 24.0, 28.0)

EXPECTED: dict[str, list[Row]] = {
    "00-plain.vtt": _rows((0.0, 4.0), (BEES, ANGLE)),
    "01-yt-auto.en.vtt": _rows((0.24, 2.35, 4.76, 7.17, 9.28), YOUTUBE),
    "02-yt-rolling.srt": _rows((0.24, 2.65, 5.06, 7.47, 9.88), YOUTUBE),
    "03-yt-word-overlap.vtt": _rows((0.0, 1.8, 3.4, 5.0, 6.6, 8.2, 9.8), (
        "welcome to the garden hour today", "we talk about how bees find", "their way home a bee dances",
        "to tell the others where the", "flowers are and the angle shows", "the angle to the sun that", "is all")),
    "06-ornaments.vtt": _rows((1.2, 3.2), ("[music]", "Just before noon a puppet show was put on at school.")),
    "07-style-header.vtt": _rows((0.0, 3.0), ("welcome to the garden", "where bees find their way home")),
    "08-empty-then-back.vtt": _rows((1265.0, 1273.72, 1280.0), (BEES, ANGLE, BREAD)),
    "09-blank-after-time.vtt": _rows((2715.64, 2716.96, 2720.92), (BEES, f"{ANGLE} {BREAD}", DOUGH)),
    "09b-blank-in-text.vtt": _rows((1.0, 4.0), (f"{BEES} {ANGLE}", BREAD)),
    "10-teams.vtt": [
        (9.835, "Joan Sample", "Hello everyone, shall we begin with the bees?"),
        (14.435, "Max Muster (Guest)", "Yes. A bee dances to tell the others where the flowers are."),
        (18.275, "Max Muster (Guest)", "And the angle is the angle to the sun."),
    ],
    "11-zoom.transcript.vtt": [
        (5.79, "Joan Sample", "Hello everyone, shall we begin?"),
        (9.8, "Max Muster (he/him)", "Yes. A bee dances to tell the others."),
        (14.2, "Joan Sample", "And what does the angle show?"),
        (18.5, "Max Muster (he/him)", "The angle to the sun."),
        (22.5, "J.R. O'Neil-Smith | Acme", "I have a question."),
        (25.5, "J.R. O'Neil-Smith | Acme", "How far do they fly?"),
        (27.5, "山田 太郎", "Three miles."),
        (29.5, "山田 太郎", "Sometimes six."),
    ],
    "11b-zoom-lower.vtt": _rows(EVERY_EIGHT, EIGHT, ("Joan Sample", "max muster")),
    "11e-caps.srt": _rows(EVERY_EIGHT, EIGHT, ("ANN SAMPLE", "MAX (ON PHONE)", "Q", "A")),
    "11f-brackets.srt": _rows(EVERY_EIGHT, EIGHT, ("Ann Sample", "Max", "SPEAKER_01")),
    "11g-speaker-n.vtt": _rows(EVERY_EIGHT, EIGHT, ("Speaker 1", "Speaker 2", "Unknown Speaker", "SPEAKER_03")),
    "11h-no-blank.srt": _rows(EVERY_EIGHT, EIGHT, ("Ann", "Max")),
    "12-clock-colon.vtt": _rows((1.0, 4.0, 8.0), (
        "10:30 Meeting: we begin with the bees.", "11:45 Lunch: bread and water.", "12:30 Meeting: the old bridge.")),
    "13-whisperx-highlight.srt": _rows((0.0, 4.0, 8.0), (BEES, ANGLE, BREAD), ("SPEAKER_00", "SPEAKER_01")),
    "14-whisperx-numbers.json": [
        (0.454, "SPEAKER_00", "Here is a list of numbers 1, 2, 3 and last 250."),
        (3.0, "SPEAKER_01", "The bridge was built in 1624."),
    ],
    "15-whisperx-speaker-change.json": [
        (0.0, "SPEAKER_00", "How long should it rest?"), (2.5, "SPEAKER_01", "Over night in a cool place."),
        (6.0, "", "Thank you."),
    ],
    "16-whispercpp.json": _rows(EVERY_FOUR, SIX),
    "18-whispercpp-stdout.txt": _rows(EVERY_FOUR, SIX),
    "19-whisper.tsv": _rows(EVERY_FOUR, SIX),
    "20-short-fraction.srt": _rows((9.9, 12.0, 16.123), (BEES, ANGLE, BREAD)),
    "21-hours-over-99.srt": _rows((359998.0, 360005.0, 777601.0), (BEES, ANGLE, BREAD)),
    "22-last-cue-is-first.srt": _rows((0.5, 60.0, 64.0, 68.0, 72.0, 76.0, 80.0), ("Subtitles by a web site", *SIX)),
    "23-no-blank-lines.srt": _rows(EVERY_FOUR, SIX),
    "23b-no-blank-lines.srt": _rows(EVERY_FOUR, SIX),
    "24-number-text.srt": _rows((1.0, 3.0, 6.0, 9.0), ("2", f"{BEES} and then some more", "42", ANGLE)),
    "26-frames.txt": _rows((24.16, 28.16, 32.16, 36.16, 40.16, 44.16), SIX),
    "27-no-numbers.srt": _rows(EVERY_FOUR, SIX),
    "29-cue-back-8s.srt": _rows((52.178, 60.0, 71.0), (ANGLE, BEES, BREAD)),
    "30-timestamp-map.vtt": _rows((1.0, 4.0), (BEES, ANGLE)),
    "31-podnews.vtt": [
        (0.0, "Sam Sample", "The latest from the garden hour."),
        (5.9, "Sam Sample", 'Bees & bread <today>, it\'s "new".'),
        (9.0, "Ann O'Neil", "Hello there"), (10.65, "Sam Sample", "and hello"),
    ],
    "32-assemblyai.json": _rows(EVERY_FOUR, SIX, ("A", "B")),
    "33-deepgram.json": _rows((0.0, 4.0, 8.4, 12.4, 16.4, 20.0), SIX, ("Speaker 0",)),
    "34-aws.json": _rows((0.0, 4.0, 8.4, 12.4, 16.4, 20.0), SIX),
    "36-yt-json3.json": _rows(EVERY_FOUR, SIX),
    "37-yt-transcript-api.json": _rows(EVERY_FOUR, SIX),
    "38-lyrics.lrc": _rows((0.5, 4.5, 8.5, 12.5, 16.5, 20.5), SIX),
    "39-captions.ttml": _rows(EVERY_FOUR, SIX),
    "40-captions.ass": _rows(EVERY_FOUR, SIX, ("Ann",)),
    "41-otter.txt": _rows(EVERY_FOUR, SIX, ANN_MAX),
    "42-descript.md": _rows(EVERY_FOUR, SIX, ANN_MAX),
    "42b-descript.txt": _rows(EVERY_FOUR, SIX, ANN_MAX),
    "43-riverside.txt": _rows((0.123, 4.123, 8.123, 12.123, 16.123, 20.123), SIX, ANN_MAX),
    "44-rev.txt": _rows(EVERY_FOUR, SIX, ANN_MAX),
    "45-teams-copy.txt": _rows(EVERY_FOUR, SIX, ANN_MAX),
    "46-bom-twice.vtt": _rows((0.0, 4.0), (BEES, ANGLE)),
    "47-cp1251.srt": _rows((1.0, 4.0), (
        "Пчёлы танцуют, чтобы показать другим путь.", "Угол танца равен углу к солнцу.")),
    "49-utf16.vtt": _rows((1.0,), (BEES,)),
    "50-whisper-words.srt": _rows((0.0, 4.0, 8.4, 12.4, 16.4, 20.0), SIX),
    "52-srt-named-vtt.vtt": _rows((1.0, 4.0), (BEES, ANGLE)),
    "53-whisper-chunks.json": _rows(EVERY_FOUR, SIX),
    "54-whisper-null-speaker.json": [
        (start, "" if number == 1 else "SPEAKER_00", text)
        for number, (start, text) in enumerate(zip(EVERY_FOUR, SIX, strict=True))
    ],
    "55-buzz.txt": _rows(EVERY_FOUR, SIX, ("Ann", "Max")),
    "56-arrows.srt": _rows((1.0, 4.0, 8.0, 12.0), SIX[:4]),
    "58-colon-ms.srt": _rows((1.0, 4.0), (BEES, ANGLE)),
    "59-tags.srt": _rows((1.0, 4.0, 8.0), (BEES, f"♪ {ANGLE} ♪", f"{BREAD} [laughs] {DOUGH}")),
    "60-buzzsprout.html": _rows(EVERY_FOUR, SIX, ANN_MAX),
    "60b-page.html": _rows(EVERY_FOUR, SIX, ANN_MAX),
    "61-mp3vtt.mp3.vtt": _rows((0.0,), (BEES,)),
    "63-control.json": _rows((0.0, 4.0), ("A tab here and a newline in the string.", ANGLE)),
    "64-trailing-comma.json": _rows((0.0, 4.0), (BEES, ANGLE)),
    "67-json-lines.jsonl": _rows(EVERY_FOUR, SIX),
    "69-html-entities.srt": _rows((1.0, 4.0), ("Salt & flour <today> it's good …", "R&D and AT&T, 3 < 4 and 5 > 4")),
}  # fmt: skip

shared = pytest.mark.skipif(not CASES.is_dir(), reason="the cases in ../shared/data/cases/taking-in are not here")


@shared
@pytest.mark.parametrize("name", EXPECTED)
def test_a_case_gives_its_lines(name: str) -> None:
    cues = load_transcript(CASES / name).cues
    assert [(cue.speaker, cue.text) for cue in cues] == [(who, said) for _, who, said in EXPECTED[name]]
    assert [cue.start for cue in cues] == pytest.approx([start for start, *_ in EXPECTED[name]], abs=0.01)


@shared
def test_a_cue_that_ends_before_it_begins_keeps_its_text_and_the_others() -> None:
    found = load_transcript(CASES / "28-negative-duration.srt")
    assert [cue.text for cue in found.cues] == [BEES, ANGLE, BREAD, DOUGH, BRIDGE]
    assert [cue.start for cue in found.cues] == sorted(cue.start for cue in found.cues)
    assert found.cues[2].end == pytest.approx(11.52, abs=0.01)
    assert found.remark == "2 of 5 lines had broken times, which are estimated now."
    found = load_transcript(CASES / "94-neg.srt", 12.0)
    assert len(found.cues) == 3
    assert found.cues[2].start == 11.0


@shared
@pytest.mark.parametrize(("name", "says"), [
    ("65-empty-segments.json", "no cues with text"), ("84-chapters.json", "holds chapters"),
    ("101-zero.mp3", "is empty"), ("70-no-guid-1.xml", "is a feed"),
])  # fmt: skip
def test_what_is_no_transcript_says_what_it_is(name: str, says: str) -> None:
    with pytest.raises(TranscriptError, match=says):
        load_transcript(CASES / name)


@shared
def test_words_keep_their_times_where_the_form_has_them() -> None:
    highlighted = load_transcript(CASES / "13-whisperx-highlight.srt").cues[0]
    assert [word.text for word in highlighted.words] == BEES.split()
    rolling = load_transcript(CASES / "01-yt-auto.en.vtt").cues[0]
    assert [(word.start, word.text) for word in rolling.words[:2]] == [(0.24, "welcome"), (0.54, "to")]
    digits = load_transcript(CASES / "14-whisperx-numbers.json").cues[0].words
    assert [word.text for word in digits][6:9] == ["1,", "2,", "3"]
    assert 1.7 <= digits[6].start <= digits[7].start <= digits[8].end <= 2.1
