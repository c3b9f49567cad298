# SPDX-License-Identifier: GPL-3.0-or-later
"""Hearing with faster-whisper: short questions quickly, whole episodes piece by piece, and no invented text."""

import math
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from voice.audio import HEARING_RATE, Audio, Samples, stream_audio
from voice.errors import HearingError
from voice.model import Bias, Cue, Heard, Piece, Wanted, Word, always_wanted
from voice.processors import keep_numpy_to_one, share_one_heap, usable
from voice.recognition.whisper_models import missing_files
from voice.turns.voice_activity import WHISPER_WINDOW, Block, blocks, clean, spoken_part

_NO_SPEECH = 0.6  # above it the model itself believes that nobody spoke
_UNSURE = -0.8  # mean log-probability below which such a belief counts
_LOOPING = 2.4  # compression ratio above which the text repeats itself
_DOUBTFUL = -0.5  # mean log-probability below which a well-known invention is taken for one
_BEAM = 5
_SHORT_TURN = 12.0  # seconds of speech that are heard in a window of their own length first
_SHORT_WINDOW = 6.0  # seconds of the shortest such window: in shorter ones the model repeats itself more
_FEW_WORDS = 4.0  # seconds of speech of which other readings are told
_SHORT_BEAM = 5
_PLAIN = -0.3  # mean log-probability from which on the likeliest word after word is believed, with no other readings
_NEARLY = 0.6  # mean log-probability by which they may be less likely
_AFTER_SHORT = 0.5  # seconds of silence behind the speech
_SURE_OF_SHORT = -1.5  # mean log-probability from which on that is believed
_NEAR_END = 0.45  # seconds before the end of the sound from which on a time means its end
_MOST_TOKENS = 220  # of a window: the rest of Whisper's 448 are for what it leans towards
_TIMESTAMP = 0.02  # seconds between two of Whisper's times
_NO_REPEAT = 4  # words that may not come again in the same order where the decoder ran in circles
_HOT_WORDS = 700  # characters that are leant towards: the prompt has room for about 220 tokens

_INVENTED = {
    "you", "thank you", "thanks", "thanks for watching", "thank you for watching", "thank you very much", "bye",
    "bye bye",
    "please subscribe", "subscribe", "subtitles by the amara org community", "so", "okay", "oh", "hmm", "the", "i",
    "yeah",
    "see you next time", "see you in the next video", "music", "applause", "silence", "blank audio",
}  # fmt: skip
"""What Whisper writes when nobody speaks, in plain letters."""


_OFTENEST = 4  # times that a text says itself: what comes more often was said
_HASTIEST = 6.5  # words in a second that nobody says


def folded(text: str, seconds: float = 60.0) -> str:
    """A text that says itself two to four times ("Faster, faster."), said once; another one as it is.

    Whisper does so when it leans towards what it hears. What it says itself more often, or once more up to where it was
    cut off, is folded too where nobody could have said all of it in that many ``seconds``.
    """
    words = text.split()
    plain = [re.sub(r"\W", "", word.lower()) for word in words]
    hasty = len(words) > _HASTIEST * seconds
    for length in range(1, len(words) // 2 + 1):
        times, rest = divmod(len(words), length)
        again = plain[:length] * (times + 1)
        ends = again[len(plain) - 1].startswith(plain[-1]) if hasty else again[len(plain) - 1] == plain[-1]
        if ends and plain[:-1] == again[: len(plain) - 1]:
            if (rest or times > _OFTENEST) and not hasty:
                return text
            end = re.search(r"(?<![.?!…])[.?!…]+$", words[length - 1] if rest else text)
            return " ".join(words[:length]).rstrip(" ,;:-–—.?!…") + (end[0] if end else "")
    return text


class WhisperSegment(Protocol):
    """What faster-whisper tells of a stretch of text."""

    start: float
    end: float
    text: str
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    words: list[Any] | None


def is_invented(segment: WhisperSegment) -> bool:
    """Whether a segment is text that nobody said.

    The model's own doubt counts only with a second sign of it (a low mean log-probability or a text that repeats
    itself), since it is often wrong alone; a phrase that it is known to invent needs a low log-probability only.
    """
    text = re.sub(r"[^a-z ]+", " ", segment.text.lower())
    plain = " ".join(text.split())
    if not plain and not any(letter.isalnum() for letter in segment.text):
        return True
    if segment.no_speech_prob > _NO_SPEECH and (segment.avg_logprob < _UNSURE or segment.compression_ratio > _LOOPING):
        return True
    if segment.compression_ratio > _LOOPING and segment.avg_logprob < _DOUBTFUL:
        return True
    return plain in _INVENTED and (segment.avg_logprob < _DOUBTFUL or segment.no_speech_prob > _NO_SPEECH)


class Whisper:
    """One model, loaded; the model is shared, every recording is private, so threads need no lock.

    folder: a model for CTranslate2. name: shown to people. language: a code, or "auto" (a model that knows English
    only hears English). threads: processor threads, 0 for as many as there are processors, four at most (CTranslate2's
    own choice is one where two share a core). windows: how many windows of 30 s of a recording are heard at once, and
    make one piece: more is faster, and more is lost when the work is broken off.
    prompt: lean by a prompt instead of by hot words (``tests.benchmarks.hearing`` compares the two).

    Raises HearingError when the folder holds no model that can be loaded.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "",
        *,
        language: str = "en",
        threads: int = 0,
        windows: int = 4,
        prompt: bool = False,
    ) -> None:
        if not folder.is_dir():
            raise HearingError(
                f"There is no model folder {folder}.", "Check the setting, or choose auto."
            )
        missing = missing_files(folder)
        if missing:
            raise HearingError(
                f"{folder} is not a complete Whisper model: it lacks {', '.join(missing)}.",
                "Give a folder with a model for faster-whisper, or choose auto.",
            )
        from faster_whisper import WhisperModel

        keep_numpy_to_one()
        share_one_heap()
        try:
            self._model: Any = WhisperModel(
                str(folder), device="auto", compute_type="int8", cpu_threads=threads or usable(),
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise HearingError(
                f"The model in {folder} cannot be loaded ({error}).", "Fetch it again, or choose another model."
            ) from error
        except Exception as error:  # the tokenizer's library raises bare Exception for a file it cannot read
            raise HearingError(
                f"The tokenizer in {folder} cannot be read ({error}).", "Fetch the model again, or choose another."
            ) from error
        self.name = f"faster-whisper {folder.name if not name or '/' in name else name}"
        self._windows = windows
        self._known_tokenizer: Any = None
        self._hot: tuple[str, list[int]] = ("", [])
        self._language = None if language == "auto" else language
        self._prompt = prompt

    def hear(
        self, audio: Audio, bias: Bias = Bias(), timed: bool = False, wanted: Wanted = always_wanted  # noqa: B008 — frozen
    ) -> Heard:
        """One question or command; the confidence is the model's own, no text when nobody speaks.

        What fits into one window is heard without the times of words unless ``timed``: with them, faster-whisper goes
        on from the end of the last word and hears what is left of the window once more, which takes as long again.
        """
        start, samples = spoken_part(clean(audio))
        if not len(samples) or not wanted():
            return Heard("", 0.0)
        if not timed and (quickly := self._hear_short(samples, bias, wanted)) is not None:
            return quickly
        if not wanted():
            return Heard("", 0.0)
        seconds = len(samples) / HEARING_RATE
        timed = timed or seconds > WHISPER_WINDOW
        options = {"word_timestamps": True} if timed else {"max_new_tokens": _most_tokens(seconds)}
        segments = [segment for segment in self._segments(samples, bias, 2, **options) if not is_invented(segment)]
        text = folded(" ".join(segment.text.strip() for segment in segments), seconds)
        if not text:
            return Heard("", 0.0)
        weights = [max(1, len(segment.text)) for segment in segments]
        mean = sum(s.avg_logprob * w for s, w in zip(segments, weights, strict=True)) / sum(weights)
        words = tuple(word for segment in segments for word in _words(segment, start))
        return Heard(text, min(1.0, math.exp(mean)), words)

    def _hear_short(self, samples: Samples, bias: Bias, wanted: Wanted) -> Heard | None:
        """A short turn heard in a window of its own length; None when the model is not sure of it, or it is long.

        The encoder's work grows with the window, and most of the usual 30 s would be silence. Whisper was trained on
        whole windows: in a short one it tends to say everything again and again, so that it is asked for times and
        believed up to the first that is at the end of the sound, what it repeats is folded, and what it is unsure of is
        heard again in a whole window. A few words that are not plain are decoded again with other readings beside them.
        """
        if self._language is None or len(samples) > _SHORT_TURN * HEARING_RATE:
            return None
        tokenizer = self._tokenizer()
        prompt = [*self._hot_tokens(hot_words(bias)), *tokenizer.sot_sequence]
        window = max(len(samples) + round(_AFTER_SHORT * HEARING_RATE), round(_SHORT_WINDOW * HEARING_RATE))
        padded = np.pad(samples, (0, window - len(samples)))
        encoded = self._model.encode(self._model.feature_extractor(padded))
        seconds = len(samples) / HEARING_RATE
        most = _most_tokens(seconds)
        heard = None
        for beam in (1, _SHORT_BEAM) if seconds <= _FEW_WORDS else (1,):
            if not wanted():
                return None
            (found,) = self._model.model.generate(
                encoded, [prompt], beam_size=beam, num_hypotheses=beam, return_scores=True, suppress_tokens=[-1],
                max_length=len(prompt) + most, max_initial_timestamp_index=25,
            )  # fmt: skip
            texts: dict[str, float] = {}
            for tokens, score in zip(found.sequences_ids, found.scores, strict=True):
                text = self._said_in(tokens, seconds, most)
                if text and score >= max(_SURE_OF_SHORT, found.scores[0] - _NEARLY):
                    texts.setdefault(text, score)
            (text, score), *others = texts.items() or [("", -math.inf)]
            heard = Heard(text, min(1.0, math.exp(score)), others=tuple(other for other, _ in others)) if text else None
            if score >= _PLAIN:
                break
        return heard

    def _said_in(self, tokens: Sequence[int], seconds: float, most: int) -> str:
        """The text of so many seconds of speech among the tokens of a short window, of which there are ``most`` where
        it did not come to an end; "" where none can be believed."""
        tokenizer = self._tokenizer()
        said: list[int] = []
        cut = len(tokens) >= most
        for token in tokens:
            if said and (token - tokenizer.timestamp_begin) * _TIMESTAMP >= seconds - _NEAR_END:
                cut = False
                break
            if token < tokenizer.eot:
                said.append(token)
        whole = tokenizer.decode(said).strip()
        text = folded(whole, 0.0 if cut else seconds)
        plain = " ".join(re.sub(r"[^a-z ]+", " ", text.lower()).split())
        return "" if (cut and text == whole) or not plain or plain in _INVENTED else text

    def _tokenizer(self) -> Any:
        if self._known_tokenizer is None:
            from faster_whisper.tokenizer import Tokenizer

            multilingual = self._model.model.is_multilingual
            how = {"task": "transcribe", "language": self._language} if multilingual else {}
            self._known_tokenizer = Tokenizer(self._model.hf_tokenizer, multilingual, **how)
        return self._known_tokenizer

    def _hot_tokens(self, leaning: str | None) -> list[int]:
        """What stands before the text so that the model leans to it; kept, since an episode's words stay the same."""
        if not leaning:
            return []
        known, tokens = self._hot
        if known != leaning:
            tokenizer = self._tokenizer()
            half = int(self._model.max_length) // 2 - 1
            tokens = [int(tokenizer.sot_prev), *tokenizer.encode(" " + leaning.strip())[:half]]
            self._hot = (leaning, tokens)
        return tokens

    def transcribe(self, path: Path, bias: Bias, since: float = 0.0) -> Iterator[Piece]:
        """A recording piece by piece, cues with word times, in bounded memory. Raises AudioError.

        A piece fills some of Whisper's windows, which are heard at once: decoding several takes little more time than
        decoding one.
        """
        language = self._spoken(bias)
        for block in _ahead(blocks(stream_audio(path), self._windows, since)):
            if block.spans and language is None:  # once for a recording: what is heard late would mislead
                language = self._model.detect_language(block.samples, language_detection_segments=4)[0]
            heard = self._block(block, replace(bias, language=language or "")) if block.spans else []
            cues = (_cue(segment, block.start, block.end) for segment in heard if not is_invented(segment))
            yield Piece(block.start, block.end, tuple(cues), language or "")

    def _block(self, block: Block, bias: Bias) -> list[WhisperSegment]:
        """The segments of a block of speech in order; windows in which the decoder ran in circles are heard again,
        forbidden to repeat itself."""
        from faster_whisper import BatchedInferencePipeline
        from faster_whisper.transcribe import restore_speech_timestamps
        from faster_whisper.vad import collect_chunks

        # Packed here as faster-whisper packs it: given no spans it would look for speech once more.
        spans = [{"start": begin, "end": end} for begin, end in block.spans]
        windows, _ = collect_chunks(block.samples, spans, max_duration=WHISPER_WINDOW)
        ends = np.cumsum([len(window) for window in windows])
        packed, _ = BatchedInferencePipeline(self._model).transcribe(
            np.concatenate(windows),
            clip_timestamps=[
                {"start": (end - len(window) + 0.5) / HEARING_RATE, "end": (end + 0.5) / HEARING_RATE}
                for window, end in zip(windows, ends, strict=True)
            ],
            language=self._spoken(bias),
            batch_size=self._windows,
            beam_size=_BEAM,
            temperature=0.0,
            without_timestamps=False,  # they are what ends a cue
            word_timestamps=True,
            **self._leaning(bias),
        )
        found = restore_speech_timestamps(packed, spans, HEARING_RATE)
        heard: list[WhisperSegment] = []
        for looping, group in groupby(found, key=lambda segment: segment.compression_ratio > _LOOPING):
            segments = list(group)
            heard += self._again(block.samples, segments, bias) if looping else segments
        return heard

    def _again(self, samples: Samples, segments: Sequence[WhisperSegment], bias: Bias) -> list[WhisperSegment]:
        """What is said where these segments are, heard without repetitions."""
        begin, end = int(segments[0].start * HEARING_RATE), int(segments[-1].end * HEARING_RATE)
        found = self._segments(
            samples[begin:end], bias, _BEAM, word_timestamps=True, no_repeat_ngram_size=_NO_REPEAT
        )
        return [_moved(segment, begin / HEARING_RATE) for segment in found] or list(segments)

    def _spoken(self, bias: Bias) -> str | None:
        """The language to hear: the one of the settings, else of the episode; None where it has to be found out."""
        if not self._model.model.is_multilingual:
            return "en"
        return self._language or bias.language or None

    def _leaning(self, bias: Bias) -> dict[str, str | None]:
        """How Whisper is told what to lean towards."""
        return {"initial_prompt" if self._prompt else "hotwords": hot_words(bias)}

    def _segments(self, samples: Samples, bias: Bias, beam: int, **options: Any) -> Iterator[WhisperSegment]:
        segments, _ = self._model.transcribe(
            samples,
            language=self._spoken(bias),
            beam_size=beam,
            temperature=0.0,
            condition_on_previous_text=False,  # what was invented once would be believed for the rest of the episode
            **self._leaning(bias),
            no_speech_threshold=None,  # is_invented decides, with a second condition
            **options,
        )
        yield from segments


def _ahead(made: Iterator[Block]) -> Iterator[Block]:
    """The same blocks, each decoded and searched for speech while the one before is heard."""
    with ThreadPoolExecutor(1, "earmark-ahead") as helper:
        coming = helper.submit(next, made, None)
        while (block := coming.result()) is not None:
            coming = helper.submit(next, made, None)
            yield block


def hot_words(bias: Bias) -> str | None:
    """What the recogniser leans towards, as Whisper takes it: text that stands before what is said; None for nothing.

    Names and words are a list, commands sentences: Whisper goes on in the style of what stands before, and a list it
    would continue by saying a command again and again.
    """
    text = ""
    for phrase in (*bias.names, *bias.words):
        if len(text) + len(phrase) > _HOT_WORDS:
            break
        text = f"{text}, {phrase}" if text else phrase
    for command in bias.commands:
        if len(text) + len(command) > _HOT_WORDS:
            break
        text = f"{text.rstrip('.')}. {command[:1].upper()}{command[1:]}." if text else f"{command.capitalize()}."
    return text or None


def _most_tokens(seconds: float) -> int:
    """Tokens that nobody exceeds who speaks for so long."""
    return min(_MOST_TOKENS, round(12 + 8 * seconds))


def _moved(segment: WhisperSegment, seconds: float) -> WhisperSegment:
    """A segment (a fresh one, nobody else's) with its times moved."""
    for timed in (segment, *(segment.words or ())):
        timed.start, timed.end = timed.start + seconds, timed.end + seconds
    return segment


def _words(segment: WhisperSegment, offset: float) -> tuple[Word, ...]:
    return tuple(
        Word(offset + float(word.start), offset + float(word.end), word.word.strip(), float(word.probability))
        for word in segment.words or ()
        if word.word.strip()
    )


def _cue(segment: WhisperSegment, offset: float, limit: float) -> Cue:
    """A segment as a cue; times cannot leave the piece they were heard in."""
    words = _words(segment, offset)
    start = words[0].start if words else offset + segment.start
    end = words[-1].end if words else offset + segment.end
    return Cue(min(start, limit), min(max(end, start), limit), segment.text.strip(), "", words)
