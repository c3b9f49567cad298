# SPDX-License-Identifier: GPL-3.0-or-later
"""What is handed on: a wheel with everything in it, that runs where the tree is not; man pages; containers."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from click_man.core import write_man_pages

from tests.test_house import commands
from ui.cli.main import main
from ui.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[2]
ROOMS = ("voice", "episodes", "retrieval", "ui")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in (*ROOMS, "pyproject.toml", "README.md", "LICENSE"):
        given = ROOT / name
        if given.is_dir():
            shutil.copytree(given, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(given, folder)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "dist", "."],
        cwd=folder, check=True,
    )  # fmt: skip
    (made,) = (folder / "dist").glob("earmark-*.whl")
    return made


def test_the_wheel_holds_all_files_of_the_rooms_and_no_others(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        (points,) = (packed.read(name).decode() for name in packed.namelist() if name.endswith("entry_points.txt"))
    there = {path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*")
             if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    assert names == there
    assert "earmark = ui.cli.main:main" in points


def test_it_runs_where_the_tree_is_not(wheel, tmp_path):
    """In a process of its own that sees the wheel's files and the packages it needs, and not the tree."""
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(tmp_path / "site")

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "ui.cli", "--data-dir", str(tmp_path / "data"), *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout

    code = "import ui.home, episodes.demo; print(ui.home.__file__, episodes.demo.AUDIO, episodes.demo.AUDIO.is_file())"
    where = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True,
                           check=True).stdout  # fmt: skip
    assert where.count(str(tmp_path / "site")) == 2 and where.rstrip().endswith("True")
    assert json.loads(run("list", "--json")) == []


def test_every_command_has_a_man_page_and_shells_complete(tmp_path):
    write_man_pages("earmark", main, version=PROJECT["version"], target_dir=str(tmp_path))
    pages = {path.name for path in tmp_path.glob("*.1")}
    assert pages >= {f"{name.replace(' ', '-')}.1" for name, _ in commands(main)} | {"earmark.1"}
    assert "Ask your podcasts out loud" in (tmp_path / "earmark.1").read_text()
    for shell in ("bash", "zsh", "fish"):
        assert "_EARMARK_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).stdout


def test_the_container_takes_files_that_are_there_and_runs_as_nobody_special():
    text = (ROOT / "packaging" / "Dockerfile").read_text()
    taken = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.M) for name in line.split()]
    assert set(taken) >= set(ROOMS) and all((ROOT / name).exists() for name in taken)
    assert re.search(r"^USER earmark$", text, re.M) and "HEALTHCHECK" in text and "VOLUME /data" in text


@pytest.mark.parametrize("name", [
    "compose.yaml", "compose.machines.yaml", "systemd/earmark-work.service", "systemd/earmark-serve.service",
])  # fmt: skip
def test_what_runs_many_machines_names_commands_and_settings_that_are_there(name):
    text = (ROOT / "packaging" / name).read_text()
    if name.endswith(".yaml"):
        services = [one for one in yaml.safe_load(text)["services"].values() if "build" in one]
        given = [[re.sub(r"\$\{\w+:-(\d+)\}", r"\1", word) for word in one["command"]] for one in services]
    else:
        given = [line.split()[1:] for line in re.findall(r"^ExecStart=(.+)$", text, re.M)]
    for command, *words in given:
        main.commands[command].make_context(command, words)
    settings = {ENV_PREFIX + one.upper() for one in Settings.__struct_fields__}
    assert given and set(re.findall(rf"{ENV_PREFIX}\w+", text)) <= settings


def test_the_add_on_fits_what_it_installs():
    folder = ROOT / "packaging" / "home-assistant" / "earmark"
    told = yaml.safe_load((folder / "config.yaml").read_text())
    assert told["version"] == PROJECT["version"]
    script = (folder / "run.sh").read_text()
    assert set(told["options"]) == set(re.findall(r"option (\w+)\)", script)) == set(told["schema"])
    settings = {ENV_PREFIX + name.upper() for name in Settings.__struct_fields__}
    assert set(re.findall(rf"{ENV_PREFIX}\w+", script)) <= settings
    subprocess.run(["sh", "-n", str(folder / "run.sh")], check=True)
