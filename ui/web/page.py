# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: an episode to listen to, its topics, and a place to ask.

Gradio carries the question to Python and the answer back; everything else happens in the browser, in the small files
in ``static/``: ``page.html`` (what is there), ``page.css`` (how it looks) and the ``.js`` files (what it
does). They reach the browser inside the page itself, so nothing is fetched from anywhere else. The library, the
status and the voice come through the server's JSON door (``ui/web/server.py``), sound from ``/audio``.

Text of feeds, titles and transcripts never passes through HTML or through Gradio's templates (which run as
JavaScript template literals): the scripts put it in as ``textContent`` only.
"""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from episodes.store.library import Library
    from retrieval.model import Answer, Question, Sentence
    from ui.companion import Status

Json = dict[str, Any]
T = TypeVar("T")

STATIC = Path(__file__).parent / "static"
SCRIPTS = (
    "dom.js", "player.js", "excerpt.js", "timeline.js", "progress.js", "transcript.js", "speech_output.js",
    "microphone.js", "answer.js", "commands.js", "export.js", "add.js", "episode_list.js", "episode_view.js", "ask.js",
    "main.js",
)
"""In the order in which they need each other."""

PATIENCE = 300.0
"""Seconds a question waits for the engines before the page says that they are still loading."""

CACHE = (3600, 3600)
"""Every so many seconds, files that Gradio has kept for so many seconds go (recordings that were never asked)."""

TOGETHER = 0.004
"""Seconds that a piece of an answer waits for the next: with no language model all of it comes as one."""

ASKERS = 16
"""Questions worked on at the same time; more wait in Gradio's queue."""


class Companion(Protocol):
    """What the page needs from ``ui.companion.Companion``."""

    @property
    def library(self) -> "Library":
        """The episodes."""

    def status(self) -> "Status":
        """How far the start is, and which engines are in use."""

    def ask(self, question: "Question", within: Collection[str] | None = None) -> "Answer":
        """Find the moments that answer, in these episodes or in all, and compose the answer."""

    def telling(
        self, question: "Question", within: Collection[str] | None = None
    ) -> Iterator["Sentence | Answer"]:
        """The sentences of the answer as they are made, then the whole of it."""


def mount(app: "FastAPI", companion: Companion) -> "FastAPI":
    """Put the page at the root of ``app``, dressed: theme, style and scripts, with nothing from another host."""
    import gradio as gr

    style = f"<style>{(STATIC / 'page.css').read_text('utf-8')}</style>"
    blocks = build(companion)
    blocks.has_launched = True  # Gradio checks which files a request may name only then, and mounting does not set it
    gr.mount_gradio_app(
        app, blocks, path="/", theme=_theme(), head=style, footer_links=[], run_history=False,
        favicon_path=STATIC / "page.svg",
        show_error=True, mcp_server=True, max_file_size="1mb",  # files come in by another door, which has its own bound
    )
    return app


def build(companion: Companion) -> "gr.Blocks":
    """The Gradio page over ``companion``; ``mount`` adds its looks."""
    import gradio as gr

    from ui.web import mcp_tools

    async def ask(text: str, context: Json) -> AsyncIterator[Json]:
        async for news in answer_events(companion, text, context):
            yield news

    with gr.Blocks(title="Earmark", analytics_enabled=False, fill_width=True, delete_cache=CACHE) as page:
        _part(gr, "top")
        with gr.Row(elem_id="columns", equal_height=False):
            with gr.Column(elem_id="main", scale=3, min_width=0):
                _part(gr, "episode")
                with gr.Column(elem_id="ask", min_width=0):
                    _part(gr, "ask")
                    with gr.Row(elem_id="ask-row", equal_height=True):
                        question = gr.Textbox(
                            label="Ask me anything about this podcast episode", show_label=False, container=False,
                            placeholder="Ask me anything about this podcast episode…", lines=1, max_lines=4,
                            max_length=2000, elem_id="question", scale=1, min_width=0,
                        )
                        button = gr.Button("Ask", variant="primary", elem_id="ask-button", scale=0, min_width=0)
                    _part(gr, "answer")
            with gr.Column(elem_id="side", scale=2, min_width=0):
                _part(gr, "side")
        context = gr.JSON({}, visible=False)  # filled by the browser: episode, position, number of the turn
        news = gr.HTML(
            None, html_template="", js_on_load="Earmark.start({ props, watch })", elem_id="news",
            head=f"<script>{_scripts()}</script>", apply_default_css=False,
        )

        gr.on(
            [button.click, question.submit], ask, [question, context], news, js="Earmark.asking",
            show_progress="hidden", trigger_mode="multiple", api_visibility="private",
            concurrency_limit=ASKERS, concurrency_id="ask",
        ).failure(None, js="() => Earmark.broke()")
        mcp_tools.offer(gr, companion)
    blocks: gr.Blocks = page
    return blocks


async def answer_events(companion: Companion, text: str, context: Json) -> AsyncIterator[Json]:
    """What the page is told after a question: waiting and telling (any number of times), then an answer or an error.

    Telling has the sentences so far: a language model makes them one by one, and each is read aloud as it comes.

    ``context`` is what the browser knows: ``turn`` (a number that comes back with every event, so that a late answer
    to an older question is recognised), ``episode`` (id or None), ``scope`` ("episode", "show" or "library"),
    ``position`` and ``heard_until`` (seconds; it counts in the episode on the page only).
    """
    from retrieval.model import Answer, Question, Sentence
    from ui import schemas
    from voice.errors import EarmarkError

    turn = context.get("turn", 0)
    text = text.strip()
    if not text:
        return
    async for waiting in _until_ready(companion):
        yield waiting | {"turn": turn}
        if waiting["state"] != "waiting":
            return
    question = Question(
        text, context.get("episode"), context.get("position"), context.get("heard_until"),
        schemas.turns_from(context.get("history", ())), context.get("since"), context.get("playing"),
    )
    try:
        told: list[Json] = []
        async for made in _arriving(lambda: _telling(companion, question, context.get("scope", "episode"))):
            told += [schemas.sentence_json(one) for one in made if isinstance(one, Sentence)]
            if isinstance(made[-1], Answer):
                yield schemas.answer_json(made[-1]) | {"state": "answer", "turn": turn}
            else:
                yield {"state": "telling", "turn": turn, "question": text, "covered": True, "sentences": [*told]}
    except EarmarkError as error:
        yield _problem(error) | {"turn": turn}


def _telling(companion: Companion, question: "Question", scope: str) -> "Iterator[Sentence | Answer]":
    """The answer out of the episode on the page, out of its show, or out of the library."""
    if scope == "episode" or question.episode_id is None:
        return companion.telling(question)
    wide = replace(question, episode_id=None, heard_until=None, playing=question.episode_id)
    show = companion.library.episode(question.episode_id).show
    if scope != "show" or not show:
        return companion.telling(wide)
    return companion.telling(wide, [episode.id for episode in companion.library.episodes() if episode.show == show])


async def _arriving(make: Callable[[], Iterator[T]]) -> AsyncIterator[list[T]]:
    """What an iterator gives that works in a thread of its own: each time, all that has come meanwhile, at least one.

    Its error is raised here. When nobody wants more, it is closed at its next piece.
    """
    loop, arrived, unwanted = asyncio.get_running_loop(), asyncio.Queue[T | Exception | None](), threading.Event()

    def work() -> None:
        try:
            for piece in make():
                if unwanted.is_set():
                    return
                loop.call_soon_threadsafe(arrived.put_nowait, piece)
            loop.call_soon_threadsafe(arrived.put_nowait, None)
        except Exception as error:
            loop.call_soon_threadsafe(arrived.put_nowait, error)

    threading.Thread(target=work, name="earmark-answer", daemon=True).start()
    try:
        while True:
            pieces = [await arrived.get()]
            await asyncio.sleep(TOGETHER)
            while not arrived.empty():
                pieces.append(arrived.get_nowait())
            found = [piece for piece in pieces if piece is not None and not isinstance(piece, Exception)]
            if found:
                yield found
            if pieces[-1] is None:
                return
            if isinstance(pieces[-1], Exception):
                raise pieces[-1]
    finally:
        unwanted.set()


async def _until_ready(companion: Companion) -> AsyncIterator[Json]:
    """Say what is being waited for until the companion is ready; the last word is an error if that never comes."""
    deadline = time.monotonic() + PATIENCE
    said: Json = {}
    while not (status := companion.status()).ready:
        if status.problem:
            yield {"state": "error", "message": status.problem, "hint": ""}
            return
        if time.monotonic() > deadline:
            yield {
                "state": "error", "message": f"Still loading: {_stand(status)}.",
                "hint": "The question is kept; ask again in a moment.",
            }
            return
        news = {"state": "waiting", "message": _stand(status)}
        if news != said:
            yield (said := news)
        await asyncio.sleep(0.25)


def _stand(status: "Status") -> str:
    return f"{status.doing}, {round(100 * status.progress)} %"


def _problem(error: Any) -> Json:
    return {"state": "error", "message": error.message, "hint": error.hint}


def _part(gr: Any, name: str) -> None:
    """One piece of ``page.html``. Without values in it the template never changes, so what the scripts add stays."""
    gr.HTML(html_template=_markup()[name], js_on_load=None, apply_default_css=False, elem_id=f"part-{name}")


@cache
def _markup() -> dict[str, str]:
    """The pieces of ``page.html`` by the name in the comment above each."""
    pieces = re.split(r"<!-- (\w+) -->\n", (STATIC / "page.html").read_text("utf-8"))
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


@cache
def _scripts() -> str:
    return "\n".join((STATIC / name).read_text("utf-8") for name in SCRIPTS)


def _theme() -> Any:
    """Gradio's plain theme with the fonts that are on the machine: no request to a font server."""
    from gradio.themes import Base, colors

    fonts = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    theme = Base(
        primary_hue=colors.teal, secondary_hue=colors.teal, neutral_hue=colors.stone, font=fonts,
        font_mono=["ui-monospace", "monospace"],
    )
    return theme.set(
        body_background_fill="var(--em-paper)", body_background_fill_dark="var(--em-paper)",
        body_text_color="var(--em-ink)", body_text_color_dark="var(--em-ink)",
    )
