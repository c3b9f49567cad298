# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers: composed from the moments that were found."""
