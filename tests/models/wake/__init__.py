# SPDX-License-Identifier: GPL-3.0-or-later
"""A wake word of openWakeWord's shape for the tests: "hey earmark", learnt from espeak-ng's voices."""
