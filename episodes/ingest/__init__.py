# SPDX-License-Identifier: GPL-3.0-or-later
"""Ingest: from a source to an episode that is ready, step by step, in a worker."""
