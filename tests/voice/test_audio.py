# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from voice.audio import Audio, from_pcm16, join, pcm16, read_audio, silence, wav_bytes, write_wav
from voice.errors import AudioError


def tone(hertz: float, seconds: float, rate: int) -> Audio:
    return Audio((0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32), rate)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_another_rate_is_the_same_sound_of_the_same_length(rate):
    changed = tone(440, 1.0, rate).at_rate(16_000)
    assert (changed.rate, len(changed.samples)) == (16_000, 16_000)
    middle = slice(2_000, 14_000)
    assert np.corrcoef(changed.samples[middle], tone(440, 1.0, 16_000).samples[middle])[0, 1] > 0.999


def test_what_is_written_reads_back(tmp_path):
    sound, path = tone(330, 0.7, 16_000), tmp_path / "x.wav"
    write_wav(path, sound)
    back = read_audio(path, 16_000)
    assert np.abs(back.samples - sound.samples).max() < 1e-3


def test_samples_survive_the_wire():
    sound = tone(330, 0.1, 16_000)
    assert np.abs(from_pcm16(pcm16(sound.samples).tobytes() + b"\0", 16_000).samples - sound.samples).max() < 1e-4


def test_a_playlist_cannot_make_it_open_other_files(tmp_path):
    (tmp_path / "secret.wav").write_bytes(wav_bytes(tone(440, 1.0, 16_000)))
    for name, text in (
        ("list.mp3", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n"),
        ("concat.mp3", "ffconcat version 1.0\nfile secret.wav\n"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(AudioError, match=name):
            read_audio(tmp_path / name)


def test_what_is_too_long_is_refused_while_it_is_read(tmp_path):
    write_wav(tmp_path / "long.wav", silence(3.0, 16_000))
    with pytest.raises(AudioError, match="longer than 2 seconds"):
        read_audio(tmp_path / "long.wav", longest=2.0)


def test_parts_of_different_rates_are_not_joined():
    with pytest.raises(ValueError, match="rates"):
        join([silence(1, 16_000), silence(1, 8_000)])
