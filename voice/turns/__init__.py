# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn-taking: voice activity, turn detection, endpointing, wake words, buttons."""
