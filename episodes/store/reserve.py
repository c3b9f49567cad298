# SPDX-License-Identifier: GPL-3.0-or-later
"""A megabyte that is kept back, so that on a full disk the library can still be opened and made smaller."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

RESERVE_NAME = ".reserve"
SIZE = 1 << 20
"""Bytes: SQLite needs some tens of thousands to open a file, and some hundred thousand to forget an episode."""

_PLENTY = 20 * SIZE  # bytes of free disk from which on some are kept back


def keep(folder: Path) -> None:
    """Keep the reserve of a library's folder, when it is not there and there is room for it."""
    file = folder / RESERVE_NAME
    with suppress(OSError):
        if not file.exists() and shutil.disk_usage(folder).free > _PLENTY:
            file.write_bytes(os.urandom(SIZE))  # zeros take no room where the file system packs them


def spend(folder: Path) -> bool:
    """Free the reserve; False when there is none."""
    try:
        (folder / RESERVE_NAME).unlink()
    except OSError:
        return False
    return True
