# SPDX-License-Identifier: GPL-3.0-or-later
"""Sound devices: duplex streams, the player, resampling, echo cancellation."""
