# SPDX-License-Identifier: GPL-3.0-or-later
"""How a word sounds, in the phones of the CMU dictionary: what espeak-ng says, for names no dictionary has."""

import ctypes
import re
import threading
from collections.abc import Iterable
from functools import cache
from typing import Any

_AUDIO_RETRIEVAL = 1  # no sound card is opened
_IPA_WITH_SEPARATOR = 0x02 | (ord("_") << 8)
_UTF8 = 1
_LOCK = threading.Lock()  # espeak-ng has one state for the whole process

_PHONES = {
    "i": "IY", "iː": "IY", "ɪ": "IH", "ᵻ": "IH", "e": "EH", "ɛ": "EH", "æ": "AE", "a": "AE", "aː": "AA", "ɑ": "AA",
    "ɑː": "AA",
    "ɒ": "AA", "ɔ": "AO", "ɔː": "AO", "oː": "AO", "o": "OW", "ʊ": "UH", "u": "UW", "uː": "UW", "y": "UW", "ʌ": "AH",
    "ə": "AH",
    "ɐ": "AH", "ɜ": "ER", "ɜː": "ER", "ɚ": "ER", "ɝ": "ER", "eɪ": "EY", "aɪ": "AY", "ɔɪ": "OY", "aʊ": "AW",
    "oʊ": "OW", "əʊ": "OW",
    "ɑːɹ": "AA R", "ɔːɹ": "AO R", "oːɹ": "AO R", "ɛɹ": "EH R", "ɪɹ": "IH R", "ʊɹ": "UH R", "əɹ": "ER", "aɪə": "AY AH",
    "aɪɚ": "AY ER", "aʊə": "AW ER", "iə": "IY AH", "əl": "AH L", "eə": "EH R", "ɛː": "EH R", "ɪə": "IH R", "ʊə": "UH R",
    "p": "P", "b": "B", "t": "T", "d": "D", "k": "K", "ɡ": "G", "g": "G", "f": "F", "v": "V", "θ": "TH", "ð": "DH",
    "s": "S",
    "z": "Z", "ʃ": "SH", "ʒ": "ZH", "h": "HH", "x": "K", "ç": "HH", "m": "M", "n": "N", "ŋ": "NG", "ɲ": "N Y",
    "l": "L", "ɫ": "L",
    "ɬ": "L", "ɹ": "R", "r": "R", "ʁ": "R", "j": "Y", "w": "W", "ɾ": "T", "ʔ": "T", "tʃ": "CH", "dʒ": "JH",
    "ts": "T S", "c": "K",
}  # fmt: skip
"""espeak's phonemes (IPA) in those of the CMU dictionary."""


def pronunciations(words: Iterable[str], accent: str = "en-us") -> dict[str, str]:
    """The phones of each word, such as "L IH N D K W IH S T"; a word that cannot be spoken is left out.

    ``accent`` is an espeak-ng voice.
    """
    with _LOCK:
        library = _library()
        library.espeak_SetVoiceByName(accent.encode())
        spoken = {word: _ipa(library, word) for word in words}
    return {word: phones for word, ipa in spoken.items() if (phones := arpabet(ipa))}


def arpabet(ipa: str) -> str:
    """IPA with ``_`` between phonemes as phones of the CMU dictionary; a phoneme that is not known is left out."""
    phones: list[str] = []
    for phoneme in re.sub(r"\([^)]*\)", "", ipa).split("_"):
        name = re.sub(r"[^\w]|[ˈˌʲ̩̃]", "", phoneme)
        if name in _PHONES:
            phones.append(_PHONES[name])
        else:  # a cluster such as "nd": letter by letter
            phones += [_PHONES[letter] for letter in name if letter in _PHONES]
    return " ".join(phones)


def _ipa(library: Any, word: str) -> str:
    """espeak-ng reads clause by clause and moves the pointer on."""
    rest, parts = ctypes.c_char_p(word.encode()), []
    while rest.value:
        parts.append(
            library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA_WITH_SEPARATOR).decode("utf-8", "replace")
        )
    return "_".join(parts)


@cache
def _library() -> Any:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    if library.espeak_Initialize(_AUDIO_RETRIEVAL, 0, str(espeakng_loader.get_data_path()).encode(), 0) <= 0:
        raise RuntimeError("espeak-ng does not start; install espeakng-loader again")
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    return library
