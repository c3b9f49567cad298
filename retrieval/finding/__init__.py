# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding: from a question to ranked moments."""
