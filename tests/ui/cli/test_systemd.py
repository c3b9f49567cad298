# SPDX-License-Identifier: GPL-3.0-or-later
"""The service: a unit of the user's own, judged by a stand-in for systemctl that writes down what it is told."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ui.cli import systemd
from ui.cli.main import main
from voice.errors import EarmarkError


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n[ "$2" = is-active ] && echo active; exit 0\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "told"


def test_install_status_remove(systemctl: Path) -> None:
    assert systemd.status() == "not installed"
    path = systemd.install(["--data-dir", "/home/me/my pods", "listen", "--paused"])
    text = path.read_text()
    assert f'ExecStart={sys.executable} -m ui.cli --data-dir "/home/me/my pods" listen --paused' in text
    assert "Restart=always" in text and "RestartSec=5" in text and "WantedBy=default.target" in text
    assert systemd.status() == "active"
    assert systemd.remove()
    assert not path.exists() and not systemd.remove()
    told = systemctl.read_text()
    assert "--user enable --now earmark-listen.service" in told
    assert "--user disable --now earmark-listen.service" in told


def test_systemd_expands_nothing() -> None:
    assert '"100%%" "$$HOME" "a\\"b"' in systemd.unit(["100%", "$HOME", 'a"b'])


def test_without_systemd_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(EarmarkError, match="no systemd"):
        systemd.install([])
    assert systemd.status() == "not installed"


def test_it_is_installed_with_what_was_given_and_the_settings_file(
    systemctl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "my config.toml"
    config.write_text("duck = true")
    monkeypatch.setenv("EARMARK_CONFIG", str(config))
    done = CliRunner().invoke(
        main, ["--data-dir", str(tmp_path), "service", "install", "--wake", "word", "--wake-model", "okay_nabu",
               "--no-duck", "--play"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "enable-linger" in done.output
    text = systemd.unit_file().read_text()
    assert f'Environment="EARMARK_CONFIG={config}"' in text
    assert "listen --wake word --wake-model okay_nabu --no-duck\n" in text


def test_the_server_is_a_service_too(systemctl: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    done = runner.invoke(main, ["--data-dir", str(tmp_path), "service", "install", "--serve"])
    assert done.exit_code == 0, done.output
    assert f"--data-dir {tmp_path} serve --no-open\n" in systemd.unit_file("serve").read_text()
    assert "earmark serve: active" in runner.invoke(main, ["service", "status"]).output
    assert runner.invoke(main, ["service", "install", "--serve", "--wake", "key"]).exit_code == 2
    assert "Removed" in runner.invoke(main, ["service", "remove", "--serve"]).output
    assert "enable --now earmark-serve.service" in systemctl.read_text()
