# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny test Whisper: what makes it, what measures it, and the exported model in `tiny/`."""
