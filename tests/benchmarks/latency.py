# SPDX-License-Identifier: GPL-3.0-or-later
"""From the end of a spoken question to the first audible sample of the answer, on a real sound server, by stage.

    python -m tests.benchmarks.latency [--model tiny|tiny.en|base.en] [--library FOLDER] [--json]

Ten questions and six commands are spoken, over the podcast, into the microphone of a PulseAudio server of our own;
microphone and loudspeaker are recorded, and the latency is read from the recordings. Each answer is spoken over, too.
For tiny.en and base.en the tests' tiny Whisper still gives the text, after a model of the true shape with random
weights did a true model's work (the encoder, and 14 tokens with a beam of 2), so what is shown is a little more than
the true model takes. The plain sequence (wait 0.5 s, decode, search, synthesise all, play) is run on the same sounds in
the same process.
"""

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.model import Question
from tests.conftest import TINY_WHISPER
from tests.demo import TEN_QUESTIONS, spoken_wav
from tests.soundcard import SoundCard, running_card
from voice.audio import Audio, read_audio
from voice.turns import Patience
from voice.words import Bias, Heard

SHAPES = {"tiny.en": (384, 4, 6), "base.en": (512, 6, 8)}
COMMANDS = ("Go back thirty seconds.", "Faster.", "Louder.", "Next topic.", "Slower.", "Go to the beginning.")


class Weighed:
    """A recogniser that works as hard as a model of the true shape, and hears with another."""

    def __init__(self, hears: Any, name: str) -> None:
        import ctranslate2
        import torch
        from ctranslate2.converters.transformers import WhisperLoader
        from transformers import WhisperConfig, WhisperForConditionalGeneration

        width, layers, heads = SHAPES[name]
        torch.manual_seed(0)
        config = WhisperConfig(
            vocab_size=51864, num_mel_bins=80, d_model=width, encoder_layers=layers, decoder_layers=layers,
            encoder_attention_heads=heads, decoder_attention_heads=heads, encoder_ffn_dim=4 * width,
            decoder_ffn_dim=4 * width, max_source_positions=1500, max_target_positions=448, pad_token_id=0,
            bos_token_id=0, eos_token_id=0, decoder_start_token_id=0,
        )
        spec = WhisperLoader().get_model_spec(WhisperForConditionalGeneration(config).eval())
        special = {50256: "endoftext", 50257: "startoftranscript", 50258: "en", 50357: "translate", 50358: "transcribe",
                   50359: "startoflm", 50360: "startofprev", 50361: "nospeech", 50362: "notimestamps"}  # fmt: skip
        spec.register_vocabulary([f"<|{special.get(number, number)}|>" for number in range(51864)])
        spec.config.suppress_ids = spec.config.suppress_ids_begin = []
        spec.config.lang_ids, spec.config.alignment_heads = [], [[layers - 1, 0]]
        spec.validate()
        spec.optimize(quantization="int8")
        self._folder = tempfile.TemporaryDirectory()
        spec.save(self._folder.name)
        self._model = ctranslate2.models.Whisper(self._folder.name, device="cpu", compute_type="int8")
        self._storage = ctranslate2.StorageView
        self._hears, self.name = hears, f"{name} (shape) + tiny"

    def hear(self, audio: Audio, bias: Bias = Bias()) -> Heard:  # noqa: B008
        features = self._storage.from_array(np.zeros((1, 80, 3000), np.float32))
        encoded = self._model.encode(features)
        self._model.generate(encoded, [[50257, 50362]], beam_size=2, max_length=32, suppress_tokens=[50256, 0])
        return self._hears.hear(audio, bias)  # type: ignore[no-any-return]


def plain(companion: Any, episode: str, said: Audio) -> float:
    """Seconds of the plain sequence to the beginning of the sound, without the devices and the detector."""
    began = time.monotonic()
    text = companion.hear(said, episode).text
    answer = companion.ask(Question(text, episode))
    list(companion.speak(answer.text))
    return Patience().over + time.monotonic() - began


class Bench:
    """A companion that plays on a sound server, and one who speaks to it and hears it."""

    def __init__(self, card: SoundCard, companion: Any, folder: Path) -> None:
        from ui.headless import Headless

        self.card, self.companion, self.folder = card, companion, folder
        self.attempts: list[Any] = []
        self.began = 0.0
        self.headless = Headless(companion, on_turn=self.attempts.append)
        noticed = self.headless.talk.began

        def began(now: Any) -> Any:
            self.began = time.monotonic()
            return noticed(now)

        self.headless.talk.began = began  # type: ignore[method-assign]
        self.headless.open(play=False)
        companion.warm(self.headless.episode_id)
        self.thread = threading.Thread(target=self.headless.run)
        self.thread.start()
        time.sleep(1.5)

    def wait(self, reached: Callable[[], bool], seconds: float = 6.0) -> bool:
        until = time.monotonic() + seconds
        while not reached() and time.monotonic() < until:
            time.sleep(0.005)
        return reached()

    def ask(self, text: str) -> tuple[Any, float, float, float] | None:
        """Say it over the podcast: the attempt, when its sound began and the podcast's ended (seconds after the end of
        speech, and after the turn began), and the end of speech on the clock. None when it was not understood.
        """
        player, before = self.headless.player, len(self.attempts)
        player.seek(60.0)
        player.play()
        time.sleep(1.0)
        path = spoken_wav(text, "en-us", self.folder / "said.wav")
        with self.card.listen("mic") as heard, self.card.listen() as ear:
            skew = ear.now - heard.now
            self.card.play(path)
            self.wait(lambda: len(self.attempts) > before and (player.speaking or player.playing))
            time.sleep(1.0)
            clock, now = time.monotonic(), ear.now
            end = float(np.flatnonzero(np.abs(heard.heard().samples) > 0.02)[-1]) / heard.rate + skew
            sound = ear.heard()
        if len(self.attempts) == before:
            return None
        start = clock - (now - end)
        loud = np.flatnonzero(np.abs(sound.samples) > 0.005) / ear.rate
        first = loud[loud > end]
        last = loud[loud < end]
        if not len(first) or not len(last):
            return None
        return self.attempts[-1], float(first[0] - end), float(last[-1]) - (self.began - start + end), start

    def interrupt(self) -> float | None:
        """Speak over an answer: seconds from the beginning of the turn to silence."""
        player, before = self.headless.player, len(self.attempts)
        if not self.wait(lambda: player.speaking):
            return None
        self.began = 0.0
        with self.card.listen() as ear:
            self.card.play(spoken_wav("Pause.", "en-us", self.folder / "said.wav"))
            self.wait(lambda: len(self.attempts) > before)
            clock, now, sound = time.monotonic(), ear.now, ear.heard()
        loud = np.flatnonzero(np.abs(sound.samples) > 0.005) / ear.rate
        return float(loud[-1]) - (self.began - clock + now) if self.began and len(loud) else None

    def quiet(self) -> None:
        self.headless.press("s")
        time.sleep(0.3)
        self.headless.player.pause()
        self.headless.player.hush()
        time.sleep(0.2)

    def close(self) -> None:
        self.headless.stop()
        self.thread.join()


def measure(card: SoundCard, model: str, library: Path | None = None) -> dict[str, Any]:
    from ui.app import Companion
    from ui.config import Settings

    with tempfile.TemporaryDirectory() as name:
        companion = Companion(Settings(data_dir=library or Path(name) / "earmark", hearing=str(TINY_WHISPER)))
        companion.add_demo()
        if model in SHAPES:
            companion.engines._hearing = Weighed(companion.engines.hearing, model)
        bench = Bench(card, companion, Path(name))
        rows: list[dict[str, float]] = []
        commands, stops, plainly = [], [], []
        for question in TEN_QUESTIONS:
            said = read_audio(spoken_wav(question.text, "en-us", Path(name) / "said.wav"))
            plainly.append(plain(companion, bench.headless.episode_id, said))
            done = bench.ask(question.text)
            if done is not None and "sounding" in done[0].times:
                attempt, latency, stopped, start = done
                rows.append({"latency": latency, **{stage: at - start for stage, at in attempt.times.items()}})
                stops.append(stopped)
                if (stopped_ := bench.interrupt()) is not None:
                    stops.append(stopped_)
            bench.quiet()
        for text in COMMANDS:
            done = bench.ask(text)
            if done is not None and done[0].command is not None:
                commands.append(done[1])
            bench.quiet()
        bench.close()
        companion.close()
    stages = ("may be over", "decoded", "found", "synthesised", "over", "sounding", "latency")
    return {
        "model": model, "answered": len(rows),
        "stages": {stage: statistics.median(row[stage] for row in rows if stage in row) for stage in stages},
        "p95": float(np.percentile([row["latency"] for row in rows], 95)),
        "commands": statistics.median(commands) if commands else None, "commands heard": len(commands),
        "stops after": statistics.median(stops), "stops after at most": max(stops),
        "plain": statistics.median(plainly), "load": os.getloadavg()[0],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["tiny", *SHAPES], default="tiny")
    parser.add_argument("--library", type=Path, help="data folder with the demo in it, which is made anew without")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for card in running_card():
        found = measure(card, given.model, given.library)
        if given.json:
            print(json.dumps(found, indent=1))
            return
        print(f"{given.model}: {found['answered']} of 10 questions, seconds after the end of speech (medians)")
        for stage, seconds in found["stages"].items():
            print(f"  {stage:12} {seconds:6.2f}")
        print(f"  latency p95  {found['p95']:6.2f}   plain sequence {found['plain']:.2f} (before the device)")
        print(f"  commands     {found['commands']:6.2f}   ({found['commands heard']} of {len(COMMANDS)} understood)")
        print(f"  silence      {found['stops after']:6.2f}   after somebody was noticed (at most "
              f"{found['stops after at most']:.2f}); other load {found['load']:.1f}")


if __name__ == "__main__":
    main()
