# SPDX-License-Identifier: GPL-3.0-or-later
"""Real data that lies beside the checkout on some machines and is not part of the project."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """A file or folder of it; the test is skipped with the reason where it is not there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"real data is not on this machine: {path}")
    return path
