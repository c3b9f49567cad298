# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: an episode to listen to, its topics, and a place to ask.

Gradio gives the shell, the description of the tools and the MCP server. What happens on the page happens in the
browser, in the small files in ``static/``: ``page.html`` (what is there), ``page.css`` (how it looks) and the ``.js``
files (what it does). They reach the browser inside the page itself, so nothing is fetched from anywhere else.
Questions, the library, the status and the voice go through the server's own API (``ui/web/api``), sound comes from
``/audio``. No event of Gradio's is bound to the page: its queue takes the calls of the four tools, and nothing else.

Text of feeds, titles and transcripts never passes through HTML or through Gradio's templates (which run as
JavaScript template literals): the scripts put it in as ``textContent`` only.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.companion import Companion

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

STATIC = Path(__file__).parent / "static"
SCRIPTS = (
    "dom.js", "player.js", "excerpt.js", "timeline.js", "progress.js", "transcript.js", "speech_output.js",
    "microphone.js", "answer.js", "commands.js", "export.js", "add.js", "episode_list.js", "episode_view.js", "ask.js",
    "main.js",
)
"""In the order in which they need each other."""

QUEUE = 64
"""Calls of the tools that may wait; one more is refused."""


def mount(app: "FastAPI", companion: Companion) -> "FastAPI":
    """Put the page at the root of ``app``, dressed: theme, style and scripts, with nothing from another host."""
    import gradio as gr

    style = f"<style>{(STATIC / 'page.css').read_text('utf-8')}</style>"
    blocks = build(companion)
    blocks.has_launched = True  # Gradio checks which files a request may name only then, and mounting does not set it
    gr.mount_gradio_app(
        app, blocks, path="/", theme=_theme(), head=style, footer_links=[], run_history=False,
        favicon_path=STATIC / "page.svg",
        show_error=True, mcp_server=True,
        max_file_size="1kb",  # and its address for uploads is closed: see ui/web/bounds.py
    )
    return app


def build(companion: Companion) -> "gr.Blocks":
    """The Gradio page over ``companion``; ``mount`` adds its looks."""
    import gradio as gr

    from ui.web import mcp_tools

    with gr.Blocks(title="Earmark", analytics_enabled=False, fill_width=True) as page:
        _part(gr, "top")
        with gr.Row(elem_id="columns", equal_height=False):
            with gr.Column(elem_id="main", scale=3, min_width=0):
                _part(gr, "episode")
                with gr.Column(elem_id="ask", min_width=0):
                    _part(gr, "ask")
                    with gr.Row(elem_id="ask-row", equal_height=True):
                        gr.Textbox(
                            label="Ask me anything about this podcast episode", show_label=False, container=False,
                            placeholder="Ask me anything about this podcast episode…", lines=1, max_lines=4,
                            max_length=2000, elem_id="question", scale=1, min_width=0,
                        )
                        gr.Button("Ask", variant="primary", elem_id="ask-button", scale=0, min_width=0)
                    _part(gr, "answer")
            with gr.Column(elem_id="side", scale=2, min_width=0):
                _part(gr, "side")
        gr.HTML(
            None, html_template="", js_on_load="Earmark.start()", elem_id="scripts",
            head=f"<script>{_scripts()}</script>", apply_default_css=False,
        )
        mcp_tools.offer(gr, companion)
    blocks: gr.Blocks = page.queue(max_size=QUEUE)
    return blocks


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
