# SPDX-License-Identifier: GPL-3.0-or-later
"""The library: what an episode is, how it comes in, how it is kept. Depends on ``voice`` only."""
