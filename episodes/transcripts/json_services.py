# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON transcripts of services and programs whose form needs a reader of its own; each gives nothing for another's."""

from typing import Any

from episodes.transcripts.entries import Entry, without_markup
from episodes.transcripts.json_fields import at, number, row_like, segments, speaker_of, word_probability, words_of
from voice.model import Word


def _deepgram(data: Any) -> list[Entry]:
    """Deepgram: results.utterances, else results.channels[].alternatives[0].words, of all channels."""
    channels = at(data, "results", "channels")
    if not isinstance(channels, list):
        return []
    utterances = at(data, "results", "utterances")
    if isinstance(utterances, list) and utterances and row_like(utterances):
        return list(segments([row for row in utterances if isinstance(row, dict)]))
    found: list[Entry] = []
    for place, channel in enumerate(channels):
        rows = at(channel, "alternatives", 0, "words")
        several = len(channels) > 1
        for row in rows if isinstance(rows, list) else ():
            word = words_of([row], None, None)
            if word:
                who = f"Channel {place + 1}" if several and "speaker" not in row else speaker_of(row)
                found.append(Entry(word[0].start, word[0].end, (word[0].text,), who, (word[0],)))
    return sorted(found, key=lambda entry: entry.start or 0.0)


def _amazon(data: Any) -> list[Entry]:
    """Amazon Transcribe: results.items, speakers in the items or in results.speaker_labels."""
    items = at(data, "results", "items")
    if not isinstance(items, list):
        return []
    named: dict[float, str] = {}
    for segment in at(data, "results", "speaker_labels", "segments") or ():
        for item in (segment.get("items") or ()) if isinstance(segment, dict) else ():
            start = number(item.get("start_time")) if isinstance(item, dict) else None
            if start is not None:
                named[start] = speaker_of(item)
    found: list[Entry] = []
    for item in items:
        said = at(item, "alternatives", 0, "content")
        if not isinstance(said, str) or not said:
            continue
        start, end = number(item.get("start_time")), number(item.get("end_time"))
        if start is None:  # a punctuation mark belongs to the word before it
            if found:
                last = found[-1]
                word = Word(
                    last.words[0].start, last.words[0].end, last.words[0].text + said, last.words[0].probability
                )
                found[-1] = Entry(last.start, last.end, (word.text,), last.speaker, (word,))
            continue
        stop = end if end is not None and end >= start else start
        word = Word(start, stop, without_markup(said), word_probability(item["alternatives"][0]))
        found.append(Entry(start, stop, (word.text,), named.get(start, "") or speaker_of(item), (word,)))
    return found


def _rev(data: Any) -> list[Entry]:
    """Rev: monologues with a speaker and elements, words with times and marks without."""
    monologues = at(data, "monologues")
    if not isinstance(monologues, list):
        return []
    names = {row.get("id"): row.get("name") for row in at(data, "speakers") or () if isinstance(row, dict)}
    found = []
    for row in monologues:
        elements = [
            one for one in at(row, "elements") or () if isinstance(one, dict) and isinstance(one.get("value"), str)
        ]
        body = "".join(one["value"] for one in elements)
        words = words_of([one for one in elements if one.get("type") == "text" or "ts" in one], None, None)
        if body.strip():
            who = names.get(at(row, "speaker")) or speaker_of(row)
            start, end = (words[0].start, words[-1].end) if words else (None, None)
            found.append(Entry(start, end, (body,), without_markup(str(who)), ()))
    return found


def _google(data: Any) -> list[Entry]:
    """Google Speech-to-Text: results[].alternatives[0].words with startTime "1.2s"."""
    results = at(data, "results") or at(data, "response", "results")
    if not isinstance(results, list):
        return []
    found = []
    for result in results:
        best = at(result, "alternatives", 0)
        words = words_of(at(best, "words"), None, None)
        if words:
            found.append(Entry(words[0].start, words[-1].end, (str(best.get("transcript", "")),), "", tuple(words)))
    return found


def _azure(data: Any) -> list[Entry]:
    """Azure's batch transcription: recognizedPhrases with offsetInTicks (100 ns)."""
    phrases = at(data, "recognizedPhrases")
    if not isinstance(phrases, list):
        return []
    found = []
    for row in phrases:
        said, offset, length = at(row, "nBest", 0, "display"), at(row, "offsetInTicks"), at(row, "durationInTicks")
        start, more = number(offset), number(length)
        if isinstance(said, str) and start is not None:
            found.append(Entry(start / 1e7, (start + (more or 0)) / 1e7, (said,), speaker_of(row)))
    return found


def _json3(data: Any) -> list[Entry]:
    """YouTube's json3: events with segs, times in milliseconds, each seg with its offset."""
    events = at(data, "events")
    if not isinstance(events, list) or not any(isinstance(one, dict) and "tStartMs" in one for one in events):
        return []
    found: list[Entry] = []
    for event in events:
        segs = [one for one in at(event, "segs") or () if isinstance(one, dict) and isinstance(one.get("utf8"), str)]
        start = number(at(event, "tStartMs"))
        if not segs or start is None or not "".join(one["utf8"] for one in segs).strip():
            continue
        end = start + (number(at(event, "dDurationMs")) or 0.0)
        offsets = [start + (number(one.get("tOffsetMs")) or 0.0) for one in segs]
        words: list[Word] = []
        if len(segs) > 1:
            for one, begin, stop in zip(segs, offsets, [*offsets[1:], end], strict=True):
                if one["utf8"].strip():
                    span = round(begin / 1000, 3), round(max(begin, stop) / 1000, 3)
                    words.append(Word(*span, without_markup(one["utf8"])))
        if (
            found and found[-1].end is not None and found[-1].end > start / 1000
        ):  # the line stays while the next is shown
            last = found[-1]
            cut = tuple(Word(word.start, min(word.end, start / 1000), word.text) for word in last.words)
            found[-1] = Entry(last.start, max(last.start or 0.0, start / 1000), last.lines, "", cut)
        found.append(Entry(round(start / 1000, 3), round(end / 1000, 3), ("".join(one["utf8"] for one in segs),), "",
                           tuple(words)))  # fmt: skip
    return found


def _whisper_cpp(data: Any) -> list[Entry]:
    """whisper.cpp's -oj and -ojf: transcription with offsets in milliseconds and, in full, tokens."""
    rows = at(data, "transcription")
    if not isinstance(rows, list) or not any(
        isinstance(row, dict) and ("offsets" in row or "timestamps" in row) for row in rows
    ):
        return []
    found = []
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            continue
        span = [number(at(row, "offsets", edge)) for edge in ("from", "to")]
        start, end = (None if one is None else one / 1000 for one in span)
        if start is None:
            start, end = (number(at(row, "timestamps", edge)) for edge in ("from", "to"))
        turn = "" if not isinstance(row.get("speaker"), str | int) else speaker_of(row)
        found.append(Entry(start, end, (row["text"],), turn, tuple(_tokens(row.get("tokens")))))
    return found


def _tokens(tokens: object) -> list[Word]:
    """Words out of whisper.cpp's tokens, which are parts of words; a blank in front begins a new one."""
    words: list[Word] = []
    for token in tokens if isinstance(tokens, list) else ():
        said = token.get("text") if isinstance(token, dict) else None
        start, end = number(at(token, "offsets", "from")), number(at(token, "offsets", "to"))
        if not isinstance(said, str) or not said.strip() or said.startswith("[_") or start is None or end is None:
            continue
        if "\ufffd" in said:
            return []
        begin, stop = start / 1000, max(start, end) / 1000
        if words and not said[0].isspace():
            words[-1] = Word(words[-1].start, max(words[-1].end, stop), words[-1].text + without_markup(said))
        else:
            words.append(Word(begin, stop, without_markup(said)))
    return words


READERS = (_deepgram, _amazon, _rev, _google, _azure, _json3, _whisper_cpp)
"""In the order in which they are tried."""
