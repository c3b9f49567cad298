# SPDX-License-Identifier: GPL-3.0-or-later
"""Earmark in the house: voice assistants (``wyoming``), loudspeakers in other rooms, other podcast software, and what
happens by itself."""
