# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house, as tests: which room may import what, and that every command is documented."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest
from msgspec.structs import fields

from episodes.transcripts.reader import PROSE, SUFFIXES
from ui.cli.main import main
from ui.settings import Settings

ROOT = Path(__file__).parents[1]
ROOMS = ("voice", "episodes", "retrieval", "ui")
SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]

ONLY_IN = {
    "sounddevice": {"voice/devices/sound_devices.py"},
    "gradio": {"ui/web/page.py", "ui/web/server.py"},
    "httpx": {
        "voice/resumable_download.py", "episodes/sources/http.py", "episodes/sources/ssrf_guard.py",
        "retrieval/answers/llm.py",
        "voice/devices/home_assistant.py", "ui/home/webhooks.py",
    },
    "mpd": {"voice/devices/mpd_player.py"},
    "urllib.request": {"ui/cli/client.py"},
    "huggingface_hub": {"voice/hub.py"},
    "requests": set(),
    "torch": {"retrieval/finding/sentences/cross_encoder.py", "retrieval/index/sentence_model.py"},
    "sentence_transformers": {"retrieval/finding/sentences/cross_encoder.py", "retrieval/index/sentence_model.py"},
    "mygpoclient": set(),
    "wyoming": {
        "voice/wyoming_client.py", "voice/recognition/remote_recognition.py",
        "voice/synthesis/remote_synthesis.py", "voice/turns/remote_wake.py",
        "ui/cli/doctor.py", "ui/home/wyoming/frames.py", "ui/home/wyoming/hass_intents.py",
        "ui/home/wyoming/service_info.py",
        "ui/home/wyoming/wyoming_service.py", "ui/home/wyoming/wyoming_connection.py",
    },
    "zeroconf": {"ui/home/wyoming/announcing.py", "ui/home/wyoming/wyoming_service.py"},
}
"""Modules that reach devices or the network, or take seconds to import, and the files that may import them."""

HEAVY = ("torch", "gradio", "faster_whisper", "sentence_transformers", "piper", "huggingface_hub", "sounddevice", "av")


@cache
def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("module", ONLY_IN)
def test_devices_and_network_have_one_door_each(module):
    users = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if any(name == module or name.startswith(module + ".") for name in imports(path))
    }
    assert users <= ONLY_IN[module]


def test_the_command_line_starts_without_the_heavy_packages():
    code = f"import sys, ui.cli.main, ui.settings, ui.cli.client; print([m for m in {HEAVY!r} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def commands(group: click.Group, prefix: str = "earmark") -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name, command in group.commands.items():
        inner = commands(command, f"{prefix} {name}") if isinstance(command, click.Group) else []
        found += inner or [(f"{prefix} {name}", command)]
    return found


@pytest.mark.parametrize(("name", "command"), commands(main), ids=lambda value: value if isinstance(value, str) else "")
def test_every_command_has_help_and_stands_in_the_readme(name, command):
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    assert name in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("key", [field.name for field in fields(Settings)])
def test_every_setting_is_documented(key):
    assert f"`{key}`" in (ROOT / "docs" / "settings.md").read_text("utf-8")


LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_documentation_leads_somewhere(page):
    broken = [link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()]
    assert not broken


def test_every_package_of_the_rooms_and_every_module_beside_them_is_drawn():
    drawn = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    found = [init.parent for room in ROOMS for init in (ROOT / room).rglob("*/__init__.py")]
    beside = [path for path in (ROOT / "ui").glob("*.py") if path.name != "__init__.py"]
    drawable = {path.relative_to(ROOT).as_posix() for path in [*found, *beside]}
    assert not {path for path in drawable if f"(../{path})" not in drawn}


def test_every_form_of_transcript_can_be_chosen_on_the_page():
    page = (ROOT / "ui" / "web" / "static" / "page.html").read_text("utf-8")
    chosen = re.search(r'id="add-files"[^>]*accept="([^"]+)"', page)
    assert chosen is not None and {*SUFFIXES, *PROSE} <= set(chosen[1].split(","))


ADVISED = re.compile(r"['`]earmark ((?:[a-z]+ ?)+)")


def test_every_command_that_a_message_advises_exists():
    known = {name.removeprefix("earmark ") for name, _ in commands(main)}
    advised = {
        (path.relative_to(ROOT).as_posix(), words.strip())
        for path in SOURCES
        for words in ADVISED.findall(path.read_text("utf-8"))
    }
    assert len(advised) > 10
    unknown = {(path, words) for path, words in advised
               if not any(words == name or words.startswith(name + " ") for name in known)}
    assert not unknown


def test_every_source_file_names_its_licence():
    for path in SOURCES:
        assert path.read_text("utf-8").startswith("# SPDX-License-Identifier: GPL-3.0-or-later"), path
