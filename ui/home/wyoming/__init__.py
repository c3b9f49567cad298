# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wyoming service: Home Assistant and its like ask the library, and hear and speak with its engines."""
