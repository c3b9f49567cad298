# SPDX-License-Identifier: GPL-3.0-or-later
"""Transcripts: one reader a form, alignment with the sound, export."""
