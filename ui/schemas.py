# SPDX-License-Identifier: GPL-3.0-or-later
"""How answers and episodes look as JSON, on the command line and over HTTP: one shape for both."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from episodes.sources.http import masked
from retrieval.model import Answer, Command, Moment, Question, Sentence
from ui.attribution import Attribution
from voice.turns.commands import COMMAND_RULES, CommandName

if TYPE_CHECKING:  # the command line needs the shapes, and not what fills them
    from episodes.ingest.status import Work
    from episodes.model import Cue, Episode, Show
    from episodes.store.jobs import JobState
    from episodes.store.library import Library
    from ui.companion import Status

Json = dict[str, Any]

LONGEST_TEXT = 2_000
"""Characters of a question, of a text to speak, or of a quote in the conversation so far."""


def moment_json(moment: Moment) -> Json:
    """A moment: times in seconds, ``confidence`` in 0..1."""
    return {
        "episode": moment.episode_id,
        "start": round(moment.start, 3),
        "end": round(moment.end, 3),
        "speaker": moment.speaker,
        "quote": moment.quote,
        "confidence": round(moment.confidence, 4),
    }


def answer_json(answer: Answer) -> Json:
    """An answer: its sentences with the moments they rest on, and the moments found, best first."""
    return {
        "question": answer.question,
        "covered": answer.covered,
        "sentences": [sentence_json(sentence) for sentence in answer.sentences],
        "moments": [moment_json(moment) for moment in answer.moments],
        "command": command_json(answer.command),
        "remark": answer.remark,
    }


def command_json(command: Command | None) -> Json | None:
    """What is to be carried out, or null: ``name``, ``amount`` (a number or null) and ``about``."""
    return None if command is None else {"name": str(command.name), "amount": command.amount, "about": command.about}


def commands_json() -> list[Json]:
    """Every command: its ``name``, one way to ``say`` it, and the ``amount`` (of ``unit``) meant when none is said."""
    return [
        {"name": str(name), "say": rule.say, "amount": rule.amount, "unit": rule.unit}
        for name, rule in COMMAND_RULES.items()
    ]


def question_json(question: Question) -> Json:
    """A question as ``POST /api/ask`` takes it."""
    return {
        "text": question.text,
        "episode": question.episode_id,
        "position": question.position,
        "heard_until": question.heard_until,
        "since": question.since,
        "playing": question.playing,
        "history": [
            {"text": turn.text, "moments": [moment_json(moment) for moment in turn.moments]}
            for turn in question.history
        ],
    }


def moment_from(data: Json) -> Moment:
    """The inverse of ``moment_json``."""
    return Moment(
        data["episode"], data["start"], data["end"], data["quote"], data["speaker"], data["confidence"]
    )


def sentence_json(sentence: Sentence) -> Json:
    """A sentence with the moments it rests on."""
    return {"text": sentence.text, "moments": [moment_json(moment) for moment in sentence.moments]}


def sentence_from(data: Json) -> Sentence:
    """The inverse of ``sentence_json``."""
    return Sentence(data["text"], tuple(map(moment_from, data["moments"])))


def news_json(news: Sentence | Answer) -> Json:
    """One line of a streamed answer: ``{"sentence": …}``, and at the end ``{"answer": …}``."""
    return {"sentence": sentence_json(news)} if isinstance(news, Sentence) else {"answer": answer_json(news)}


def news_from(data: Json) -> Sentence | Answer:
    """The inverse of ``news_json``."""
    return sentence_from(data["sentence"]) if "sentence" in data else answer_from(data["answer"])


def answer_from(data: Json) -> Answer:
    """The inverse of ``answer_json``."""
    sentences = tuple(map(sentence_from, data["sentences"]))
    told = data.get("command")
    command = Command(CommandName(told["name"]), told["amount"], told["about"]) if told else None
    moments = tuple(map(moment_from, data["moments"]))
    return Answer(data["question"], data["covered"], sentences, moments, command, data.get("remark", ""))


def episode_json(episode: "Episode") -> Json:
    """An episode as it stands in a list."""
    return {
        "id": episode.id,
        "title": episode.title,
        "show": episode.show,
        "guests": list(episode.guests),
        "published": episode.published,
        "seconds": round(episode.seconds, 3),
        "source": masked(episode.source),
        "audio": episode.audio,
        "ready": episode.ready,
        "status": episode.status,
        "steps": {
            step.step.value: {"state": step.state.value, "progress": round(step.progress, 3), "reason": step.reason}
            for step in episode.steps
        },
    }


def show_json(show: "Show") -> Json:
    """A show as it stands in a list; ``seconds`` is the length of all its episodes."""
    return {"show": show.name, "episodes": show.episodes, "ready": show.ready, "seconds": round(show.seconds, 3)}


def cue_json(cue: "Cue") -> Json:
    """A line of a transcript; with ``words``, each its start in seconds and its text, when they are known."""
    return {"start": cue.start, "end": cue.end, "speaker": cue.speaker, "text": cue.text} | (
        {"words": [[round(word.start, 2), word.text.strip()] for word in cue.words]} if cue.words else {}
    )


def episode_page_json(library: "Library", episode: "Episode") -> Json:
    """An episode with everything that is known about it but its transcript; where nobody told its guests, ``guests``
    are those who speak."""
    digest, source = library.digest(episode.id), library.source(episode.id)
    segments = library.segments(episode.id)
    quoted = digest.writer == "extractive"  # else the sentences are a language model's own
    speakers = Attribution(library.cues(episode.id) if quoted or not episode.guests else ())
    return episode_json(episode) | {
        "guests": list(episode.guests) or speakers.named(),
        "notes": source.notes,
        "link": source.link,
        "teaser": digest.teaser,
        "summary": digest.summary,
        "said": {name: speakers.parts(getattr(digest, name)) if quoted else [] for name in ("teaser", "summary")},
        "questions": list(digest.questions),
        "writer": digest.writer,
        "segments": [
            {"start": segment.start, "end": segment.end, "title": segment.title, "summary": segment.summary,
             "said": speakers.parts(segment.summary, segment.start, segment.end) if quoted else []}
            for segment in segments
        ],
        "chapters": [{"start": chapter.start, "title": chapter.title} for chapter in library.chapters(episode.id)],
    }


def work_json(work: "Work") -> Json:
    """What is being taken in: ``fraction`` of the step in 0..1, ``eta`` in seconds or null; docs/api.md has it all."""
    return {
        "episode": work.episode_id,
        "title": work.title,
        "state": work.state.value,
        "step": work.step.value,
        "fraction": round(work.fraction, 3),
        "eta": None if work.eta is None else round(work.eta, 1),
        "before": work.before,
        "reason": work.reason,
    }


def status_json(status: "Status", work: "Sequence[Work]" = (), queued: "Mapping[JobState, int] | None" = None) -> Json:
    """How far the start is, what hears, speaks and finds, what is being taken in (of a long queue its beginning), and
    how many jobs there are in each state."""
    return {
        "ready": status.ready,
        "doing": status.doing,
        "progress": round(status.progress, 3),
        "problem": status.problem,
        "engines": [{"role": line.role, "name": line.name, "better": line.better} for line in status.engines],
        "work": [work_json(one) for one in work],
        "queued": {state.value: count for state, count in (queued or {}).items()},
    }
