# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on in a stretch of talk: which sentences ask, where the reply to them begins, which only pass the time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from episodes.text.sentences import Line

_NOD = 3  # words: a turn that is no longer is a nod ("Yeah, right."), and the talk goes on behind it
_HANDED = 60  # words that may follow a question before somebody else replies to it
_TAIL = 30  # the same for who says most, and may just have thought aloud
_LEAD = 45  # words before a question, in the same turn, that lead up to it


@dataclass(frozen=True, slots=True)
class Talk:
    """Sentences in order. Of each: whether it is part of somebody's ``question``; whether it may ``lead`` up to one;
    where a reply begins, the sentences (first, last exclusive) that it replies to, else None; whether it goes on from
    a ``piece`` before it, since a sentence was so long that it had to be parted."""

    lines: tuple[Line, ...]
    question: tuple[bool, ...]
    lead: tuple[bool, ...]
    replies: tuple[tuple[int, int] | None, ...]
    piece: tuple[bool, ...]


def talk(lines: Sequence[Line]) -> Talk:
    """What goes on in these sentences."""
    question = [asks(line) for line in lines]
    replies: list[tuple[int, int] | None] = [None] * len(lines)
    leads = [False] * len(lines)
    turns = _turns(lines)
    most = _most(lines)
    for number, (first, last) in enumerate(turns):
        asked = [at for at in range(first, last) if question[at]]
        if not asked:
            continue
        for at, following in zip(asked, [*asked[1:], last], strict=True):
            if at + 1 < following:  # somebody asks and goes on: perhaps it was to themselves
                replies[at + 1] = (at, at + 1)
        rest = sum(len(line.text.split()) for line in lines[asked[-1] + 1 : last])
        if number + 1 < len(turns) and lines[first].speaker and rest <= _HANDED:
            lead = asked[0]
            while lead > first and sum(len(line.text.split()) for line in lines[lead - 1 : asked[0]]) <= _LEAD:
                lead -= 1
            if lines[first].speaker != most:
                leads[lead : asked[0]] = [True] * (asked[0] - lead)
            if rest <= _TAIL or lines[first].speaker != most:
                question[asked[-1] : last] = [True] * (last - asked[-1])
            replies[asked[-1] + 1 : last] = [None] * (last - asked[-1] - 1)
            replies[turns[number + 1][0]] = (lead, last)
    ended = [_ENDED.search(line.text) is not None for line in lines]
    piece = [
        at > 0 and not ended[at - 1] and lines[at - 1].speaker == line.speaker and any(ended)
        for at, line in enumerate(lines)
    ]
    return Talk(tuple(lines), tuple(question), tuple(leads), tuple(replies), tuple(piece))


_ENDED = re.compile(r"[.!?…:;—–-][\"'”’)\]]*$")


def _turns(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Runs of sentences (first, last exclusive) by one speaker; nods of others are none, and part them not."""
    turns: list[tuple[int, int]] = []
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and lines[end].speaker == lines[at].speaker:
            end += 1
        nod = sum(len(line.text.split()) for line in lines[at:end]) <= _NOD and not asks(lines[at])
        if not nod or not turns:
            if turns and lines[turns[-1][0]].speaker == lines[at].speaker:
                turns[-1] = (turns[-1][0], end)
            else:
                turns.append((at, end))
        at = end
    return turns


def hosts(said: Talk) -> frozenset[str]:
    """Who asks here, and lets others reply: all but the one who says most."""
    asking = {
        said.lines[reply[0]].speaker for at, reply in enumerate(said.replies)
        if reply is not None and said.lines[reply[0]].speaker != said.lines[at].speaker
    }
    return frozenset(asking - {_most(said.lines)})


def _most(lines: Sequence[Line]) -> str:
    """Who says most."""
    spoken: dict[str, int] = {}
    for line in lines:
        spoken[line.speaker] = spoken.get(line.speaker, 0) + len(line.text)
    return max(spoken, key=lambda name: spoken[name], default="")


_TAG = re.compile(r"[,.] (?:right|you know|okay|correct|yeah|huh|no|isn't it|isn't that|or not)\?$", re.IGNORECASE)
_ASKED = re.compile(
    r"(?:(?:so|and|but|well|okay|now|then|or|like|i mean|you know|yeah)[,.]? )*(?:who|what|when|where|why|how|which"
    r"|whose|is|are|was|were|do|does|did|can|could|would|will)\b",
    re.IGNORECASE,
)
# questions that a recogniser wrote without a question mark
_PUT = re.compile(
    r"(?:(?:so|and|but|well|okay|now|then|or|like|i mean|you know|yeah)[,.]? )*(?:(?:what|how|why|where|when) (?:do"
    r"|does|did"
    r"|would|can|could|should|are|were) (?:you|we|they|people)|who(?:'s| is) going to|(?:can|could|do|would|did"
    r"|are) you)\b",
    re.IGNORECASE,
)
_SO = r"(?:(?:so|and|now|then|well|okay|but|please|maybe|perhaps|yeah|yes|right|like|oh|cool|great)[,.]? )*"
_PROMPT = re.compile(
    rf"{_SO}(?:(?:can|could|would) you |let's |i(?:'d| would) (?:like|love) (?:you )?to )?"
    r"(?:tell|explain|describe|walk|talk|give|remind|take|share|help|start)\b.{0,12}"
    r"\b(?:us|me|our|through|to|about|with)\b"
    rf"|{_SO}you (?:can|could|want to) (?:tell|explain|describe|talk|walk|start|give|share)\b"
    r"|.{0,40}\b(?:i (?:wanted|want) to ask|my (?:\w+ )?question|i was wondering|i wonder|i'm curious"
    r"|curious (?:to|how|what|if))\b",
    re.IGNORECASE,
)


def asks(line: Line) -> bool:
    """True for a question, also one that is put as a request ("Tell us about the bees."); not for "…, right?"."""
    text = line.text
    if "?" in text:
        tail = _TAG.search(text)
        return not tail or "?" in text[: tail.start()] or _ASKED.match(text[: tail.start()]) is not None
    return _PROMPT.match(text) is not None or _PUT.match(text) is not None


_IDLE = re.compile(
    r"\[[^\[\]]{0,80}(?:sponsor|music|laughter|removed|ad)[^\[\]]{0,80}\]|\bsponsor"
    r"|\bpromo code\b|\bdiscount\b|\bsubscribe\b"
    r"|\bwelcome (?:back|to)\b|\b(?:today'?s|this) (?:episode|podcast)\b|^(?:\w+, )?welcome,? \w+"
    r"|\bthanks? (?:you )?(?:so much )?for (?:having|coming|joining|listening)"
    r"|\bhave .{1,30} on (?:today|the show)\b|\bcheck (?:it|us) out\b|\btook notes\b"
    r"|\b(?:good|great|excellent|interesting|fair|important) question\b"
    r"|^(?:\w+, )?(?:sorry|i don'?t know|i'?m not sure|let me think|that'?s a good|i agree|i guess so)\b"
    r"|\bwrote a book\b|\bhow(?:'s| is) it going\b|\bmy name is\b|\bglad to have\b|\benjoy the (?:episode|show)\b"
    r"|\bgood try\b|\bnext (?:slide|question|topic)\b|^does that make sense",
    re.IGNORECASE,
)


def idle(text: str) -> bool:
    """True for what passes between people without saying anything: greetings, thanks, advertisements, hesitation."""
    return _IDLE.search(text) is not None


_ANNOUNCES = re.compile(
    r"\b(?:go(?:ing)?|get(?:ting)?|want(?:ed)?|like|love) (?:to|into) (?:talk|be talking|get into|mention|dive|dig"
    r"|jump)\b"
    r"|\blet'?s (?:talk|get|dive|do|see|jump|switch)\b|\bwe(?:'ll| will) (?:talk|get|come|see)\b"
    r"|\byou (?:just )?mentioned\b"
    r"|\b(?:i'?ll|i will|i'?m going to|i'?m gonna|let me) (?:talk|get|come back|go into|explain|describe|give|try"
    r"|show|walk)\b"
    r"|\b(?:as|like) (?:i|we|you) (?:said|mentioned|talked|discussed)\b.{0,20}$|\bbrings (?:me|us) to\b"
    r"|\bif (?:that|it) makes sense\b",
    re.IGNORECASE,
)


def announces(text: str) -> bool:
    """True for a sentence that says what will be said: "Let's talk about the custody side." """
    return _ANNOUNCES.search(text) is not None


_LEANS = re.compile(
    r"(?:he|she|they|it|that|this|those|these|which|who|because|or|also|then|there|that's|it's|they're)\b",
    re.IGNORECASE,
)


def leans(text: str) -> bool:
    """True for a sentence whose first word points back to what was said before it."""
    return _LEANS.match(text) is not None
