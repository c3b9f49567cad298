# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: an episode to listen to, its topics, and a place to ask.

Gradio gives the shell, the description of the tools and the MCP server. What happens on the page happens in the
browser, in the small files in ``static/``: ``page.html`` (what is there), ``page.css`` (how it looks) and the
JavaScript modules (what it does), served at ``/page``. Nothing is fetched from another host.
Questions, the library, the status and the voice go through the server's own API (``ui/web/api``), sound comes from
``/audio``. No event of Gradio's is bound to the page: its queue takes the calls of the four tools, and nothing else.

Text of feeds, titles and transcripts never passes through HTML or through Gradio's templates (which run as
JavaScript template literals): the scripts put it in as ``textContent`` only.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from ui.companion import Companion
from ui.web.document import STATIC

if TYPE_CHECKING:
    import gradio
    from fastapi import FastAPI

QUEUE = 64
_LOOKS = 0.05  # seconds between two looks into that queue, as Gradio itself has it on Windows
"""Calls of the tools that may wait; one more is refused."""


def mount(app: "FastAPI", companion: Companion) -> "FastAPI":
    """Put the page at the root of ``app``, dressed: theme, style and scripts, with nothing from another host."""
    gr = _gradio()
    app.mount("/page", Scripts(directory=STATIC))
    blocks = build_page(companion)
    blocks.has_launched = True  # Gradio checks which files a request may name only then, and mounting does not set it
    gr.mount_gradio_app(
        app, blocks, path="/", theme=_theme(), head=_head(), footer_links=[], run_history=False,
        favicon_path=STATIC / "page.svg",
        show_error=True, mcp_server=True,
        max_file_size="1kb",  # and its address for uploads is closed: see ui/web/bounds.py
    )
    return app


def build_page(companion: Companion) -> "gradio.Blocks":
    """The Gradio page over ``companion``; ``mount`` adds its looks."""
    from ui.web import mcp_tools

    gr = _gradio()

    with gr.Blocks(title="Earmark", analytics_enabled=False, fill_width=True) as page:
        _part(gr, "top")
        with gr.Row(elem_id="columns", equal_height=False):
            with gr.Column(elem_id="main", scale=3, min_width=0):
                _part(gr, "lead")
                with gr.Column(elem_id="ask", min_width=0):
                    _part(gr, "ask")
                    with gr.Row(elem_id="ask-row", equal_height=True):
                        gr.Textbox(
                            label="Your question", show_label=False, container=False,
                            placeholder="Ask anything your podcasts talk about…", lines=1, max_lines=4,
                            max_length=2000, elem_id="question", scale=1, min_width=0,
                        )
                        gr.Button("Ask", variant="primary", elem_id="ask-button", scale=0, min_width=0)
                    _part(gr, "answer")
                _part(gr, "episode")
            with gr.Column(elem_id="side", scale=2, min_width=0):
                _part(gr, "side")
        _part(gr, "player")
        _part(gr, "library")
        mcp_tools.register_tools(gr, companion)
    blocks: gradio.Blocks = page.queue(max_size=QUEUE)
    # Gradio looks for calls of its tools a thousand times a second, which takes 6 % of a core when there are none
    blocks._queue.sleep_when_free = blocks._queue.progress_update_sleep_when_free = _LOOKS
    return blocks


@cache
def _gradio() -> Any:
    """Gradio. Whenever it is imported it parses each of its components and writes stubs for code editors beside them:
    a third of its time, for nobody, so that is left out."""
    import wrapt

    def leave_out(module: Any) -> None:
        module.create_or_modify_pyi = lambda component_class, class_name, events: None

    wrapt.register_post_import_hook(leave_out, "gradio.component_meta")
    import gradio as gr

    return gr


def _part(gr: Any, name: str) -> None:
    """One piece of ``page.html``. Without values in it the template never changes, so what the scripts add stays."""
    gr.HTML(html_template=_markup()[name], js_on_load=None, apply_default_css=False, elem_id=f"part-{name}")


@cache
def _markup() -> dict[str, str]:
    """The pieces of ``page.html`` by the name in the comment above each."""
    pieces = re.split(r"<!-- (\w+) -->\n", (STATIC / "page.html").read_text("utf-8"))
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def _head() -> str:
    """The style, and the scripts: all modules are asked for at once, not as they import each other."""
    modules = sorted(path.name for path in STATIC.glob("*.js") if path.name not in ("sw.js", "capture.js"))
    preloaded = "".join(f'<link rel="modulepreload" href="page/{name}">' for name in modules)
    style = (STATIC / "page.css").read_text("utf-8")
    return f'<style>{style}</style>{preloaded}<script type="module" src="page/boot.js"></script>'


class Scripts(StaticFiles):
    """The files of the page; a browser asks every time whether it still has the right ones (they answer 304)."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or that it is still the same."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


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
