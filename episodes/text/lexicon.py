# SPDX-License-Identifier: GPL-3.0-or-later
"""What English itself says about a sentence or a phrase: fillers, function words, and whether it stands alone."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_FUNCTION = """
a an the this that these those some any each every either neither no none both all half much many more most few fewer
less least several such own other another same one ones i me my mine myself you your yours yourself he him his himself
she her hers herself it its itself we us our ours ourselves they them their theirs themselves who whom whose which what
whatever where when why how whether if then else than as so because since until while although though unless and or but
nor yet not n't to of in on at by for from with without within into onto out up down off over under above below beneath
between among across through during before after against about around along behind beyond near toward towards upon via
per is am are was were be been being do does did doing done have has had having can could may might must shall should
will would ought let lets there here again also just only even too very quite rather really actually basically maybe
perhaps probably certainly definitely obviously clearly simply almost always never often sometimes usually ever already
still soon now today yesterday tomorrow once twice away back together apart however therefore thus hence otherwise
anyway anyhow indeed instead yes yeah yep nope okay ok oh ah um uh hmm mm hm huh hey hi hello well right sure exactly
totally absolutely please thanks thank welcome etc i'm you're he's she's it's we're they're i've you've we've they've
i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll it'll we'll they'll isn't aren't wasn't weren't don't doesn't
didn't haven't hasn't hadn't can't couldn't won't wouldn't shouldn't that's there's here's what's who's where's how's
let's cannot gonna wanna gotta kinda sorta
"""
_WEAK = """
thing things stuff way ways kind kinds sort sorts lot lots bit bits something anything nothing everything someone
anyone everyone nobody everybody somebody anybody people person guy guys man case cases point points part parts place
time times day days week weeks month months year years hour hours minute minutes second seconds moment number numbers
example examples question questions answer answers fact idea ideas sense reason reasons term terms end side level good
great nice cool bad big small large little long short high low new old different certain sure able possible interesting
important amazing awesome fun hard easy whole real true next last first third final main actual specific particular
general basic simple super pretty two three four five six seven eight nine ten couple say says said saying tell tells
told telling talk talks talked talking ask asks asked asking call calls called calling speak speaks spoke speaking
mention mentioned know knows knew known knowing think thinks thought thinking believe believes believed guess guessing
mean means meant meaning feel feels felt feeling see sees saw seen seeing look looks looked looking watch hear hears
heard listen listening like likes liked love loves loved want wants wanted wanting need needs needed try tries tried
trying go goes went gone going come comes came coming get gets got gotten getting give gives gave given giving take
takes took taken taking make makes made making put puts putting keep keeps kept keeping leave leaves left leaving let
find finds found finding happen happens happened happening start starts started starting begin begins began beginning
stop stops stopped ends ended ending work works worked working use uses used using run runs ran running show shows
showed shown showing seem seems seemed become becomes became turn turns turned turning move moves moved moving bring
brings brought hold holds held set sets wait waits waited understand understood understands remember remembers learn
learns learned explain explains explained define defines defined describe describes described notice noticed agree
agrees agreed hope hopes hoped help helps helped add adds added sit sits sat stand stands stood live lives lived die
dies died build builds built write writes wrote written read reads play plays played pay pays paid buy buys bought sell
sold send sends sent receive received follow follows followed grow grows grew grown open opens opened close closes
closed depend depends allow allows allowed exist exists existed doing figure figured jump dive pick picked basically
literally especially generally essentially fairly somewhat somehow later early earlier late whenever whereas wherever
everywhere somewhere anywhere ago far forward yeah cause whatnot gist bunch head top piece pieces matter matters teach
teaches taught teaching create creates created creating apply applies applied causes caused consider considers
considered continue continues continued decide decides decided deal deals discuss discusses discussed discussing enter
enters entered expect expects expected explore explores explored fail fails failed forget forgets forgot forgotten
handle handles improve improves improved improving include includes included including increase increases increased
introduce introduces introduced involve involves involved join joins joined lead leads led lose loses lost manage
manages managed meet meets met miss misses missed participate participates participated participating prefer prefers
prevent prevents produce produces produced protect protects provide provides provided reach reaches reached realize
realizes realized reduce reduces reduced refer refers remain remains replace replaces require requires required save
saves saved solve solves solved spend spends spent stay stays stayed suggest suggests suggested suppose throw throws
threw treat treats treated verify verifies wish wishes wonder wonders worry worries worried appear appears appeared
previous current entire enough exact similar common likely ready front rest type types amount amounts aspect aspects
issue issues problem problems factor factors hundred hundreds thousand thousands million millions billion billions dozen
eleven twelve twenty thirty forty fifty sixty percent bucks uh-huh mm-hmm fancy relevance room middle center centre
outside inside variety
"""
PREPOSITIONS = frozenset({
    "of", "for", "and", "on", "with", "versus", "vs", "beneath", "between", "without", "against", "behind", "under",
})  # fmt: skip
_ARTICLES = frozenset({"a", "an", "the", "our", "your", "their", "its"})
_ANNOUNCING = _ARTICLES | {
    "this", "that", "these", "those", "my", "his", "her", "of", "in", "on", "for", "with", "about", "between",
    "against", "beneath", "any", "some", "no", "into", "from", "by", "called", "every", "each", "two", "three", "many",
    "more",
}  # fmt: skip
_SUBJECTS = frozenset({
    "i", "you", "we", "they", "he", "she", "who", "can", "could", "will", "would", "should", "must", "might", "may",
    "to", "not", "don't", "doesn't", "didn't", "won't", "can't", "couldn't", "wouldn't", "i'll", "you'll", "we'll",
    "they'll", "let's", "never", "always", "i've", "we've", "they've", "it", "just", "gonna", "i'd", "you'd", "we'd",
})  # fmt: skip

_OBJECTS = frozenset({"the", "a", "an", "it", "me", "you", "him", "us", "them", "my", "your", "our", "how", "what",
                      "why", "whether", "itself", "themselves"})  # fmt: skip

FUNCTION_WORDS = frozenset(_FUNCTION.split())
WEAK_WORDS = FUNCTION_WORDS | frozenset(_WEAK.split())
"""Function words, and words of talk that tell nothing about its subject."""

_OPENERS = re.compile(
    r"^(?:(?:so|well|yeah|yes|yep|no|nope|and|but|or|okay|ok|right|sure|exactly|totally|absolutely|then|now|also|oh|um|uh"
    r"|uhm|hmm|hm|mm|ah|hey|i mean|you know|i think|i guess|i would say|like|actually|basically|honestly|again|anyway"
    r"|because|cause|look|see|listen|great|cool|awesome|perfect|of course|kind of|sort of|in fact|i suppose|just|plus"
    r"|to be honest|as i said|that said|by the way|first of all|all right|alright|got it|interesting)\b[,.;:!–— …-]*)+",
    re.IGNORECASE,
)
_STUTTER = re.compile(r"\b([\w']{1,40}(?: [\w']{1,40}){0,3})(?:,? \1\b)+", re.IGNORECASE)
_FILLERS = re.compile(
    r"(?:,? ?\b(?:um+|uh+|uhm|erm|you know|i mean|sort of|kind of|like),)|\b(?:um+|uh+|erm) ", re.IGNORECASE
)
_LEANING = re.compile(
    r"^(?:he|she|it|its|they|them|this|that|these|those|there|here|which|who|whose|him|her|his|their|such|both|neither"
    r"|either|another|one|ones|same|it's|that's|he's|she's|they're|they've|there's|here's|what's|that'll|it'll|if so"
    r"|then|else|to do|because|than|though)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|this|that|these|those|they|them|he|she|him|her|there|thing|things|stuff|same)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+(?:['’.+_-][^\W_]+)*\+*")
_TOKEN = re.compile(rf"{_WORD.pattern}|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as it stands in a sentence: its words in lower case, as spelt there, the words (or marks) around it, and
    how many stand before it."""

    words: tuple[str, ...]
    spelt: str
    before: str
    after: str
    place: int


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [match.group().lower().replace("’", "'") for match in _WORD.finditer(text)]


def content_words(text: str) -> list[str]:
    """The words that tell something about the subject, in lower case."""
    return [word for word in words(text) if word not in WEAK_WORDS and len(word) > 1]


def as_written(sentence: str) -> str:
    """A sentence as it would be written: without what people say before they begin, and without stutter."""
    bare = _STUTTER.sub(r"\1", _FILLERS.sub("", sentence.strip()))
    shorter = _OPENERS.sub("", bare).strip()
    kept = shorter if len(shorter.split()) >= 3 else bare
    return kept[:1].upper() + kept[1:]


def leans(sentence: str) -> float:
    """How much a sentence needs the one before it: 0 stands alone, 1 says nothing alone."""
    told = len(content_words(sentence))
    pointing = len(_POINTING.findall(sentence))
    return min(1.0, (0.5 if _LEANING.match(sentence) else 0.0) + 0.5 * pointing / max(1, told + pointing))


def phrases(sentence: str, longest: int = 5) -> Iterator[Phrase]:
    """The runs of up to ``longest`` words that could be a noun phrase: they begin and end with words that tell
    something, may hold a preposition with its article ("layers of the cake"), and cross no punctuation."""
    tokens = [match.group() for match in _TOKEN.finditer(sentence)]
    lower = [token.lower().replace("’", "'") for token in tokens]
    for begin, first in enumerate(lower):
        if first in WEAK_WORDS or not first[0].isalnum() or len(first) < 2:
            continue
        for end in range(begin, min(begin + longest, len(lower))):
            word = lower[end]
            if not word[0].isalnum() or (word in WEAK_WORDS and not _joins(lower, begin, end)):
                break
            if word not in WEAK_WORDS and len(word) > 1:
                yield Phrase(
                    tuple(lower[begin : end + 1]),
                    " ".join(tokens[begin : end + 1]),
                    lower[begin - 1] if begin else "",
                    lower[end + 1] if end + 1 < len(lower) else ".",
                    begin,
                )


def _joins(lower: list[str], begin: int, end: int) -> bool:
    """True for a preposition between two telling words, or the article after it."""
    if lower[end] in _ARTICLES:
        return lower[end - 1] in PREPOSITIONS
    return lower[end] in PREPOSITIONS and lower[end - 1] not in WEAK_WORDS


def grammar(sentences: Iterable[str]) -> dict[str, float]:
    """How noun-like each word is used in a text, from the words around it: 1 noun, 0 verb, 0.5 unknown."""
    noun: Counter[str] = Counter()
    verb: Counter[str] = Counter()
    for sentence in sentences:
        told = words(sentence)
        for before, word in pairwise(told):
            if before in _ANNOUNCING or before.endswith("'s"):
                noun[word] += 1
            elif before in _SUBJECTS:
                verb[word] += 1
            if word in _OBJECTS:
                verb[before] += 1
    return {word: (noun[word] + 0.5) / (noun[word] + verb[word] + 1) for word in noun | verb}


def announces_noun(phrase: Phrase) -> bool:
    """True when the word before a phrase announces a noun ("the …", "of …")."""
    return phrase.before in _ANNOUNCING or phrase.before.endswith("'s")


_NOBODY = re.compile(r"speaker|spk|unknown|^\W*$|^\d+$", re.IGNORECASE)


def names_somebody(speaker: str) -> bool:
    """Whether a speaker's label is a name: "Speaker 2" is none."""
    return _NOBODY.search(speaker) is None
