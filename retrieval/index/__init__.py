# SPDX-License-Identifier: GPL-3.0-or-later
"""The index: chunking, embedding, vectors, and consistent snapshots of them."""
