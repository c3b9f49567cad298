# SPDX-License-Identifier: GPL-3.0-or-later
"""The phonemes of an English text, by the espeak-ng that piper carries."""

from functools import lru_cache

_VOICE = "en-us"


@lru_cache(maxsize=4096)
def phonemes(text: str) -> str:
    """The IPA of a text, its sentences one after the other."""
    from piper import voice
    from piper.phonemize_espeak import EspeakPhonemizer

    with voice._ESPEAK_PHONEMIZER_LOCK:  # espeak-ng has one state for the whole process, and voices use it too
        if voice._ESPEAK_PHONEMIZER is None:
            voice._ESPEAK_PHONEMIZER = EspeakPhonemizer()
        found = voice._ESPEAK_PHONEMIZER.phonemize(_VOICE, text)
    return "".join(letter for sentence in found for letter in sentence)
