# SPDX-License-Identifier: GPL-3.0-or-later
"""Real recordings, transcripts and feeds for development, which lie beside the project and not in it."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "data"


def material(*parts: str) -> Path:
    """A file or folder of the development data; a test that needs it is skipped where it is absent."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the development data {'/'.join(parts)} is not beside this checkout")
    return path
