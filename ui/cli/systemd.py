# SPDX-License-Identifier: GPL-3.0-or-later
"""``earmark listen`` and ``earmark serve`` as services of the user's own systemd, so that they are there after a power
cut."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ui.settings import CONFIG_VARIABLE
from voice.errors import EarmarkError, from_os_error

UNIT_FILES = {"listen": "earmark-listen.service", "serve": "earmark-serve.service"}
"""The units, by the command that each runs."""

_UNIT = """\
[Unit]
Description=Earmark, the voice companion for podcasts
After=pipewire.service pulseaudio.service sound.target network-online.target

[Service]
{environment}ExecStart={command}
Restart=always
RestartSec=5

[Install]
WantedBy=default.target
"""


def unit_file(command: str = "listen") -> Path:
    """Where the unit of a command lies: ``$XDG_CONFIG_HOME/systemd/user``."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "systemd" / "user" / UNIT_FILES[command]


def unit(words: list[str]) -> str:
    """The text of the unit that runs ``earmark`` with these words."""
    command = [sys.executable, "-m", "ui.cli", *words]
    config = os.environ.get(CONFIG_VARIABLE)
    given = f"{CONFIG_VARIABLE}={Path(config).absolute()}" if config else ""
    environment = f"Environment={_quoted(given)}\n" if given else ""
    return _UNIT.format(command=" ".join(_quoted(word) for word in command), environment=environment)


def install(words: list[str], command: str = "listen") -> Path:
    """Write the unit of a command, start it, and let it start by itself. Raises EarmarkError without systemd."""
    _program()
    path = unit_file(command)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit(words), "utf-8")
    except OSError as error:
        raise from_os_error(error, f"write {path}") from error
    _systemctl("daemon-reload")
    _systemctl("enable", "--now", UNIT_FILES[command])
    return path


def status(command: str = "listen") -> str:
    """One line: whether it is installed, and what systemd says of it."""
    if not unit_file(command).exists():
        return "not installed"
    return _systemctl("is-active", UNIT_FILES[command], check=False) or "unknown"


def remove(command: str = "listen") -> bool:
    """Stop it and take the unit away; False when there was none."""
    path = unit_file(command)
    if not path.exists():
        return False
    _systemctl("disable", "--now", UNIT_FILES[command], check=False)
    path.unlink()
    _systemctl("daemon-reload", check=False)
    return True


def _quoted(word: str) -> str:
    """A word of ExecStart: systemd expands % and $, and splits at blanks."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or not word or any(letter.isspace() for letter in word) else word


def _program() -> str:
    program = shutil.which("systemctl")
    if program is None:
        hint = "Start 'earmark listen' or 'earmark serve' by your own init system."
        raise EarmarkError("There is no systemd on this machine.", hint)
    return program


def _systemctl(*words: str, check: bool = True) -> str:
    """What ``systemctl --user`` says."""
    done = subprocess.run([_program(), "--user", *words], capture_output=True, text=True, check=False)  # noqa: S603
    if check and done.returncode:
        raise EarmarkError(
            f"systemctl --user {' '.join(words)} failed: {done.stderr.strip().rstrip('.')}.",
            "Log in as the user who shall hear it (not with sudo or su), then run the command again.",
        )
    return done.stdout.strip()
