# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from ui import settings
from voice.errors import SettingsError


@pytest.fixture
def file(tmp_path, monkeypatch):
    for name in ("EARMARK_DATA_DIR", "EARMARK_HEARING", "EARMARK_PORT"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config.toml"
    monkeypatch.setenv("EARMARK_CONFIG", str(path))
    path.write_text('hearing = "tiny.en"\nport = 7001\n')
    return path


def test_flags_win_over_variables_and_variables_over_the_file(file, monkeypatch):
    assert (settings.load().hearing, settings.load().port) == ("tiny.en", 7001)
    monkeypatch.setenv("EARMARK_PORT", "7002")
    assert settings.load().port == 7002
    assert settings.load(port=7003, hearing=None).port == 7003


def test_the_data_folder_follows_xdg(file, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert settings.load().data_dir == tmp_path / "share" / "earmark"


def test_an_unknown_key_is_refused_by_name_and_the_nearest_is_named(file):
    file.write_text('haering = "tiny.en"\n')
    with pytest.raises(SettingsError) as refused:
        settings.load()
    assert "haering" in str(refused.value)
    assert "hearing" in refused.value.hint


def test_an_unknown_variable_is_refused_by_name(file, monkeypatch):
    monkeypatch.setenv("EARMARK_PROT", "1")
    with pytest.raises(SettingsError, match=r"EARMARK_PROT.*EARMARK_PORT"):
        settings.load()


@pytest.mark.parametrize(
    ("text", "said"),
    [('port = "many"\n', "port"), ("port = 70000\n", "port"), ("port = \n", "config.toml"), ("\x00", "config.toml")],
)
def test_a_bad_value_or_file_is_said_by_name(file, text, said):
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        settings.load()
    assert said in str(refused.value)


def test_a_settings_file_that_was_named_must_exist(file):
    file.unlink()
    with pytest.raises(SettingsError, match=r"no settings file"):
        settings.load()


def test_how_one_listens_is_set_and_flags_win(file):
    file.write_text('wake = "word"\nwake_model = "okay_nabu"\nbutton = "gpio:17"\nduck = true\nown_words = true\n')
    found = settings.load(duck=False, wake="key", own_words=None)
    assert (found.wake, found.wake_model, found.button) == ("key", "okay_nabu", "gpio:17")
    assert (found.duck, found.own_words) == (False, True)
    file.write_text('wake = "shout"\n')
    with pytest.raises(SettingsError, match="none, key, word"):
        settings.load()


@pytest.mark.parametrize("name", sorted(settings.SECRET))
def test_a_secret_of_the_wrong_type_is_not_printed(file, name):
    file.write_text(f'{name} = ["sk-do-not-show-this"]\n')
    with pytest.raises(SettingsError) as refused:
        settings.load()
    assert name in str(refused.value)
    assert "do-not-show" not in str(refused.value)
