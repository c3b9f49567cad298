# SPDX-License-Identifier: GPL-3.0-or-later
"""The companion without a screen: its session, its turns, and what is playing."""
