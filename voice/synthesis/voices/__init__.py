# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in voices: two small Piper voices that need no download, and the script that makes them."""
