# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: one TOML file, then ``EARMARK_*`` variables, then flags; the later wins, and unknown keys are refused.

pydantic-settings reads and checks them; platformdirs knows the folders (XDG on Linux).
"""

import difflib
import os
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from voice.errors import SettingsError

PREFIX = "EARMARK_"
CONFIG_VARIABLE = "EARMARK_CONFIG"


def default_data_dir() -> Path:
    """Where the library, the models and the listening state live: ``$XDG_DATA_HOME/earmark``."""
    return Path(platformdirs.user_data_dir("earmark", appauthor=False))


def default_config_file() -> Path:
    """The settings file: ``$EARMARK_CONFIG`` or ``$XDG_CONFIG_HOME/earmark/config.toml``."""
    given = os.environ.get(CONFIG_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_config_dir("earmark", appauthor=False)) / "config.toml"


class Settings(BaseSettings):
    """Everything a person can set. Each field is a key of the TOML file and, in capitals, an ``EARMARK_`` variable."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="Folder of the library and the models.")
    hearing: str = Field(
        default="auto",
        description="What hears: auto, builtin, a faster-whisper model by name (tiny.en) or its folder.",
    )
    language: str = Field(default="en", description="Language that is spoken, for models that know several.")
    speaking: str = Field(
        default="builtin:female",
        description="What speaks: builtin:female, builtin:male, a Piper voice by name or its .onnx file.",
    )
    host: str = Field(default="127.0.0.1", description="Address the page listens on.")
    port: int = Field(default=7860, ge=1, le=65535, description="Port the page listens on.")
    demo: bool = Field(default=True, description="Add the demo episode on the first start.")
    microphone: str = Field(default="", description="Microphone by name or index; empty: the system's own choice.")
    loudspeaker: str = Field(default="", description="Loudspeaker by name or index; empty: the system's own choice.")
    threads: int = Field(default=0, ge=0, le=256, description="Processor threads for a model; 0: the engine decides.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over variables, variables over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, default_config_file())

    @property
    def models_dir(self) -> Path:
        """Where models are kept, one folder for hearing and one for voices."""
        return self.data_dir / "models"


def load(**flags: Any) -> Settings:
    """The settings in force. ``flags`` are what the command line gave; None means not given.

    Raises SettingsError naming the key, where it stands, and the nearest key that exists.
    """
    _refuse_unknown_variables()
    path = default_config_file()
    if CONFIG_VARIABLE in os.environ and not path.is_file():
        raise SettingsError(f"There is no settings file {path}.", f"Create it, or unset {CONFIG_VARIABLE}.")
    try:
        return Settings(**{key: value for key, value in flags.items() if value is not None})
    except ValidationError as error:
        raise _explain(error, path) from error
    except (ValueError, OSError) as error:  # TOML that cannot be read
        raise SettingsError(f"{path} cannot be read: {error}.", "Mend the file, or move it away.") from error


def _refuse_unknown_variables() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SettingsError(f"The variable {name} is not a setting of Earmark.", _nearest(name.upper(), known))


def _explain(error: ValidationError, path: Path) -> SettingsError:
    first = error.errors()[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return SettingsError(f"The setting {key} in {path} is unknown.", _nearest(key, set(Settings.model_fields)))
    return SettingsError(f"The setting {key} is {first['input']!r}: {first['msg'].lower()}.",
                         f"Change it in {path}, in {PREFIX}{key.upper()} or on the command line.")


def _nearest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {near[0]}?" if near else f"The settings are: {', '.join(sorted(known))}."
