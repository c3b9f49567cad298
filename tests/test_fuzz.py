# SPDX-License-Identifier: GPL-3.0-or-later
"""A few inputs for every reader; 'make fuzz MINUTES=60' tries many."""

import pytest

from tests.fuzz import readers


@pytest.mark.parametrize("name", readers.READERS)
def test_a_reader_says_no_in_a_sentence_or_reads(name):
    read, pieces = readers.READERS[name]
    assert readers.run(name, read, pieces, 1, 60) >= 60
