# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of several rooms share."""

from collections.abc import Iterator

import pytest

from tests.soundcard import SoundCard, running_card


@pytest.fixture(scope="session")
def sound_card() -> Iterator[SoundCard]:
    """A sound card of our own for the whole run.

    PortAudio looks for its server when sounddevice is imported, so ask for the fixture before that import
    (or import sounddevice in a child process).
    """
    yield from running_card()
