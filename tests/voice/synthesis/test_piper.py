# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaking through piper with the built-in voices, and fetching others from a server on the loopback interface."""

import itertools
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voice
from voice.audio import join
from voice.errors import DownloadError, SpeakingError
from voice.synthesis.piper import PiperSpeaking, Speaking, download_voice, load_voice

MADE = Path(voice.__file__).parent / "synthesis" / "voices"
LESSAC = "en_US-lessac-medium"


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaking]:
    """The voice that speaks unless another is chosen."""
    speaking = load_voice("builtin", Path("nowhere"))
    yield speaking
    speaking.close()


def put(folder: Path, name: str = LESSAC) -> Path:
    """Lay a built-in voice into a folder as if it were a published one."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(MADE / "female.onnx.json", folder / f"{name}.onnx.json")
    return Path(shutil.copy(MADE / "female.onnx", folder / f"{name}.onnx"))


def test_sentences_arrive_one_by_one(speaker: Speaking) -> None:
    heard = list(speaker.speak("One sentence. Another one! A third?"))
    assert len(heard) == 3 and all(0.4 < part.seconds < 3 and part.rate == speaker.rate for part in heard)


def test_the_first_sentence_does_not_wait_for_the_others(speaker: Speaking) -> None:
    endless = "And so it goes on. " * 20_000
    first = next(iter(speaker.speak(endless)))
    assert 0.5 < first.seconds < 3


def test_what_is_not_speech_is_not_spoken(speaker: Speaking) -> None:
    assert [list(speaker.speak(text)) for text in ("", "  \n", "...", "🎉", "\ud800")] == [[]] * 5
    bare, marked = (join(list(speaker.speak(text))) for text in ("The bold word.", "# The **bold** word. 🎉"))
    assert np.array_equal(bare.samples, marked.samples)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_sound_or_nothing(speaker: Speaking, text: str) -> None:
    for part in speaker.speak(text):
        assert part.samples.dtype == np.float32 and part.samples.ndim == 1
        assert np.isfinite(part.samples).all() and np.abs(part.samples).max(initial=0) <= 1


def test_speed_changes_the_length_and_not_the_pitch_or_the_level() -> None:
    text = "The master asked what the apprentice had seen at the mill."
    usual, quick, slow = (join(list(load_voice("builtin", MADE, speed).speak(text))) for speed in (1.0, 1.5, 0.7))
    assert 0.6 < quick.seconds / usual.seconds < 0.8 and 1.25 < slow.seconds / usual.seconds < 1.5
    assert np.std(quick.samples) == pytest.approx(np.std(slow.samples), rel=0.25)


def test_a_closed_voice_says_so(tmp_path: Path) -> None:
    speaking = load_voice("builtin:male", tmp_path)
    speaking.close()
    with pytest.raises(SpeakingError, match="closed"):
        next(iter(speaking.speak("Hello.")))


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ("builtin", "built-in voice (female)"),
        ("builtin:female", "built-in voice (female)"),
        ("builtin:male", "built-in voice (male)"),
        (str(MADE / "male.onnx"), "Piper male"),
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


@pytest.mark.parametrize("ref", ["", "robot", "builtin:child", "../../etc/passwd", "en_US-lessac"])
def test_an_unknown_name_lists_what_there_is(ref: str, tmp_path: Path) -> None:
    with pytest.raises(SpeakingError, match="builtin:male"):
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
def hub(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server with the folders of the published voices: its address and its folder for the lessac voice."""
    folder = tmp_path / "hub" / "en" / "en_US" / "lessac" / "medium"
    put(folder)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Keep the test's output quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "hub"))) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}", folder
        http.shutdown()
        thread.join()


def test_a_fetched_voice_speaks(hub: tuple[str, Path], tmp_path: Path) -> None:
    seen: list[float] = []
    folder = tmp_path / "models" / "synthesis" / "voices"
    path = download_voice(LESSAC, folder, seen.append, hub[0])
    assert path == folder / f"{LESSAC}.onnx" and seen[-1] == 1.0 and all(a <= b for a, b in itertools.pairwise(seen))
    assert {file.name for file in folder.iterdir()} == {f"{LESSAC}.onnx", f"{LESSAC}.onnx.json"}
    assert list(load_voice(LESSAC, folder).speak("Hello."))


def test_a_voice_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    path = put(tmp_path)
    assert download_voice(LESSAC, tmp_path, base_url="http://127.0.0.1:1") == path


def test_a_voice_that_nobody_publishes_is_not_found(hub: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404"):
        download_voice("en_US-nobody-medium", tmp_path / "v", base_url=hub[0])
    assert list((tmp_path / "v").iterdir()) == []


def test_a_page_in_place_of_a_description_is_not_kept(hub: tuple[str, Path], tmp_path: Path) -> None:
    (hub[1] / f"{LESSAC}.onnx.json").write_text("<html>Please log in</html>")
    with pytest.raises(DownloadError, match="not the description"):
        download_voice(LESSAC, tmp_path / "v", base_url=hub[0])
    assert list((tmp_path / "v").iterdir()) == []


@pytest.mark.parametrize("name", ["lessac", "en_US-lessac", "../en_US-lessac-medium", "en_US-a/b-medium"])
def test_a_name_that_no_voice_can_have_asks_nobody(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpeakingError, match="not the name"):
        download_voice(name, tmp_path, base_url="http://127.0.0.1:1")


def test_without_network_the_way_by_hand_is_named(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError) as caught:
        download_voice(LESSAC, tmp_path, base_url=f"http://127.0.0.1:{port}")
    assert str(tmp_path) in caught.value.hint
