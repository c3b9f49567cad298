# SPDX-License-Identifier: GPL-3.0-or-later
"""Loudspeakers in other rooms: which there are, commands for them, and links to sound that they can open."""
