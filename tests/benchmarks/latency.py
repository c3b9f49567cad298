# SPDX-License-Identifier: GPL-3.0-or-later
"""From the end of a spoken question to the first audible sample of the answer, on a real sound server, by stage.

    python -m tests.benchmarks.latency [--model tiny|tiny.en|base.en] [--json]

Ten questions and six commands are spoken into the microphone of a PulseAudio server of our own; microphone and
loudspeaker are recorded, and the latency is read from the recordings. For tiny.en and base.en the tests' tiny Whisper
still gives the text, after a model of the true shape with random weights did a true model's work (the encoder, and 14
tokens with a beam of 2), so what is shown is a little more than the true model takes. The plain sequence (wait 0.55 s,
decode, search, synthesise all, play) is run on the same sounds in the same process.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.model import Question
from tests.conftest import TINY_WHISPER
from tests.demo import TEN_QUESTIONS, spoken_wav
from tests.soundcard import SoundCard, running_card
from voice.audio import Audio, read_audio
from voice.words import Bias, Heard

SHAPES = {"tiny.en": (384, 4, 6), "base.en": (512, 6, 8)}
COMMANDS = ("Go back thirty seconds.", "Faster.", "Louder.", "Next topic.", "Go back to where I was.", "Play.")


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
    """Seconds of the plain sequence to the beginning of the sound, without the devices."""
    began = time.monotonic()
    text = companion.hear(said, episode).text
    answer = companion.ask(Question(text, episode))
    list(companion.speak(answer.text))
    return 0.55 + time.monotonic() - began


def measure(card: SoundCard, model: str) -> dict[str, Any]:
    from ui.app import Companion
    from ui.config import Settings
    from ui.headless import Headless

    with tempfile.TemporaryDirectory() as name:
        companion = Companion(Settings(data_dir=Path(name) / "earmark", hearing=str(TINY_WHISPER)))
        companion.add_demo()
        if model in SHAPES:
            companion.engines._hearing = Weighed(companion.engines.hearing, model)
        attempts: list[Any] = []
        headless = Headless(companion, on_turn=attempts.append)
        headless.open(play=False)
        companion.warm(headless.episode_id)
        thread = threading.Thread(target=headless.run)
        thread.start()
        time.sleep(1.5)
        rows: list[dict[str, float]] = []
        commands, barge, plainly = [], [], []
        player = headless.player
        for text in [question.text for question in TEN_QUESTIONS] + list(COMMANDS):
            path = spoken_wav(text, "en-us", Path(name) / "said.wav")
            command = text in COMMANDS
            if not command:
                plainly.append(plain(companion, headless.episode_id, read_audio(path)))
            with card.listen("mic") as heard, card.listen() as ear:
                skew = ear.now - heard.now
                before = len(attempts)
                card.play(path)
                wait = time.monotonic() + 6
                while len(attempts) == before and time.monotonic() < wait:
                    time.sleep(0.005)
                while not (player.speaking or player.playing) and time.monotonic() < wait:
                    time.sleep(0.005)
                time.sleep(0.5)
                end = float(np.flatnonzero(np.abs(heard.heard().samples) > 0.02)[-1]) / heard.rate + skew
                loud = np.flatnonzero(np.abs(ear.heard(end).samples) > 0.005)
                now = time.monotonic()
                if len(attempts) > before and not command and player.speaking:
                    mark = ear.now
                    player.hold()
                    time.sleep(0.35)
                    left = np.flatnonzero(np.abs(ear.heard(mark).samples) > 0.005)
                    barge.append(float(left[-1]) / ear.rate if len(left) else 0.0)
            if len(attempts) > before and len(loud):
                latency = float(loud[0]) / ear.rate
                times = attempts[-1].times
                if command and attempts[-1].command is not None:
                    commands.append(latency)
                elif not command and "sounding" in times:
                    start = now - (ear.now - end)
                    rows.append({"latency": latency, **{stage: at - start for stage, at in times.items()}})
            headless.press("s")
            time.sleep(0.3)
            player.pause()
            player.hush()
            time.sleep(0.3)
        headless.stop()
        thread.join()
        companion.close()
    stages = ("may be over", "decoded", "found", "synthesised", "over", "sounding", "latency")
    return {
        "model": model, "answered": len(rows),
        "stages": {stage: statistics.median(row[stage] for row in rows if stage in row) for stage in stages},
        "p95": float(np.percentile([row["latency"] for row in rows], 95)),
        "commands": statistics.median(commands) if commands else None, "commands heard": len(commands),
        "stops after": max(barge, default=None), "plain": statistics.median(plainly),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["tiny", *SHAPES], default="tiny")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for card in running_card():
        found = measure(card, given.model)
        if given.json:
            print(json.dumps(found, indent=1))
            return
        print(f"{given.model}: {found['answered']} of 10 questions, seconds after the end of speech (medians)")
        for stage, seconds in found["stages"].items():
            print(f"  {stage:12} {seconds:6.2f}")
        print(f"  latency p95  {found['p95']:6.2f}   plain sequence {found['plain']:.2f} (before the device)")
        print(f"  commands     {found['commands']}   ({found['commands heard']} of {len(COMMANDS)} understood)")
        print(f"  sound stops at most {found['stops after']} s after it is told to")


if __name__ == "__main__":
    main()
