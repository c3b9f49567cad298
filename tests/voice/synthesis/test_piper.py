# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaking through piper with the packaged voice, and fetching others from a hub on the loopback interface."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub import Hub, running_hub
from voice.audio import join
from voice.errors import DownloadError, SettingsError, SpeakingError
from voice.synthesis.piper import (
    PACKAGED_VOICE,
    PiperSpeaking,
    Speaking,
    Voices,
    choose_voice,
    download_voice,
    load_voice,
    present_voices,
    voice_digests,
    voice_origin,
    voices_by_language,
    wanted_voices,
)  # fmt: skip
from voice.weights import JOE

LESSAC = "en_US-lessac-medium"
assert JOE.path is not None, JOE.remedy
MADE = JOE.path


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaking]:
    """The voice that speaks unless another is chosen."""
    speaking = load_voice(PACKAGED_VOICE, Path("nowhere"))
    yield speaking
    speaking.close()


def put(folder: Path, name: str = LESSAC) -> Path:
    """Lay the packaged voice into a folder as if it were another one."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(MADE / f"{PACKAGED_VOICE}.onnx.json", folder / f"{name}.onnx.json")
    return Path(shutil.copy(MADE / f"{PACKAGED_VOICE}.onnx", folder / f"{name}.onnx"))


def test_sentences_arrive_one_after_the_other(speaker: Speaking) -> None:
    heard = list(speaker.speak("One sentence. Another one! A third?"))
    assert len(heard) >= 3 and all(part.rate == speaker.rate for part in heard)
    assert 1.5 < join(heard).seconds < 7


def test_the_first_sentence_does_not_wait_for_the_others(speaker: Speaking) -> None:
    endless = "And so it goes on. " * 20_000
    first = next(iter(speaker.speak(endless)))
    assert 0.5 < first.seconds < 3


def test_what_is_not_speech_is_not_spoken(speaker: Speaking) -> None:
    assert [list(speaker.speak(text)) for text in ("", "  \n", "...", "🎉", "\ud800")] == [[]] * 5
    bare, marked = (join(list(speaker.speak(text))) for text in ("The bold word.", "# The **bold** word. 🎉"))
    assert bare.seconds == pytest.approx(marked.seconds, rel=0.35)  # a voice never says a thing twice alike


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_sound_or_nothing(speaker: Speaking, text: str) -> None:
    for part in speaker.speak(text):
        assert part.samples.dtype == np.float32 and part.samples.ndim == 1
        assert np.isfinite(part.samples).all() and np.abs(part.samples).max(initial=0) <= 1


@pytest.mark.long
def test_speed_changes_the_length_and_not_the_pitch_or_the_level() -> None:
    text = "The master asked what the apprentice had seen at the mill."
    usual, quick, slow = (join(list(load_voice(PACKAGED_VOICE, MADE, speed).speak(text))) for speed in (1.0, 1.5, 0.7))
    assert 0.6 < quick.seconds / usual.seconds < 0.8 and 1.25 < slow.seconds / usual.seconds < 1.5
    assert np.std(quick.samples) == pytest.approx(np.std(slow.samples), rel=0.25)


def test_a_closed_voice_says_so(tmp_path: Path) -> None:
    speaking = load_voice(PACKAGED_VOICE, tmp_path)
    speaking.close()
    with pytest.raises(SpeakingError, match="closed"):
        next(iter(speaking.speak("Hello.")))


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (PACKAGED_VOICE, f"Piper {PACKAGED_VOICE}"),
        (str(MADE / f"{PACKAGED_VOICE}.onnx"), f"Piper {PACKAGED_VOICE}"),
        (LESSAC, f"Piper {LESSAC}"),
    ],
)
def test_every_kind_of_reference_finds_its_voice(ref: str, name: str, tmp_path: Path) -> None:
    put(tmp_path)
    speaking = load_voice(ref, tmp_path)
    assert speaking.name == name and isinstance(speaking, PiperSpeaking)
    assert join(list(speaking.speak("Hello there."))).seconds > 0.5


def test_a_voice_that_was_never_fetched_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(SpeakingError, match=f"earmark models get {LESSAC}"):
        load_voice(LESSAC, tmp_path)


@pytest.mark.parametrize("ref", ["", "robot", "builtin:female", "../../etc/passwd", "en_US-lessac"])
def test_an_unknown_name_lists_what_there_is(ref: str, tmp_path: Path) -> None:
    with pytest.raises(SpeakingError, match="Choose auto"):
        load_voice(ref, tmp_path)


def test_a_file_that_is_missing_alone_or_broken_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SpeakingError, match="no voice file"):
        load_voice(str(tmp_path / "none.onnx"), tmp_path)
    model = put(tmp_path)
    config = model.with_name(model.name + ".json")
    good = config.read_text("utf-8")
    config.unlink()
    with pytest.raises(SpeakingError, match=config.name):
        load_voice(str(model), tmp_path)
    for broken in ("not json", "{}", "[]", json.dumps(json.loads(good) | {"audio": {}})):
        config.write_text(broken, encoding="utf-8")
        with pytest.raises(SpeakingError, match="cannot be loaded"):
            load_voice(str(model), tmp_path)
    config.write_text(good, encoding="utf-8")
    whole = model.read_bytes()
    for torn in (b"", b"no model", whole[: len(whole) // 2]):
        model.write_bytes(torn)
        with pytest.raises(SpeakingError, match="cannot be loaded"):
            load_voice(str(model), tmp_path)


def test_a_model_that_is_no_voice_is_refused_at_loading(tmp_path: Path) -> None:
    """A description with ids that the model does not have fails with the first word, not in the middle of an answer."""
    model = put(tmp_path)
    config = model.with_name(model.name + ".json")
    described = json.loads(config.read_text("utf-8"))
    described["phoneme_id_map"] = {phone: [9999] for phone in described["phoneme_id_map"]}
    config.write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(SpeakingError):
        load_voice(str(model), tmp_path)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with running_hub() as running:
        yield running


def test_a_fetched_voice_speaks(hub: Hub, tmp_path: Path) -> None:
    seen: list[float] = []
    path = download_voice(LESSAC, tmp_path / "voices", seen.append)
    assert seen[-1] == 1.0 and seen == sorted(seen)
    assert voice_digests(path)[f"{LESSAC}.onnx"] == JOE.digests[f"{PACKAGED_VOICE}.onnx"]
    assert "from the hub's rhasspy/piper-voices" in voice_origin(path)
    assert list(load_voice(LESSAC, tmp_path / "voices").speak("Hello."))
    assert present_voices(tmp_path / "voices") == [LESSAC]
    asked = len(hub.asked)
    assert download_voice(LESSAC, tmp_path / "voices") == path
    assert len(hub.asked) == asked


def test_a_voice_that_was_put_there_is_not_fetched(hub: Hub, tmp_path: Path) -> None:
    path = put(tmp_path)
    assert download_voice(LESSAC, tmp_path) == path
    assert hub.asked == []


def test_a_voice_that_nobody_publishes_is_not_found(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="has no voice en_US-nobody-medium"):
        download_voice("en_US-nobody-medium", tmp_path)


def test_a_page_in_place_of_the_hub_is_told(hub: Hub, tmp_path: Path) -> None:
    hub.page = b"<html>Please log in</html>"
    with pytest.raises(DownloadError, match="not as a model hub does"):
        download_voice(LESSAC, tmp_path)


def test_a_fetched_voice_that_was_damaged_is_refused(hub: Hub, tmp_path: Path) -> None:
    file = download_voice(LESSAC, tmp_path).resolve()
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(SpeakingError, match="is not the published file"):
        load_voice(LESSAC, tmp_path)


@pytest.mark.parametrize("name", ["lessac", "en_US-lessac", "../en_US-lessac-medium", "en_US-a/b-medium"])
def test_a_name_that_no_voice_can_have_asks_nobody(name: str, hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(SpeakingError, match="not the name"):
        download_voice(name, tmp_path)
    assert hub.asked == []


def test_without_network_the_way_by_hand_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError) as caught:
        download_voice(LESSAC, tmp_path)
    assert str(tmp_path) in caught.value.hint


@pytest.mark.parametrize(
    ("setting", "present", "voice"),
    [
        ("auto", [], PACKAGED_VOICE),
        ("auto", [LESSAC], LESSAC),
        ("auto", ["de_DE-thorsten-high", LESSAC], LESSAC),
        ("auto", ["de_DE-thorsten-high"], PACKAGED_VOICE),
        (LESSAC, [], PACKAGED_VOICE),
        (LESSAC, [LESSAC], LESSAC),
        (PACKAGED_VOICE, [LESSAC], PACKAGED_VOICE),
        ("/a/voice.onnx", [LESSAC], "/a/voice.onnx"),
    ],
)
def test_the_voice_that_a_setting_means(setting: str, present: list[str], voice: str) -> None:
    assert choose_voice(setting, present) == voice


THORSTEN, SIWIS = "de_DE-thorsten-medium", "fr_FR-siwis-medium"


@pytest.mark.parametrize(
    ("setting", "usual", "languages"),
    [
        ("auto", "auto", {}),
        ("", "auto", {}),
        (f"{LESSAC}, de={THORSTEN}", LESSAC, {"de": THORSTEN}),
        (f"de = {THORSTEN},fr=/voices/own.onnx", "auto", {"de": THORSTEN, "fr": "/voices/own.onnx"}),
    ],
)
def test_a_setting_may_name_voices_for_languages(setting: str, usual: str, languages: dict[str, str]) -> None:
    assert wanted_voices(setting) == Voices(usual, languages)


def test_two_voices_for_no_language_are_refused_with_how_to_name_them() -> None:
    with pytest.raises(SettingsError, match="names two voices") as refused:
        wanted_voices(f"{LESSAC}, {THORSTEN}")
    assert "de=de_DE-thorsten-medium" in refused.value.hint


@pytest.mark.parametrize(
    ("setting", "present", "usual", "found"),
    [
        ("auto", [], PACKAGED_VOICE, {}),
        ("auto", [THORSTEN, LESSAC], LESSAC, {"de": THORSTEN}),
        (PACKAGED_VOICE, [THORSTEN], PACKAGED_VOICE, {}),
        (f"auto, de={THORSTEN}, fr={SIWIS}", [THORSTEN], PACKAGED_VOICE, {"de": THORSTEN}),
        (f"{THORSTEN}, de={THORSTEN}", [THORSTEN], THORSTEN, {}),
    ],
)
def test_each_language_has_the_voice_that_is_here_for_it(
    setting: str, present: list[str], usual: str, found: dict[str, str]
) -> None:
    assert voices_by_language(wanted_voices(setting), present, usual) == found
