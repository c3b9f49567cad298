# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to what no episode can answer: no words, half a question, another language, a command nobody knows."""

from episodes.text.language import language_of, name_of
from episodes.text.lexicon import FUNCTION_WORDS, words
from retrieval.answers.compose import plainly
from retrieval.answers.corpus import Corpus
from retrieval.commands.intents import Intent, Plan
from retrieval.model import Answer, Question

_SHOWN = 6  # words of a fragment that are repeated


def in_another_language(question: Question, corpus: Corpus) -> Answer | None:
    """The true sentence for a question in another language than the episode's that is asked; None for any other."""
    episode = corpus.episodes.by_id(question.episode_id) if question.episode_id else None
    spoken = episode.language if episode is not None else ""
    asked = language_of([question.text]) if spoken else ""
    if not asked or asked == spoken:
        return None
    theirs = name_of(spoken)
    text = f"This episode is in {theirs}, and that sounds like {name_of(asked)}; ask it in {theirs}."
    return plainly(question, text, covered=False)


def unanswerable(plan: Plan, question: Question, corpus: Corpus) -> Answer | None:
    """The true sentence for it; None for what can be looked for."""
    match plan.kind:
        case Intent.NOTHING:
            text = "I heard no words." if not question.text.strip() else "There are no words in that."
            return plainly(question, f"{text} Ask me something about the episode.", covered=False)
        case Intent.UNKNOWN_COMMAND:
            return plainly(question, "I cannot do that. Say help to hear what I can do.", covered=False)
    searches = plan.kind in (Intent.SEARCH, Intent.FRAGMENT)
    if searches and (language := _strange(question.text, corpus)) is not None:
        return plainly(question, f"That sounds like {language}. I understand only English.", covered=False)
    if plan.kind is Intent.FRAGMENT:
        heard = " ".join(question.text.split()[:_SHOWN]).strip(" ?.!,")
        return plainly(question, f"I heard only: {heard}. What would you like to know?", covered=False)
    return None


def _strange(text: str, corpus: Corpus) -> str | None:
    """The language of a question that is not English, unless an episode is in it or the library holds most of its
    words."""
    code = language_of([text])
    if code in ("", "en") or code in corpus.episodes.languages():
        return None
    telling = [word for word in dict.fromkeys(words(text)) if word not in FUNCTION_WORDS and word.isalnum()]
    known = sum(corpus.frequency(word) > 0 for word in telling)
    return name_of(code) if 2 * known <= len(telling) else None
