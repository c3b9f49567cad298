# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of an episode, the transcript that goes along, and whose position is whose."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from episodes.media.recordings import probe
from tests.browser.conftest import Served, Visit
from ui.positions import PlaybackPositions
from ui.shows import ShowSettingsStore


@pytest.fixture
def demo(visit: Visit, served: Served) -> Any:
    page = visit(f"{served.url}/?episode={served.demo}", viewport={"width": 1280, "height": 900})
    expect(page.locator("#topics .time").first).to_be_visible()
    page.uncheck("#aloud")
    return page


def left(page: Any, selector: str) -> float:
    """The place of an element's middle, as a part of the timeline's width."""
    box, lane = page.locator(selector).first.bounding_box(), page.locator("#bands").bounding_box()
    return float((box["x"] + box["width"] / 2 - lane["x"]) / lane["width"])


def test_topics_are_rows_with_times_and_marks_on_the_bar(demo: Any) -> None:
    topics = demo.evaluate("Earmark.chosen().segments")
    bands = [band.bounding_box()["width"] for band in demo.locator(".band").all()]
    seconds = [topic["end"] - topic["start"] for topic in topics]
    for width, length in zip(bands, seconds, strict=True):
        assert width / sum(bands) == pytest.approx(length / sum(seconds), abs=0.01)
    row = demo.locator("#topics .topic").nth(1)
    expect(row.locator(".topic-title")).to_have_text(topics[1]["title"])
    expect(row.locator(".topic-summary .who").first).to_have_text(f"{topics[1]['said'][0][0]}:")
    line = demo.locator("#position").bounding_box()
    demo.mouse.move(line["x"] + line["width"] * (topics[2]["start"] + 3) / sum(seconds), line["y"] + 10)
    expect(demo.locator("#band-title")).to_have_text(topics[2]["title"])
    row.locator(".time").focus()
    demo.keyboard.press("Enter")
    demo.wait_for_function(f"Earmark.player.playing && Earmark.player.position >= {topics[1]['start']}")
    demo.keyboard.press("k")
    expect(row).to_have_class(re.compile("current"))
    expect(demo.locator(".band").nth(1)).to_have_class(re.compile("current"))


def test_a_question_shows_where_its_answer_lies(demo: Any) -> None:
    expect(demo.locator("#heat")).to_be_hidden()
    demo.fill("#question textarea", "What do the simulations of cooperation show?")
    demo.click("#ask-button")
    expect(demo.locator("#heat-path")).to_have_attribute("d", re.compile("^M.+Z$"))
    path = demo.locator("#heat-path").get_attribute("d")
    points = [(float(x) / 1000, 1 - float(y) / 100) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path)]
    warmest = max(points, key=lambda point: point[1])[0]
    answer = float(demo.locator("#sentences .time").first.get_attribute("data-seek"))
    assert warmest == pytest.approx(answer / demo.evaluate("Earmark.player.length"), abs=0.1)
    assert left(demo, ".mark") == pytest.approx(answer / demo.evaluate("Earmark.player.length"), abs=0.01)
    assert demo.locator(".topic.warm").count() >= 1, "the rows of topics show it, too"


def test_the_transcript_goes_along_until_one_scrolls_and_finds_across_lines(demo: Any) -> None:
    demo.click("#tab-transcript")
    expect(demo.locator(".cue")).not_to_have_count(0)
    sight = """() => { const [a, b] = [".cue.current", "#transcript-lines"]
        .map((name) => document.querySelector(name).getBoundingClientRect());
        return a.top >= b.top && a.bottom <= b.bottom; }"""
    demo.evaluate("Earmark.player.seek(300)")
    demo.wait_for_function(sight)
    demo.locator("#transcript-lines").hover()
    demo.mouse.wheel(0, -20_000)
    demo.wait_for_function("document.querySelector('#transcript-lines').scrollTop === 0")
    demo.evaluate("Earmark.player.seek(400)")
    expect(demo.locator("#to-now")).to_be_visible()
    assert demo.evaluate("document.querySelector('#transcript-lines').scrollTop") == 0, "the listener reads up there"
    demo.click("#to-now")
    demo.wait_for_function(sight)
    last, first = demo.evaluate(
        """() => { const [a, b] = document.querySelectorAll(".paragraph .cue");
            return [a.textContent.split(" ").at(-1), b.textContent.split(" ")[0]]; }"""
    )
    demo.fill("#find", f"{last} {first}".upper())
    expect(demo.locator("#find-count")).to_have_text(re.compile(r"^1 of \d+$"))
    found = "[...CSS.highlights.get('em-found-now')][0].toString()"
    assert demo.evaluate(found) == f"{last} {first}"
    demo.fill("#find", "zebra crossing")
    expect(demo.locator("#find-count")).to_have_text("Nothing found")
    colours = demo.eval_on_selector_all(".paragraph .speaker", "all => all.map((p) => getComputedStyle(p).color)")
    assert len(set(colours)) == 2, "two speakers, two colours"


@pytest.mark.long
def test_the_word_that_sounds_is_marked_where_the_times_of_words_are_known(visit: Visit, served: Served) -> None:
    page = visit("about:blank")
    words = [[10 + i, word] for i, word in enumerate(["say", "no", "no", "more"])]
    cues = [{"start": 10, "end": 14, "speaker": "Ada", "text": "say no no more", "words": words}]
    page.route("**/transcript", lambda route: route.fulfill(json=cues))
    page.goto(f"{served.url}/?episode={served.tones}#t=12.5,20")
    expect(page.locator("#now")).to_have_text("0:12")
    page.click("#tab-transcript")
    expect(page.locator(".cue.current")).to_have_text("say no no more")
    mark = "(() => { const [range] = CSS.highlights.get('em-word'); return [range.startOffset, range.toString()]; })()"
    assert page.evaluate(mark) == [7, "no"], "the second of two same words"
    page.evaluate("Earmark.player.seek(13.2)")
    page.wait_for_function(f"{mark}[1] === 'more'")


@pytest.mark.long
def test_a_position_is_kept_for_one_listener_on_all_devices_and_for_nobody_else(visit: Visit, served: Served) -> None:
    address = f"{served.url}/?episode={served.tones}"
    first = visit(address)
    expect(first.locator("#length")).to_have_text("1:00")
    first.evaluate("Earmark.player.jump(10)")
    first.wait_for_function("Earmark.player.position > 11")
    with first.expect_response(lambda reply: "/api/listening/" in reply.url and reply.request.method == "PUT"):
        first.evaluate("Earmark.player.pause()")
    position = first.evaluate("Earmark.player.position")
    expect(first.locator("#heard span")).to_have_count(1)

    stranger = visit(address)
    expect(stranger.locator("#now")).to_have_text("0:00")
    expect(stranger.locator("#heard span")).to_have_count(0)
    expect(stranger.locator("#answer")).to_be_hidden()

    first.reload()
    there = f"window.Earmark?.chosen?.() && Math.abs(Earmark.player.position - {position}) < 0.2"
    first.wait_for_function(there)
    second = visit(f"{address}#listener={first.evaluate('Earmark.progress.key')}")
    own = second.evaluate("Earmark.progress.key")
    expect(second.locator("#other-listener")).to_be_visible()
    assert second.evaluate("JSON.parse(localStorage['earmark:listener'])") == own, "nothing happens unasked"
    second.click("#other-listener-yes")
    second.wait_for_function(there)
    assert second.evaluate("JSON.parse(localStorage['earmark:listener-before'])") == own
    expect(second.locator("#heard span")).to_have_count(1)
    assert "listener" not in second.url, "the key does not stay where others see it"
    first.evaluate("Earmark.player.seek(40)")
    with first.expect_response(lambda reply: "/api/listening/" in reply.url and reply.request.method == "PUT"):
        first.evaluate("Earmark.progress.report()")
    second.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    second.wait_for_function("Math.abs(Earmark.player.position - 40) < 0.2")


def test_an_episode_is_played_as_its_show_is_and_all_others_as_the_listener_hears(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.demo}")
    page.wait_for_function("Earmark.player.episode")
    show = page.evaluate("Earmark.player.episode.show")
    listener = {"X-Listener": page.evaluate("Earmark.progress.key")}
    shows, listeners = ShowSettingsStore(served.data_dir), PlaybackPositions(served.data_dir)
    how = "[Earmark.player.audio.playbackRate, Earmark.player.position, document.getElementById('speed').value]"
    assert page.evaluate(how) == [1, 0, "1"]
    with page.expect_response(lambda reply: reply.url.endswith("/speed") and reply.ok):
        page.select_option("#speed", "1.25")
    assert listeners.speed(listener["X-Listener"]) == 1.25
    shows.set(show, speed=1.3, skip_intro=12.0)
    try:
        page.reload()
        page.wait_for_function("window.Earmark?.player.episode && Earmark.player.audio.readyState > 0")
        assert page.evaluate(how) == [1.3, 12, "1.3"]
        with page.expect_response(lambda reply: reply.url.endswith("/speed") and reply.ok):
            page.select_option("#speed", "1.5")
        assert shows.get(show).speed == 1.5
        page.evaluate("id => Earmark.player.playAt(id, null, false)", served.tones)
        page.wait_for_function("id => Earmark.player.episode.id === id", arg=served.tones)
        assert page.evaluate(how)[0] == 1.25
    finally:
        shows.set(show, speed=0.0, skip_intro=0.0)


@pytest.mark.long
def test_an_answer_can_look_wider_or_only_at_what_was_heard(demo: Any) -> None:
    demo.check("#so-far")
    demo.fill("#question textarea", "Can a machine become a peer?")
    demo.click("#ask-button")
    expect(demo.locator("#asked")).to_have_text("Can a machine become a peer?")
    expect(demo.locator("#verdict")).to_be_visible()
    assert demo.locator("#answer .time").count() == 0, "nothing was heard yet"
    demo.select_option("#scope", "library")
    expect(demo.locator("#so-far")).to_be_disabled()
    expect(demo.locator("#ask-heading")).to_have_text("Ask your library")
    demo.fill("#question textarea", "How do bats find moths in the dark?")
    demo.click("#ask-button")
    expect(demo.locator("#sentences")).to_contain_text("echoes")
    expect(demo.locator("#earlier")).to_be_hidden()  # each place has its own conversation
    demo.select_option("#scope", "episode")
    expect(demo.locator("#asked")).to_have_text("Can a machine become a peer?")


def test_a_follow_up_is_understood_and_a_command_is_carried_out(demo: Any) -> None:
    for text in ("Why is a chatbot like a mirror?", "Tell me more about that."):
        demo.fill("#question textarea", text)
        demo.click("#ask-button")
        expect(demo.locator("#asked")).to_have_text(text)
    expect(demo.locator("#answer .time").first).to_be_visible()
    before = demo.evaluate("Earmark.player.position")
    demo.fill("#question textarea", "go forward twenty seconds")
    demo.click("#ask-button")
    demo.wait_for_function(f"Math.abs(Earmark.player.position - {before} - 20) < 0.5")
    expect(demo.locator("#hint")).to_contain_text("At 0:20")
    assert not demo.evaluate("Earmark.player.playing")


@pytest.mark.long
def test_clip_notes_and_conversation_can_be_taken_away(demo: Any, served: Served, tmp_path: Path) -> None:
    demo.locator(".chip").first.click()
    with demo.expect_download() as clip:
        demo.locator("#sentences .own.clip").first.click()
    clip.value.save_as(tmp_path / "clip.m4a")
    quoted = float(demo.locator("#sentences .time").first.get_attribute("data-seek"))
    assert 1 < probe(tmp_path / "clip.m4a").seconds < 121
    demo.evaluate("Earmark.player.seek(75)")
    demo.click("#tab-keep")
    demo.click("#note-time")
    demo.keyboard.type("worth a second *listen*")
    with demo.expect_download() as saved:
        demo.click("#save-markdown")
    saved.value.save_as(tmp_path / "kept.md")
    text = (tmp_path / "kept.md").read_text()
    assert text.startswith("# Raising the Apprentice\n")
    assert f"t={int(quoted)})" in text
    assert "- [1:15]" in text
    assert "worth a second *listen*" in text
    demo.reload()
    expect(demo.locator("#notes")).to_have_value(re.compile("worth a second"))
    for form in ("vtt", "srt", "markdown", "chapters"):
        reply = demo.request.get(f"{served.url}/api/episodes/{served.demo}/export/{form}")
        assert reply.ok, form
        assert "attachment" in reply.headers["content-disposition"]


@pytest.mark.long
def test_a_damaged_link_for_another_device_changes_nothing(visit: Visit, served: Served) -> None:
    page = visit(f"{served.url}/?episode={served.tones}#listener=%00%1b")
    expect(page.locator("#toast")).to_contain_text("damaged")
    assert re.fullmatch(r"[0-9a-f]{32}", page.evaluate("Earmark.progress.key"))
