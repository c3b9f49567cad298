# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in recogniser: PocketSphinx with its packaged English, listening for the library's own words.

It needs no download. What it hears is what is likely to be said: the fixed commands, and questions made of the words
in focus; see `voice.recognition.expected`.
"""

import math
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from voice.audio import Audio, Samples, pcm16, stream_audio
from voice.errors import HearingError
from voice.model import Bias, Cue, Heard, Piece, Word
from voice.recognition.expected import expected, spoken_words
from voice.recognition.pronounce import pronunciations
from voice.turns.voice_activity import clean, pieces, spoken_part

_KEPT = 3  # decoders: one for each content in focus lately
_FRAME = 0.01  # seconds
_LEVEL = 0.1  # root mean square that speech is brought to
_FLOOR = 0.002  # of white noise that is added: digital silence has no spectrum, and wrecks the normalisation of one
_SURE = (1.24, 2.0, 60.0)
"""Logistic regression of "nearly every content word is right" on the mean log posterior of the words, and on the mean
of what the language model gave them above _USUAL: a sentence that nobody was expected to say was hardly said."""
_USUAL = 0.96
_LONGEST = 20.0  # seconds of a piece of a long recording

_SEARCH = {
    "lw": 10.0,
    "bestpathlw": 12.5,
    "fwdflat": False,  # with a model this sharp the second pass prunes away what the first one found
    "beam": 1e-60,
    "pbeam": 1e-60,
    "wbeam": 1e-36,
    "lpbeam": 1e-50,
    "lponlybeam": 1e-36,
}
"""The search, tuned on spoken questions (tests/benchmarks/hearing.py): the language model weighs more than usual."""

_FEATURES = """-lowerf 130
-upperf 6800
-nfilt 25
-transform dct
-lifter 22
-feat 1s_c_d_dd
-svspec 0-12/13-25/26-38
-agc none
-cmn batch
-varnorm no
-remove_noise yes
"""
"""The front end the packaged acoustic model was made with."""


class Sphinx:
    """PocketSphinx, one decoder for each content in focus. Safe to use from several threads."""

    name = "built-in recogniser"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ears: OrderedDict[str, _Ear] = OrderedDict()

    def hear(self, audio: Audio, bias: Bias = Bias(), timed: bool = False) -> Heard:  # noqa: B008 — frozen
        """One question or command; no text when nobody speaks. The times of its words cost nothing."""
        start, samples = spoken_part(clean(audio))
        if not len(samples):
            return Heard("", 0.0)
        words, confidence = self._ear(bias).listen(samples)
        words = tuple(Word(w.start + start, w.end + start, w.text, w.probability) for w in words)
        return Heard(written((word.text for word in words), bias.names), confidence, words)

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        """A recording piece by piece. Far from perfect: everyday English, with the names of ``bias``."""
        ear = _general(bias.names)
        for start, samples, done in pieces(stream_audio(path), _LONGEST, since):
            cues: list[Cue] = []
            if len(samples):
                heard, _ = ear.listen(samples)
                words = tuple(Word(w.start + start, w.end + start, w.text, w.probability) for w in heard)
                for line in _lines(words):
                    cues.append(Cue(line[0].start, line[-1].end, written((w.text for w in line), bias.names), "", line))
            yield Piece(start, done, tuple(cues))

    def _ear(self, bias: Bias) -> "_Ear":
        key = bias.key or repr(hash((bias.texts, bias.names)))
        with self._lock:
            ear = self._ears.get(key)
            if ear is None:
                ear = self._ears[key] = _tuned(bias)
            self._ears.move_to_end(key)
            while len(self._ears) > _KEPT:
                self._ears.popitem(last=False)
            return ear


class _Ear:
    """One decoder and the lock that keeps its utterances apart."""

    def __init__(self, **options: Any) -> None:
        from pocketsphinx import Decoder, get_model_path

        with tempfile.NamedTemporaryFile("w", suffix=".params") as features:
            features.write(_FEATURES)
            features.flush()
            try:
                self._decoder = Decoder(
                    hmm=get_model_path("en-us/en-us"), featparams=features.name, loglevel="FATAL", **options
                )
            except (RuntimeError, ValueError) as error:
                raise HearingError("The built-in recogniser does not start.", "Install pocketsphinx again.") from error
        self._lock = threading.Lock()

    def add_words(self, words: dict[str, str]) -> None:
        """Teach words by their phones."""
        with self._lock:
            for i, (word, phones) in enumerate(words.items()):
                if self._decoder.lookup_word(word) is None:
                    self._decoder.add_word(word, phones, i == len(words) - 1)

    def listen(self, samples: Samples) -> tuple[tuple[Word, ...], float]:
        """The words in ``samples`` (n,) at 16 kHz with their times, and how sure the decoder is of the whole, 0..1."""
        level = float(np.sqrt(np.mean(np.square(samples)))) or 1.0
        loud = samples * (_LEVEL / level) + np.random.default_rng(0).normal(0.0, _FLOOR, len(samples))
        with self._lock:
            decoder = self._decoder
            decoder.reinit_feat()  # forget the noise and the channel of the utterance before
            decoder.start_utt()
            decoder.process_raw(pcm16(loud.astype(np.float32)).tobytes(), False, True)
            decoder.end_utt()
            found = [(s.word, s.start_frame, s.end_frame, s.prob, s.lscore) for s in decoder.seg() or ()]
        words = tuple(
            Word(first * _FRAME, (last + 1) * _FRAME, word.partition("(")[0], min(1.0, max(1e-6, prob)))
            for word, first, last, prob, _ in found
            if word[0] not in "<["
        )
        return words, _confidence(words, [likely for word, *_, likely in found if word[0] not in "<["])


def _confidence(words: tuple[Word, ...], likely: Sequence[float]) -> float:
    """How probable it is that what matters was heard right, 0..1; ``likely``: the language model's score of each."""
    if not words:
        return 0.0
    mean = sum(math.log(word.probability) for word in words) / len(words)
    expected = sum(likely) / len(likely) - _USUAL
    return 1 / (1 + math.exp(-(_SURE[0] + _SURE[1] * mean + _SURE[2] * expected)))


def _tuned(bias: Bias) -> _Ear:
    """A decoder that expects what listeners say where ``bias`` is in focus."""
    known = _dictionary()
    model = expected(bias, known.keys())
    words = sorted(model.words())
    guessed = pronunciations(word for word in words if word not in known)
    british = pronunciations(words, "en")
    entries = []
    for word in words:
        ways = known.get(word) or ([guessed[word]] if word in guessed else [])
        ways = list(dict.fromkeys([*ways, *([british[word]] if word in british else [])]))
        entries += [f"{word}{f'({i + 1})' if i else ''} {phones}" for i, phones in enumerate(ways)]
    with tempfile.TemporaryDirectory() as folder:
        grammar, lexicon = Path(folder) / "words.lm", Path(folder) / "words.dict"
        grammar.write_text(model.arpa(), encoding="utf-8")
        lexicon.write_text("\n".join(entries) + "\n", encoding="utf-8")
        return _Ear(lm=str(grammar), dict=str(lexicon), **_SEARCH)


def _general(names: Iterable[str]) -> _Ear:
    """A decoder for everyday English that also knows ``names``."""
    from pocketsphinx import get_model_path

    ear = _Ear(lm=get_model_path("en-us/en-us.lm.bin"), dict=get_model_path("en-us/cmudict-en-us.dict"))
    known = _dictionary()
    ear.add_words(pronunciations({word for name in names for word in spoken_words(name) if word not in known}))
    return ear


@cache
def _dictionary() -> dict[str, list[str]]:
    """The packaged dictionary: each word's pronunciations."""
    from pocketsphinx import get_model_path

    words: dict[str, list[str]] = {}
    with Path(get_model_path("en-us/cmudict-en-us.dict")).open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.strip().partition(" ")
            words.setdefault(word.partition("(")[0], []).append(phones)
    return words


_ASKING = frozenset(
    {"what", "why", "how", "who", "when", "where", "which", "is", "are", "was", "were", "do", "does", "did", "can",
     "could", "will", "would", "should", "has", "have", "may", "might"}
)  # fmt: skip


def written(words: Iterable[str], names: Iterable[str] = ()) -> str:
    """Heard words as people write them: a capital first, names in their own letters, a question mark if one is due."""
    text = " ".join(words)
    if not text:
        return ""
    for name in sorted(names, key=len):
        spoken = " ".join(spoken_words(name))
        if spoken and any(letter.isupper() for letter in name):
            text = f" {text} ".replace(f" {spoken} ", f" {name} ").strip()
    text = f" {text} ".replace(" i ", " I ").replace(" i'", " I'").strip()
    asking = text.split(" ", 1)[0].lower() in _ASKING and " " in text
    return text[0].upper() + text[1:] + ("?" if asking else "")


def _lines(words: tuple[Word, ...]) -> Iterator[tuple[Word, ...]]:
    """Words in lines of a cue's length, broken at pauses."""
    line: list[Word] = []
    for word in words:
        if line and ((word.start - line[-1].end > 0.35 and len(line) > 3) or len(line) >= 16):
            yield tuple(line)
            line = []
        line.append(word)
    if line:
        yield tuple(line)
