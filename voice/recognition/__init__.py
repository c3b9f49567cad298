# SPDX-License-Identifier: GPL-3.0-or-later
"""Speech recognition: the protocol, the choice of an engine, and the engines."""
