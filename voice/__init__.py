# SPDX-License-Identifier: GPL-3.0-or-later
"""Hearing and speaking: audio, devices, recognisers and voices. Depends on no other room."""
