# SPDX-License-Identifier: GPL-3.0-or-later
"""Speech synthesis: Piper, and the text normalisation that stands before it."""
