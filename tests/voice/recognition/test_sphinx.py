# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in recogniser: questions and commands in several voices, and nothing where nobody speaks."""

import itertools
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.models.whisper.speech import RATE, say, with_silence
from voice.audio import Audio, join, silence, write_wav
from voice.model import Bias
from voice.recognition.expected import base_forms, number_words, sentences, spoken_words
from voice.recognition.ngrams import Trigrams
from voice.recognition.pronounce import arpabet, pronunciations
from voice.recognition.sphinx import Sphinx, written
from voice.recognition.utterances import COMMANDS, COMMON, QUESTIONS, commands, expand

DEMO = Path(__file__).parents[3] / "episodes" / "ingest" / "demo.txt"
BIAS = Bias("demo", tuple(DEMO.read_text(encoding="utf-8").splitlines()), ("Elias Brandt", "Nora Lindqvist"))


@pytest.fixture(scope="module")
def sphinx() -> Sphinx:
    return Sphinx()


def spoken(text: str, voice: str = "en-us+f1") -> Audio:
    return Audio(with_silence(say(text, voice, 155)), RATE)


@pytest.mark.parametrize("voice", ["en-us+f1", "en-us"])
@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("What is organic alignment?", "organic alignment"),
        ("What do the simulations of cooperation show?", "simulations cooperation"),
        ("Why is a chatbot like a mirror?", "chatbot mirror"),
        ("What is technical alignment?", "technical alignment"),
    ],
)
def test_a_question_about_the_episode_is_heard(sphinx: Sphinx, question: str, words: str, voice: str) -> None:
    heard = sphinx.hear(spoken(question, voice), BIAS)
    assert set(words.split()) <= set(spoken_words(heard.text)), heard.text
    assert heard.text.endswith("?")
    assert [word.text for word in heard.words] == spoken_words(heard.text)
    assert all(0 <= word.start < word.end < 10 for word in heard.words)


@pytest.mark.parametrize(
    "command",
    ["go back thirty seconds", "skip forward two minutes", "louder", "slower", "go back to where i was",
     "previous topic"],
)  # fmt: skip
def test_a_command_is_heard(sphinx: Sphinx, command: str) -> None:
    assert " ".join(spoken_words(sphinx.hear(spoken(command), BIAS).text)) == command


def test_without_any_focus_commands_are_heard(sphinx: Sphinx) -> None:
    assert sphinx.hear(spoken("go back thirty seconds")).text == "Go back thirty seconds"


def test_any_rate_level_and_damage_is_taken(sphinx: Sphinx) -> None:
    heard = spoken("what is organic alignment")
    holes = heard.samples.copy()
    holes[::4000] = np.nan
    for audio in (
        heard.at_rate(44_100),
        Audio(heard.samples * 0.02, RATE),
        Audio(heard.samples * 3, RATE),
        Audio(holes, RATE),
    ):
        assert "alignment" in sphinx.hear(audio, BIAS).text


@pytest.mark.parametrize("kind", ["silence", "hiss", "hum", "nothing", "one sample"])
def test_nobody_speaks_nothing_is_heard(sphinx: Sphinx, kind: str) -> None:
    random = np.random.default_rng(1)
    samples = {
        "silence": np.zeros(4 * RATE),
        "hiss": random.normal(0, 0.05, 4 * RATE),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * np.arange(4 * RATE) / RATE),
        "nothing": np.zeros(0),
        "one sample": np.ones(1),
    }[kind]
    heard = sphinx.hear(Audio(samples.astype(np.float32), RATE), BIAS)
    assert (heard.text, heard.confidence) == ("", 0.0)


def test_what_makes_no_sense_is_heard_with_less_confidence(sphinx: Sphinx) -> None:
    sense = [
        sphinx.hear(spoken(text), BIAS).confidence for text in ("what is organic alignment", "go back thirty seconds")
    ]
    babble = [
        sphinx.hear(spoken(text), BIAS).confidence
        for text in ("wochentags fahren zwanzig züge nach münchen", "bratwurst kartoffeln gibt es jeden freitag hier")
    ]
    assert min(sense) > max(babble), (sense, babble)


def test_several_threads_may_hear_at_once(sphinx: Sphinx) -> None:
    texts: dict[int, str] = {}
    audio = {0: spoken("what is organic alignment"), 1: spoken("go back thirty seconds")}

    def hear(number: int) -> None:
        texts[number] = sphinx.hear(audio[number % 2], BIAS).text

    threads = [threading.Thread(target=hear, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {texts[0], texts[2], texts[4]} == {texts[0]} and {texts[1], texts[3], texts[5]} == {texts[1]}
    assert texts[0] != texts[1]


def test_the_same_sound_is_heard_the_same_way_after_anything_else(sphinx: Sphinx) -> None:
    audio = spoken("what are the layers of homeostasis")
    first = sphinx.hear(audio, BIAS)
    sphinx.hear(spoken("louder"), BIAS)
    assert sphinx.hear(audio, BIAS) == first


def test_another_focus_hears_other_words(sphinx: Sphinx) -> None:
    bread = Bias("bread", ("The sourdough rises overnight. Rye flour makes the sourdough sour.",), ())
    assert "sourdough" in sphinx.hear(spoken("why is the sourdough sour"), bread).text


def test_a_recording_becomes_cues(sphinx: Sphinx, tmp_path: Path) -> None:
    parts = [silence(1, RATE), spoken("the old man went back to the house on the hill"), silence(2, RATE)]
    write_wav(tmp_path / "a.wav", join(parts * 2))
    pieces = list(sphinx.transcribe(tmp_path / "a.wav", Bias("", (), ("Lindqvist",))))
    cues = [cue for piece in pieces for cue in piece.cues]
    assert cues and pieces[-1].end == pytest.approx(join(parts * 2).seconds)
    assert list(sphinx.transcribe(tmp_path / "a.wav", Bias("", (), ("Lindqvist",)), pieces[0].end)) == pieces[1:]
    assert " ".join(cue.text for cue in cues).lower().count("the old man went back") == 2
    assert all(a.end <= b.start + 0.5 for a, b in itertools.pairwise(cues))
    assert all(cue.words[0].start == cue.start and cue.words[-1].end == cue.end for cue in cues)


def test_patterns_unfold() -> None:
    assert sorted(expand("(go|skip) back [by a (bit|little)]")) == sorted(
        [f"{verb} back{tail}" for verb in ("go", "skip") for tail in ("", " by a bit", " by a little")]
    )
    with pytest.raises(ValueError, match="bracket"):
        list(expand("(go|skip back"))
    for pattern in (*itertools.chain.from_iterable(COMMANDS.values()), *COMMON, *QUESTIONS):
        assert all(
            line.replace("{", "").replace("}", "").replace(" ", "").isalpha() for line in expand(pattern) if line
        )
    assert ("back", "go back thirty seconds") in set(commands())


@pytest.mark.parametrize(
    ("digits", "words"),
    [("0", "zero"), ("30", "thirty"), ("42", "forty two"), ("100", "one hundred"), ("1984", "nineteen eighty four"),
     ("1,984", "one thousand nine hundred eighty four"), ("1905", "nineteen oh five"),
     ("2024", "two thousand twenty four"),
     ("3.14", "three point one four"), ("12345678", "one two three four five six seven eight")],
)  # fmt: skip
def test_numbers_are_words(digits: str, words: str) -> None:
    assert " ".join(number_words(digits)) == words


def test_text_becomes_spoken_words() -> None:
    assert sentences(["Dr. Brandt’s 2 bees — don't ask! Élan"]) == [
        ["dr"], ["brandt's", "two", "bees", "don't", "ask"], ["élan"],
    ]  # fmt: skip
    assert "teach" in base_forms("teaches") and "stop" in base_forms("stopped") and "carry" in base_forms("carries")


def test_heard_words_are_written_as_people_write() -> None:
    assert written(["who", "is", "elias", "brandt"], ("Elias Brandt",)) == "Who is Elias Brandt?"
    assert written(["go", "back", "to", "where", "i", "was"]) == "Go back to where I was"
    assert written([]) == ""


def test_unknown_names_get_a_pronunciation() -> None:
    assert pronunciations(["lindqvist"])["lindqvist"].split()[:3] == ["L", "IH", "N"]
    assert arpabet("tʃ_ˈæ_t_b_ɑː_t") == "CH AE T B AA T"
    assert pronunciations(["", "…"]) == {}


def test_the_language_model_is_a_distribution() -> None:
    model = Trigrams()
    model.add(["what", "is", "a", "hive"])
    model.add(["a", "hive", "is", "a", "home"], 2.0)
    model.add(["hive", "mind"], 0.5, whole=False)
    prob: dict[tuple[str, ...], float] = {}
    back: dict[tuple[str, ...], float] = {}
    order = 0
    for line in model.arpa().splitlines():
        if line.startswith("\\") and line.endswith("-grams:"):
            order = int(line[1])
        elif order and line and not line.startswith("\\"):
            fields = line.split()
            gram = tuple(fields[1 : 1 + order])
            prob[gram] = 10 ** float(fields[0])
            back[gram] = 10 ** float(fields[1 + order]) if len(fields) > 1 + order else 1.0

    def p(*gram: str) -> float:
        return prob[gram] if gram in prob else back.get(gram[:-1], 1.0) * p(*gram[1:])

    words = [*model.words(), "</s>"]
    for context in [(), ("a",), ("is", "a"), ("<s>",), ("<s>", "what"), ("mind",), ("home", "what"), ("a", "hive")]:
        assert sum(p(*context, word) for word in words) == pytest.approx(1.0, abs=1e-3), context
    assert p("is", "a", "home") > p("is", "a", "mind") > 0
