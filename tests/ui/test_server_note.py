# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the server is: said by one that lives, to nobody but the owner, and not after its end."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ui import server_note
from ui.cli.client import running
from ui.server_note import ServerNote
from voice.errors import SettingsError

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from ui.server_note import ServerNote
from ui.web.server import _until_told
with _until_told(), ServerNote.held(Path(sys.argv[1])) as note, note.written("http://127.0.0.1:9", "secret"):
    print("here", flush=True)
    time.sleep(60)
"""


def holding(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    return process


def test_the_note_goes_with_the_server_however_it_ends(tmp_path):
    process = holding(tmp_path)
    there = server_note.running_server(tmp_path)
    assert there is not None
    assert there.token == "secret"
    assert (tmp_path / "server.json").stat().st_mode & 0o077 == 0
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert not (tmp_path / "server.json").exists()
    process = holding(tmp_path)
    process.kill()
    process.wait(30)
    assert (tmp_path / "server.json").exists(), "nobody could take it away"
    assert server_note.running_server(tmp_path) is None, "and nobody believes it"


def test_whoever_listens_at_an_old_address_is_not_shown_the_token(tmp_path, monkeypatch):
    (tmp_path / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:9", "pid": 1, "token": "secret"}))
    monkeypatch.setattr("ui.cli.client.Server.answers", lambda self: pytest.fail("the token was sent"))
    assert running(tmp_path) is None


def test_one_folder_has_one_server(tmp_path):
    with ServerNote.held(tmp_path), pytest.raises(SettingsError, match="running already"), ServerNote.held(tmp_path):
        pass
    with ServerNote.held(tmp_path):
        pass
