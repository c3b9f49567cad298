# SPDX-License-Identifier: GPL-3.0-or-later
"""Speech made fit for quoting: fillers and false starts go, every word that stays is as it was said."""

import re

GAP = " … "
"""Stands where something was left out inside a quote."""

_WORD = re.compile(r"\S+")
_FILLER = re.compile(r"(?:um+|uh+|uhm+|erm*|hm+|mm+|mhm+|mm-hmm|huh|ah+)", re.IGNORECASE)
_OPENERS = (
    "you know what i mean", "you know", "i mean", "i guess", "kind of like", "sort of like", "yeah so", "yes so",
    "so yeah", "oh yeah", "yeah yeah", "yeah", "yep", "yes", "right so", "right", "okay so", "ok so", "okay", "ok",
    "well", "so", "and so", "but yeah", "and yeah", "and", "but", "oh", "like", "exactly", "sure", "no no",
)  # fmt: skip
# these go even without a comma behind them
_BARE = {"so", "and", "but", "yeah", "and so", "so yeah", "yeah so", "well", "oh", "okay so", "ok so"}
# these join a sentence to the one before: they stay where the sentence goes right on and begins with a capital
_JOIN = {"so", "and", "but", "and so"}


def trimmed(sentence: str) -> str:
    """One sentence without its fillers ("um"), its run-up ("Yeah, so, you know,") and words said twice.

    What is left out inside becomes ``GAP``; at the ends it leaves no mark. A sentence that is nothing else comes back
    as it was.
    """
    words = [(match.start(), match.end()) for match in _WORD.finditer(sentence)]
    plain = [sentence[start:end].strip(".,;:!?…-–—\"'“”‘’()").lower() for start, end in words]
    kept = [True] * len(words)
    for number, word in enumerate(plain):
        if _FILLER.fullmatch(word) and not sentence[words[number][0] : words[number][1]].endswith("?"):
            kept[number] = False
    _drop_run_up(sentence, words, plain, kept)
    _drop_repeats(sentence, words, plain, kept)
    if sum(kept) < 3:
        return sentence
    return _joined(sentence, words, kept)


def _drop_run_up(sentence: str, words: list[tuple[int, int]], plain: list[str], kept: list[bool]) -> None:
    """Mark "Yeah, so, you know," at the beginning, one phrase after another, as left out."""
    at = 0
    while at < len(words):
        if not kept[at]:
            at += 1
            continue
        for phrase in _OPENERS:
            parts = phrase.split()
            end = at + len(parts)
            if plain[at:end] == parts and end < len(words):
                comma = sentence[words[end - 1][1] - 1] in ",.-–—…"
                if at == 0 and phrase in _JOIN and not comma and sentence[:1].isupper() and _goes_on(plain[end]):
                    return
                if comma or (phrase in _BARE and len(words) - end >= 3):
                    kept[at:end] = [False] * len(parts)
                    at = end
                    break
        else:
            return


def _goes_on(word: str) -> bool:
    """True for a word that is no further run-up."""
    return not _FILLER.fullmatch(word) and word not in ("yeah", "like", "you", "i", "well", "so", "okay")


def _drop_repeats(sentence: str, words: list[tuple[int, int]], plain: list[str], kept: list[bool]) -> None:
    """Mark the first of two equal runs of up to four words ("I was, I was") as left out, and of cut-off words."""
    for number in range(len(words) - 1):
        if not kept[number]:
            continue
        text = sentence[words[number][0] : words[number][1]]
        if text.endswith(("-", "–", "—")) and plain[number] and plain[number + 1].startswith(plain[number]):
            kept[number] = False  # "repre- represents"
            continue
        for length in (4, 3, 2, 1):
            first, second = plain[number : number + length], plain[number + length : number + 2 * length]
            said = all(kept[number : number + 2 * length]) and all(first)
            # one word twice is a stumble for small words only: "very, very" and "no, no" are meant
            if first == second and said and (length > 1 or first[0] in _SMALL):
                kept[number : number + length] = [False] * length
                break


_SMALL = {
    "a", "an", "the", "i", "it", "is", "in", "of", "to", "and", "that", "this", "we", "you", "they", "he", "she", "if",
    "on", "for", "with", "was", "are", "but", "it's", "that's", "there's", "i'm", "we're", "they're", "as", "or", "at",
    "my", "what", "when", "how", "where", "which", "because", "not", "can", "be", "so", "like", "there", "have", "just",
}  # fmt: skip


def _joined(sentence: str, words: list[tuple[int, int]], kept: list[bool]) -> str:
    runs: list[str] = []
    begin: int | None = None
    end = 0
    for (start, stop), keep in zip(words, kept, strict=True):
        if keep:
            begin = start if begin is None else begin
            end = stop
        elif begin is not None:
            runs.append(sentence[begin:end])
            begin = None
    if begin is not None:
        runs.append(sentence[begin:end])
    return GAP.join(runs)
