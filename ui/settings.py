# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings: one TOML file, then ``EARMARK_*`` variables, then flags; the later wins, and unknown keys are refused.

msgspec checks them, since it is there in a tenth of the time that a command may take as a whole; platformdirs knows
the folders (XDG on Linux).
"""

import difflib
import os
import tomllib
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import platformdirs
from msgspec import Meta, Struct, ValidationError, convert, field
from msgspec.structs import fields

from voice.errors import SettingsError

if TYPE_CHECKING:
    from episodes.sources.http import Net
    from retrieval.answers.llm import LanguageModel

ENV_PREFIX = "EARMARK_"
SECRET = frozenset({"auth", "database", "llm_key", "home_token", "loudspeakers", "webhook", "webhook_key", "listener"})
"""Settings whose values are never shown."""
CONFIG_VARIABLE = "EARMARK_CONFIG"


def default_data_dir() -> Path:
    """Where the library, the models and the listening state live: ``$XDG_DATA_HOME/earmark``."""
    return Path(platformdirs.user_data_dir("earmark", appauthor=False))


def default_config_file() -> Path:
    """The settings file: ``$EARMARK_CONFIG`` or ``$XDG_CONFIG_HOME/earmark/config.toml``."""
    given = os.environ.get(CONFIG_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_config_dir("earmark", appauthor=False)) / "config.toml"


class Settings(Struct, frozen=True, kw_only=True):
    """Everything a person can set. Each field is a key of the TOML file and, in capitals, an ``EARMARK_`` variable."""

    data_dir: Path = field(default_factory=default_data_dir)
    """Folder of the library and the models."""
    files: str = ""
    """Where sound and pictures lie: "" is the data folder, else the address of an object store as fsspec has them
    (s3://bucket/folder); the data folder then holds copies."""
    database: str = ""
    """Where the library, its queue and its index are: in the data folder when empty, else the address of a PostgreSQL
    server (postgresql://name:password@host/database)."""
    hearing: str = "auto"
    """What hears: auto, a faster-whisper model by name (tiny.en) or its folder, or for questions a Wyoming engine
    elsewhere (tcp://box:10300)."""
    language: str = "en"
    """Language that is spoken, for models that know several."""
    speaking: str = "auto"
    """What speaks: auto, a Piper voice by name (en_US-joe-medium) or its .onnx file, or a Wyoming engine elsewhere
    (tcp://box:10200); further voices by language ("auto, de=de_DE-thorsten-medium")."""
    speakers: str = "auto"
    """What tells speakers apart where a transcript does not name them: auto (once its models are here), off, or their
    folder."""
    finding: str = "auto"
    """What finds by meaning: auto (all-MiniLM-L6-v2, English), or another sentence-transformers model, by its name on
    the hub (intfloat/multilingual-e5-small) or its folder."""
    reader: str = "builtin"
    """What tells an answer from a sentence on the same subject: builtin, or a cross-encoder besides it, by its name on
    the hub (cross-encoder/ms-marco-MiniLM-L6-v2) or its folder."""
    host: str = "127.0.0.1"
    """Address the page listens on."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 7860
    """Port the page listens on."""
    hosts: str = ""
    """Further names under which the page is asked for (ears.example.org), several separated by commas."""
    auth: str = ""
    """Who may use the page, as NAME:PASSWORD, several separated by commas; needed when others can reach it."""
    anyone: bool = False
    """Let everybody in who can reach the page, without a password."""
    tls_cert: str = ""
    """Certificate file (PEM) for https, which browsers want for the microphone when the page is on another machine."""
    tls_key: str = ""
    """Key file (PEM) that goes with tls_cert."""
    wyoming: str = ""
    """Where Home Assistant and its like may ask (tcp://127.0.0.1:10700); empty: nowhere."""
    wyoming_allow: str = ""
    """Who may ask from other machines: addresses or networks, separated by commas, or anyone."""
    loudspeakers: str = ""
    """Loudspeakers in other rooms, as NAME=ADDRESS, several separated by commas: mpd://HOST:PORT, or
    ha:media_player.NAME."""
    media_url: str = ""
    """Where they reach this server (http://192.168.1.2:7860); empty: found out from host and port."""
    home_url: str = ""
    """Address of Home Assistant (http://homeassistant.local:8123)."""
    home_token: str = ""
    """A long-lived access token for it."""
    demo: bool = True
    """Add the demo episode on the first start."""
    microphone: str = ""
    """Microphone by name or index; empty: the system's own choice."""
    loudspeaker: str = ""
    """Loudspeaker by name or index; empty: the system's own choice."""
    wake: Literal["none", "key", "word"] = "none"
    """How 'earmark listen' is called: just talk (none), a key or a button (key), or its wake word (word)."""
    wake_model: str = ""
    """The wake word: a microWakeWord .json, an openWakeWord .onnx, okay_nabu, hey_jarvis, hey_mycroft, alexa, or a
    Wyoming engine elsewhere (tcp://box:10400)."""
    button: str = ""
    """A button that calls it: gpio:17 (a pin), /dev/input/event3, or a part of the name of an input device."""
    duck: bool = False
    """Play on softly while somebody speaks, instead of pausing."""
    own_words: bool = False
    """Answer with the original sound of the moment instead of a voice."""
    listener: str = ""
    """Who listens with 'earmark listen', so that it goes on where the page was: the name that they sign in with, or
    the key of the page's link for another device; empty: who signs in, when it is one person, else the household."""
    threads: Annotated[int, Meta(ge=0, le=256)] = 0
    """Processor threads for a model; 0: as many as there are processors, four at most."""
    fetch_private: bool = False
    """Fetch feeds and recordings also from this machine and the home network."""
    fetch_megabytes: Annotated[int, Meta(ge=1, le=1_000_000)] = 4_000
    """Largest recording that is fetched."""
    fetch_document_megabytes: Annotated[int, Meta(ge=1, le=4_000)] = 64
    """Largest feed or transcript that is fetched, unpacked."""
    sync: str = ""
    """How often feeds are looked at for what is new (6h); empty: when 'earmark sync' is told to."""
    quiet_hours: str = ""
    """Hours in which they are not (23-7)."""
    keep: str = ""
    """How long an episode of a feed stays after it was heard (30 days); empty: for good."""
    webhook: str = ""
    """An address that is told when an episode is ready or a moment was saved; empty: none."""
    webhook_key: str = ""
    """The key with which what it is told is signed: base64 of 16 bytes or more."""
    metrics: bool = False
    """Tell Prometheus at /metrics how many questions there are, how long they take, and what the queue does."""
    log: Literal["text", "json"] = "text"
    """How 'earmark serve' and 'earmark work' log: for people (text), or as lines of JSON (json)."""
    llm_url: str = ""
    """Address of a language model that tells answers (Ollama: http://127.0.0.1:11434/v1); empty: quotes only."""
    llm_model: str = ""
    """Its name there."""
    llm_key: str = ""
    """Key that it asks for, if any."""
    llm_window: Annotated[int, Meta(ge=1024, le=10_000_000)] = 4096
    """Tokens that it reads at a time."""
    llm_seconds: Annotated[float, Meta(gt=0, le=600)] = 20.0
    """Seconds that it may be silent before the answer is quoted instead."""

    @property
    def models_dir(self) -> Path:
        """Where models are kept, one folder for hearing and one for voices."""
        return self.data_dir / "models"

    @property
    def own_dir(self) -> Path:
        """What is this machine's own: the data folder, or where others share it with a server, a folder inside."""
        return self.data_dir / "machines" / gethostname() if self.database else self.data_dir


def load(**flags: Any) -> Settings:
    """The settings in force. ``flags`` are what the command line gave; None means not given.

    Raises SettingsError naming the key, where it stands, and the nearest key that exists.
    """
    _refuse_unknown_variables()
    path = default_config_file()
    given = _read(path)
    variables = {name: ENV_PREFIX + name.upper() for name in _kinds()}
    given |= {name: os.environ[variable] for name, variable in variables.items() if variable in os.environ}
    given |= {key: value for key, value in flags.items() if value is not None}
    return Settings(**{key: _checked(key, value, path) for key, value in given.items()})


def net_of(settings: Settings) -> "Net":
    """The network within the bounds that are set."""
    from episodes.sources.http import Net

    return Net(
        private=settings.fetch_private,
        largest=settings.fetch_document_megabytes * 1_000_000,
        largest_file=settings.fetch_megabytes * 1_000_000,
    )


def model_of(settings: Settings) -> "LanguageModel | None":
    """The language model that is set, if one is. Raises SettingsError for one without a name."""
    if not settings.llm_url:
        return None
    if not settings.llm_model:
        raise SettingsError("llm_url is set, and llm_model is not.", "Set llm_model to a name that the server knows.")
    from retrieval.answers.llm import LanguageModel

    return LanguageModel(
        settings.llm_url, settings.llm_model, settings.llm_key, settings.llm_window, settings.llm_seconds
    )


def _kinds() -> dict[str, Any]:
    return {each.name: each.type for each in fields(Settings)}


def _read(path: Path) -> dict[str, Any]:
    """What the settings file says; nothing when there is none and none was named."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        if CONFIG_VARIABLE in os.environ:
            hint = f"Create it, or unset {CONFIG_VARIABLE}."
            raise SettingsError(f"There is no settings file {path}.", hint) from error
        return {}
    except (ValueError, OSError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.", "Mend the file, or move it away.") from error
    for key in given:
        if key not in _kinds():
            raise SettingsError(f"The setting {key} in {path} is unknown.", _nearest(key, set(_kinds())))
    return given


def _checked(key: str, value: Any, path: Path) -> Any:
    if get_origin(_kinds()[key]) is Literal and value not in get_args(_kinds()[key]):
        choices = ", ".join(get_args(_kinds()[key]))
        raise SettingsError(f"The setting {key} is {value!r}.", f"Choose one of: {choices}.")
    try:
        return convert(value, _kinds()[key], strict=False, dec_hook=_path)
    except (ValidationError, TypeError) as error:
        shown = "of another kind than it should be" if key in SECRET else repr(value)
        raise SettingsError(f"The setting {key} is {shown}: {str(error).lower()}.",
                            f"Change it in {path}, in {ENV_PREFIX}{key.upper()} or on the command line.") from error


def _path(kind: type, value: Any) -> Path:
    if kind is not Path or not isinstance(value, (str, Path)) or not str(value).strip():
        raise ValidationError("Expected a path")
    return Path(value).expanduser()


def _refuse_unknown_variables() -> None:
    known = {ENV_PREFIX + name.upper() for name in _kinds()} | {CONFIG_VARIABLE}
    for name in sorted(os.environ):
        if name.upper().startswith(ENV_PREFIX) and name.upper() not in known:
            raise SettingsError(f"The variable {name} is not a setting of Earmark.", _nearest(name.upper(), known))


def _nearest(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"Did you mean {near[0]}?" if near else f"The settings are: {', '.join(sorted(known))}."
