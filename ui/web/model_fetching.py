# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetching better models for who is at the page."""

import threading
from typing import Any

from ui import model_catalogue
from ui.companion import Companion
from ui.engines import ROLES
from voice.errors import EarmarkError, SettingsError


class ModelFetching:
    """One model on its way at a time, in the background."""

    def __init__(self, companion: Companion) -> None:
        self._companion = companion
        self._settings = companion.settings
        self._lock = threading.Lock()
        self._state: dict[str, Any] = {"name": "", "progress": 0.0, "done": False, "problem": "", "next": ""}
        self._running = False

    def state(self) -> dict[str, Any]:
        """``name`` of the model, ``progress`` in 0..1, ``done`` with what to do ``next`` ("" when it is in use), or
        ``problem`` with the next step."""
        with self._lock:
            return dict(self._state)

    def begin(self, name: str) -> None:
        """Fetch a model of the catalogue. Raises SettingsError for another, or while one is on its way."""
        if name not in {row["name"] for row in model_catalogue.rows(self._settings)}:
            raise SettingsError(f"There is no model {name[:40]}.", "'earmark models list' shows what there is.")
        with self._lock:
            if self._running:
                raise SettingsError("A model is being fetched already.", "Wait until it is here.")
            self._running = True
            self._state = {"name": name, "progress": 0.0, "done": False, "problem": "", "next": ""}
        threading.Thread(target=self._fetch, args=[name], daemon=True, name="earmark-model").start()

    def _fetch(self, name: str) -> None:
        problem = following = ""
        try:
            self._companion.engines.fetch(name, lambda part: self._say(progress=round(part, 3)))
            following = self._following(name)
        except EarmarkError as error:
            problem = str(error)
        finally:
            with self._lock:
                self._running = False
        self._say(done=not problem, problem=problem, next=following)

    def _following(self, name: str) -> str:
        """What is to be done by hand so that a model is used; "" when it is in use already."""
        kind = next(row["role"] for row in model_catalogue.rows(self._settings) if row["name"] == name)
        if self._companion.engines.uses(name):
            if kind in ROLES:
                self._companion.show_engine(kind)
            return ""
        return f"Set {kind} to {name} in the settings (or EARMARK_{kind.upper()}={name}) and restart Earmark to use it."

    def _say(self, **news: Any) -> None:
        with self._lock:
            self._state |= news
