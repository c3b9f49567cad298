# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks for a run of sentences as the answer to a question, as numbers: the same for training and for finding."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from episodes.text.lexicon import names_somebody
from retrieval.finding.sections.query import Values
from retrieval.index.embedding import Matrix
from retrieval.index.token_store import TokenStore

FEATURE_NAMES = (
    "share", "soft", "peak", "match", "wide", "chunk", "mean", "overlap", "words", "asks", "begins", "reply", "number",
    "name", "reason", "stance", "dangles", "short", "before", "weakest", "weak", "lacks", "further", "region", "nearby",
    "asking", "farthest", "unheard",
)  # fmt: skip
"""Names of the features, in their order."""

WHETHER = ("farthest", "unheard")
"""Those that tell whether there is an answer, and not in which run it is."""

_WIDE, _AROUND, _FAR = 25, 60, 75
"""Tokens on either side of a run within which the question's words are looked for ("wide", "nearby"), the reader
may have pointed ("region"), and what the talk is about is named ("further"): an answer seldom repeats it."""

_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty"
    r"|hundreds?|thousands?|millions?|billions?|dozens?|couple|half|percent)\b", re.IGNORECASE,
)  # fmt: skip
_TIME = re.compile(
    r"\b(?:1[5-9]|20)\d\d\b|\b(?:years?|months?|weeks?|days?|hours?|minutes?|seconds?|ago|january|february|march|april"
    r"|june|july|august|september|october|november|december|summer|winter|yesterday|today|o'clock)\b", re.IGNORECASE,
)  # fmt: skip
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][A-Za-z]+")
_REASON = re.compile(
    r"\b(?:because|so that|since|reason|due to|in order to|otherwise|therefore|that's why|which is why|the problem"
    r"|issue is|the point|allows?|prevents?|avoid|want(?:ed|s)? to)\b", re.IGNORECASE,
)  # fmt: skip
_STANCE = re.compile(
    r"^(?:yes|no|yeah|yep|nope|sure|absolutely|definitely|of course|not really|exactly|correct|right|i (?:do|don't)"
    r" think|it (?:is|isn't|does|doesn't)|you can|you can't)\b", re.IGNORECASE,
)  # fmt: skip
_NOT = re.compile(r"\b(?:no|not|never|none|\w+n't|without|cannot)\b", re.IGNORECASE)
_DANGLES = re.compile(r"^(?:[a-z]|(?:And|But|Or|Which|That|Because|Then|It|This|Those|These)\b)")

_SOMEBODY = r"([A-Z][\w'’-]{0,40}(?: [A-Z][\w'’-]{0,40}){0,4})"
_VIEW = re.compile(
    rf"\b(?i:what (?:do|does|did|would|will|has)) {_SOMEBODY} (?i:say|said|think|thought|want"
    r"|recommend|suggest|advise|propose|believe|feel|like|argue|claim|make of)\b"
    r"|\b([A-Z][\w-]{0,40}(?: [A-Z][\w-]{0,40}){0,4})['’]s (?i:view|opinion|take|advice|thoughts?|position|argument)\b"
    rf"|\b(?i:according to) {_SOMEBODY}"
)
"""Questions about what somebody says or thinks; the groups hold the name."""
_ROLE = re.compile(
    r"\b(?:co-?host|host|guest|interview\w+|moderator|audience|participant|narrator|caller|man|woman|male|female)\b|^\w$",
    re.IGNORECASE,
)
"""Labels of speakers that do not tell who they are."""

_REQUEST = re.compile(
    r"\b(?:tell|walk|take|explain|remind|give|describe|help)(?: \w+)? (?:us|me|our)\b", re.IGNORECASE
)
_TO_COME = 6  # sentences after a run within which its speaker comes to a question, if a question is what it leads to

_COUNTS = re.compile(
    r"\bhow (?:many|much|long|often|far|big|large|old|fast|early|late)\b|\bwhat (?:percent|number|rate|size|share)"
    r"|\bhow \w+ (?:is|are|was|were)\b", re.IGNORECASE,
)  # fmt: skip
_WHEN = re.compile(
    r"\bwhen\b|\bwhat (?:year|month|day|time)|\bwhich year|\bhow (?:long|early|late|soon)\b", re.IGNORECASE
)
_WHO = re.compile(r"\b(?:who|whom|whose|where|which|what company|what country)\b", re.IGNORECASE)
_WHY = re.compile(
    r"\bwhy\b|\bhow come\b|\bwhat(?:'s| is| was) the (?:reason|point|problem)|\bwhat for\b", re.IGNORECASE
)
_WHETHER = re.compile(
    r"^(?:and |so |but )*(?:is|are|was|were|can|could|do|does|did|will|would|should|has|have|had|\w+n't)\b",
    re.IGNORECASE,
)


def features(
    question: str, store: TokenStore, runs: Sequence[tuple[int, int]], logits: Values, near: Matrix, weights: Values,
    chunk: Values, telling: npt.NDArray[np.bool_], ids: npt.NDArray[np.uint16], replies: Sequence[float],
) -> Values:  # fmt: skip
    """(runs, features) of runs of sentences, first and last (exclusive), of one token store.

    Over the tokens of the token store: ``logits`` (m,) of the reader (-inf where it did not read), ``near`` (m, q) the
    cosines with those of the question, ``chunk`` (m,) how well their chunk matches. ``weights`` (q,) of the question's
    tokens, ``telling`` (q,) which of them tell something and ``ids`` of those, ``replies`` how well what each run
    replies to matches.
    """
    counts = np.bincount(store.ids, minlength=1)
    rarity = {int(piece): float(np.log1p(len(store.ids) / (1 + (counts[piece] if piece < len(counts) else 0))))
              for piece in ids.tolist()}  # fmt: skip
    total = max(sum(rarity.values()), 1e-9)
    asked = {word.lower() for word in re.findall(r"\w+", question)}
    counted, dated, whose, why, whether = (
        kind.search(question) is not None for kind in (_COUNTS, _WHEN, _WHO, _WHY, _WHETHER)
    )
    whom = _whose_view(question)
    rows = []
    for (first, last), reply in zip(runs, replies, strict=True):
        places = store.sentences[first:last]
        low, high = int(places["first"][0]), int(places["last"][-1])
        mine = logits[low:high]
        if high <= low:
            rows.append([-20.0, -20.0, -20.0] + [0.0] * (len(FEATURE_NAMES) - 3))
            continue
        wide_low, wide_high = max(0, low - _WIDE), min(len(near), high + _WIDE)
        best, wide = near[low:high].max(axis=0), near[wide_low:wide_high].max(axis=0)
        weak = np.sort(wide[telling] if telling.any() else wide)[:3]  # the words that nothing there is like
        text = " ".join(store.texts[first:last])
        about = near[max(0, low - _FAR):high + _FAR].max(axis=0)
        words = int(places["words"].sum())
        names = [name for name in _NAME.findall(text) if name.lower() not in asked]
        begins = first == 0 or store.sentences["turn"][first - 1] != places["turn"][0]
        numbered, timed = _NUMBER.search(text) is not None, _TIME.search(text) is not None
        reasons, stands = _REASON.search(text) is not None, _STANCE.search(text) or _NOT.search(text)
        rows.append([
            float(np.logaddexp.reduce(mine)), float(np.logaddexp.reduce(0.5 * mine)), float(mine.max()),
            float(best.mean()), float(wide @ weights), float(chunk[low]),
            float(near[low:high].mean()),
            sum(rarity[piece] for piece in set(store.ids[low:high].tolist()) & set(rarity)) / total,
            float(np.log(max(words, 1))), float(places["asks"].mean()), float(begins), reply,
            float((counted and numbered) or (dated and timed)), float(whose and bool(names)), float(why and reasons),
            float(whether and stands is not None),
            float(_DANGLES.search(text) is not None), float(words < 10),
            float(np.logaddexp.reduce(logits[max(0, low - 30):low])) if low else -20.0,
            float(weak[0]), float(weak.mean()),
            float((counted and not numbered) or (dated and not (timed or numbered)) or (whose and not names)),
            float(about @ weights),
            float(np.logaddexp.reduce(logits[max(0, low - _AROUND):high + _AROUND])),
            sum(rarity[piece] for piece in set(store.ids[wide_low:wide_high].tolist()) & set(rarity)) / total,
            float(_asking(store, last)), float((about[telling] if telling.any() else about).min()),
            float(_unheard(whom, store, first, last)),
        ])  # fmt: skip
    return np.array(rows, np.float64).reshape(-1, len(FEATURE_NAMES))


def _whose_view(question: str) -> frozenset[str]:
    """The parts of the name, in small letters, of whom a question asks what they say or think; empty for any other."""
    found = _VIEW.search(question)
    return frozenset(re.findall(r"\w+", next(filter(None, found.groups())).lower())) if found else frozenset()


def _unheard(whom: frozenset[str], store: TokenStore, first: int, last: int) -> bool:
    """Whether somebody's view is asked for who is neither the one that speaks a run nor named in or beside it. False
    where nobody knows who speaks."""
    speaker = store.speakers[int(store.sentences["speaker"][first])]
    if not whom or not names_somebody(speaker) or _ROLE.search(speaker):
        return False
    beside = " ".join((speaker, *store.texts[max(0, first - 1) : last + 1]))
    return not whom & set(re.findall(r"\w+", beside.lower()))


def _asking(store: TokenStore, last: int) -> bool:
    """Whether the turn that a run ends in, before sentence ``last``, ends with a question soon after: then it is the
    asker's, and what answers comes after it."""
    turns, end = store.sentences["turn"], last
    while end < min(len(turns), last + _TO_COME) and turns[end] == turns[last - 1]:
        end += 1
    over = end == len(turns) or turns[end] != turns[last - 1]
    return over and (bool(store.sentences["asks"][end - 1]) or _REQUEST.search(store.texts[end - 1]) is not None)
