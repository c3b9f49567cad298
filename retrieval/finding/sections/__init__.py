# SPDX-License-Identifier: GPL-3.0-or-later
"""Topic search: where an episode, or the library, speaks of something; for browsing and for choosing episodes."""
