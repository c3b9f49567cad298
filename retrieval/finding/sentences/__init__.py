# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer search: the runs of sentences that answer a question, read by late interaction and calibrated."""
