# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands beside an answer: each time where its words are, only what answers too, every episode of a list."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Served, Visit, starting
from tests.demo import TEN_QUESTIONS

REPLIED = 12.5
"""Seconds before its words at which an answer may begin: with the question that it replies to."""

SUBJECTS = {
    "Orchards": "In an orchard the honey bees pollinate nearly every apple blossom within two weeks of spring.",
    "Cities": "On city roofs honey bees find more kinds of flowers than they do between fields of maize.",
    "Dances": "Honey bees dance on the comb, and the angle of the dance tells the others where the flowers are.",
    "Winters": "Honey bees do not sleep in winter, they shiver in a ball around the queen to keep her warm.",
    "Mites": "The varroa mite is what kills most honey bees, and it came here with trade from Asia.",
    "Medicine": "Doctors once put honey on wounds, since what honey bees make lets hardly anything grow in it.",
}


def ask(page: Any, text: str) -> None:
    page.fill("#question textarea", text)
    with page.expect_response(lambda reply: reply.url.endswith("/api/conversations")):
        page.click("#ask-button")
    expect(page.locator("#asked")).to_have_text(text)


def fetched(url: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.load(reply)


def spoken(text: str) -> list[str]:
    return re.findall(r"[\w'’]+", text.lower())


def begins(cues: list[dict[str, Any]], quote: str, near: float) -> float:
    """The second at which a quote's first words are said, by the cues' own times."""
    said = [(word, cue["start"] + (cue["end"] - cue["start"]) * i / len(words))
            for cue in cues for words in [spoken(cue["text"])] for i, word in enumerate(words)]  # fmt: skip
    first = spoken(quote)[:5]
    places = [said[i][1] for i in range(len(said)) if [word for word, _ in said[i : i + len(first)]] == first]
    return min(places, key=lambda at: abs(at - near))


def test_times_are_where_the_words_are_and_more_is_only_what_answers_too(visit: Visit, served: Served) -> None:
    cues = fetched(served.url, f"/api/episodes/{served.demo}/transcript")
    page = visit(f"{served.url}/?episode={served.demo}")
    page.uncheck("#aloud")
    further = 0
    for question in TEN_QUESTIONS:
        ask(page, question.text)
        answer = page.evaluate(
            """() => ({
                told: [...document.querySelectorAll("#sentences .sentence")].map((line) => ({
                    text: line.querySelector(".words").textContent,
                    times: [...line.querySelectorAll(".time")]
                        .map((time) => [Number(time.dataset.seek), time.querySelector(".clock").textContent]),
                })),
                more: [...document.querySelectorAll("#evidence:not([hidden]) .moment")].map((row) => ({
                    at: Number(row.querySelector(".time").dataset.seek),
                    quote: row.querySelector("blockquote").textContent,
                    speaker: row.querySelector(".moment-speaker").textContent,
                })),
            })"""
        )
        quotes = []
        for line in answer["told"]:
            ((at, shown),) = line["times"]
            quotes.append(re.search("“(.+)”", line["text"]).group(1))
            assert f"at {shown}" in line["text"], "what is said is what is shown"
            assert -1 < begins(cues, quotes[-1], at) - at < REPLIED
        for row in answer["more"]:
            assert row["at"] == pytest.approx(begins(cues, row["quote"], row["at"]), abs=1)
            assert row["speaker"] in {cue["speaker"] for cue in cues}
            assert len(spoken(row["quote"])) >= 5
            assert not any(row["quote"] in quote or quote in row["quote"] for quote in quotes), "it is quoted"
            further += 1
    assert further <= 2 * len(TEN_QUESTIONS), "little answers as well"


def test_the_first_sentence_comes_with_its_sound_and_is_not_asked_for(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    spoken: list[str] = []

    def note(request: Any) -> None:
        if request.url.endswith("/api/speak"):
            spoken.append(request.post_data_json["text"])

    page.on("request", note)
    page.click("#question textarea")  # a browser lets a page sound that was touched
    ask(page, TEN_QUESTIONS[0].text)
    expect(page.locator(".sentence.sounding")).to_have_count(1)
    first, *others = page.locator("#sentences .words").all_inner_texts()
    page.evaluate("Earmark.hush()")
    ask(page, "What topics are there?")
    expect(page.locator(".sentence.sounding")).to_have_count(1)
    page.evaluate("Earmark.hush()")
    assert first and set(spoken) <= set(others)


def test_the_topics_of_an_episode_are_rows_and_none_is_left_out(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    page.uncheck("#aloud")
    ask(page, "What topics are there?")
    topics = page.evaluate("Earmark.chosen().segments")
    assert len(topics) > 4, "more than are read out"
    rows = page.locator("#sentences .moment")
    expect(rows.locator("blockquote")).to_have_text([topic["title"] for topic in topics])
    expect(page.locator("#sentences")).not_to_contain_text("more.")
    assert [float(time.get_attribute("data-seek")) for time in rows.locator(".time").all()] == pytest.approx(
        [topic["start"] for topic in topics], abs=0.01
    )


@pytest.mark.long
def test_every_episode_of_a_list_has_a_row_with_its_title_and_words(visit: Visit, tmp_path: Path) -> None:
    from ui.companion import Companion
    from ui.settings import Settings

    companion = Companion(Settings(data_dir=tmp_path / "earmark", demo=False))
    try:
        for title, text in SUBJECTS.items():
            path = tmp_path / f"{title}.vtt"
            path.write_text(f"WEBVTT\n\n00:05.000 --> 00:13.000\n<v Ada>{text}\n")
            companion.add(path)
    finally:
        companion.close()
    with starting(tmp_path / "earmark") as url:
        page = visit(url)
        page.uncheck("#aloud")
        for question in ("Which episodes talk about honey bees?", "How many of my episodes mention honey bees?"):
            ask(page, question)
            expect(page.locator("#sentences")).not_to_contain_text("more.")
            named = [line.split(" · ")[-1] for line in page.locator("#sentences .moment-speaker").all_inner_texts()]
            assert sorted(set(named) & set(SUBJECTS)) == sorted(SUBJECTS)
            assert len(named) == len(set(named)), "one row for an episode"
        ask(page, "Which episodes talk about honey bees?")
        for row in page.locator("#sentences .moment", has_text="Ada").all():
            title = row.locator(".moment-speaker").inner_text().split(" · ")[-1]
            assert row.locator("blockquote").inner_text()[:30] == SUBJECTS[title][:30]
        page.close()


def test_the_heat_is_that_of_the_question_as_it_was_understood(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    page.uncheck("#aloud")
    heats = []
    for text in ("Why is a chatbot like a mirror?", "Tell me more about that."):
        with page.expect_response(lambda reply: reply.url.endswith("/api/heat")) as heat:
            ask(page, text)
        heats.append(heat.value.json())
    alone = fetched(served.url, "/api/heat", {"text": "Tell me more about that.", "episode": served.demo})
    assert heats[1] == heats[0], "more of the same is looked for in the same way"
    assert alone != heats[0]
