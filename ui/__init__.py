# SPDX-License-Identifier: GPL-3.0-or-later
"""The page, the command line and the one place where the rooms meet."""
