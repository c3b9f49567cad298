# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources: files, feeds, OPML lists and addresses, and how they are fetched."""
