# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking in as a person sees it: follow it, stop it, go on, and leave it to the server."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from time import sleep, time
from typing import Any

import pytest
from click.testing import CliRunner, Result

from episodes.ingest import submit
from episodes.model import Source, State, Step, StepState
from episodes.store import jobs
from episodes.store.library import Library
from tests.conftest import ROOT, RunningServer
from tests.episodes import killing
from tests.ui.cli.test_main import earmark
from ui.cli.main import main
from ui.cli.progress import steps_on_terminal
from voice.audio import HEARING_RATE, join, read_audio, silence, write_wav

HEARS = "faster-whisper tiny.en"
SPOKEN = ("What is a keel?", "A keel is a weight under a ship.", "It keeps the ship upright in the wind.",
          "Without a keel the ship falls over.")  # fmt: skip


def call(server: RunningServer, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        server.url + path, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.load(reply)


def test_the_server_has_what_was_added_taken_in(server: RunningServer, tmp_path: Path) -> None:
    keels = tmp_path / "keels.srt"
    keels.write_text("".join(
        f"{number + 1}\n00:00:{7 * number:02},000 --> 00:00:{7 * number + 7:02},000\n{text}\n\n"
        for number, text in enumerate(SPOKEN)
    ))  # fmt: skip
    library = Library.open(server.data_dir)
    far = submit.enqueue(library, Source("Far away", address="https://example.org/a.mp3"), jobs.BY_HAND)
    jobs.Queue(library.database).cancel(far.id)
    try:
        added = earmark("add", keels, "--json", data_dir=server.data_dir)
        assert added.returncode == 0, added.stderr
        assert "indexed done" in added.stderr
        assert json.loads(added.stdout)[0]["ready"]
        (work,) = call(server, "/api/status")["work"]
        assert work == {
            "episode": far.id, "title": "Far away", "state": "cancelled", "step": "fetched", "fraction": 0.0,
            "eta": None, "before": 0, "reason": "",
        }  # fmt: skip
        assert call(server, f"/api/episodes/{far.id}/work", {"do": "first"}) == [work]
        with pytest.raises(urllib.error.HTTPError, match="400"):
            call(server, f"/api/episodes/{far.id}/work", {"do": "cancel"})
        with pytest.raises(urllib.error.HTTPError, match="422"):
            call(server, f"/api/episodes/{far.id}/work", {"do": "format the disk"})
        # the process that waits did none of the work: the server's has the models
        assert any(f"--data-dir {server.data_dir} work --idle" in line for line in processes())
    finally:
        library.remove(far.id)
        earmark("remove", "keels", data_dir=server.data_dir)
    assert call(server, "/api/status")["work"] == []


def processes() -> list[str]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(file.read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.long
@pytest.mark.timeout(300)  # a process that loads its models, on a machine that may be busy
def test_ctrl_c_says_how_to_go_on_and_cancel_how_to_forget(tmp_path: Path) -> None:
    # five minutes of nothing are a first piece that nobody has to decode; the speech after it takes long
    speech = read_audio(killing.speech(tmp_path / "speech.wav", 12), HEARING_RATE)
    audio = tmp_path / "keels.wav"
    write_wav(audio, join([silence(302, HEARING_RATE), speech]))
    folder = tmp_path / "earmark"
    command = [sys.executable, "-m", "ui.cli", "--data-dir", str(folder), "add", str(audio)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"EARMARK_HEARING": "tiny.en"},
        stderr=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored where the tests run in background
    )  # fmt: skip
    library = Library.open(folder)
    while not any(library.pieces(episode.id, HEARS) for episode in library.episodes()):
        assert process.poll() is None
        sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Stopped. What was finished is kept. The same command goes on from there" in said
    assert "Traceback" not in said
    (episode,) = library.episodes()
    assert f"earmark remove {episode.id}" in said

    def asked(*words: str) -> Result:
        return CliRunner().invoke(main, ["--data-dir", str(folder), *words])

    (work,) = json.loads(asked("jobs", "--json").stdout)
    assert (work["state"], work["step"]) == ("waiting", "transcribed")
    assert f"earmark retry {episode.id}" in asked("cancel", "keels").stdout
    assert "cancelled" in asked("jobs").stdout
    twice = asked("cancel", "keels")
    assert twice.exit_code == 1 and "no work on" in twice.stderr
    assert "waits for" in asked("retry", "keels", "--no-wait").stdout
    assert library.pieces(episode.id, HEARS)
    assert jobs.Queue(library.database).waits(time())


def test_progress_on_a_pipe_is_a_line_a_step(capfd: pytest.CaptureFixture[str]) -> None:
    from episodes.model import Episode

    episode = Episode("a", "A")
    with steps_on_terminal("A", lambda episode: 130.0) as on_step:
        on_step(episode, StepState(Step.FETCHED, State.RUNNING, 0.5))
        on_step(episode, StepState(Step.FETCHED, State.DONE, 1.0))
        on_step(episode, StepState(Step.TRANSCRIBED, State.FAILED, 0.5, "It is silent."))
    assert capfd.readouterr().err.splitlines() == ["A: fetched done", "A: transcribed failed It is silent."]
