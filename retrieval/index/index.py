# SPDX-License-Identifier: GPL-3.0-or-later
"""The index, as all engines have it: ``SqliteIndex`` in a folder, ``PostgresIndex`` on a server."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from retrieval.index.embedding import Matrix
from retrieval.index.snapshot import Snapshot
from retrieval.index.token_store import TokenStore
from retrieval.model import Passage


class Index(Protocol):
    """All passages of a library, wherever they are kept. ``Index`` says what each does."""

    dimension: int

    @property
    def episodes(self) -> tuple[str, ...]:
        """The ids of all episodes in the index."""

    @property
    def synced_version(self) -> int | None:
        """The version of the library up to which it was compared with the library; None when it never was."""

    @synced_version.setter
    def synced_version(self, version: int | None) -> None: ...

    def holds(self, episode_id: str) -> bool:
        """Whether an episode is in it."""

    def add(
        self, episode_id: str, passages: Sequence[Passage], vectors: Matrix, title: str = "",
        tokens: TokenStore | None = None, language: str = "",
    ) -> None:
        """Put an episode in, replacing what was there under its id; all of it or nothing."""

    def remove(self, episode_id: str) -> None:
        """Take an episode out; nothing happens when it is not there."""

    def damaged(self) -> tuple[str, ...]:
        """The episodes whose vectors are not those that were written."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A consistent look at it."""

    def close(self) -> None:
        """Close what is open."""
