# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks against real software of the house, run by hand: see the Makefile."""
