# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and intents: what a listener tells the player, and what an utterance asks for."""
