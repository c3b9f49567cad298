# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: the library's tables, its jobs and its files."""
