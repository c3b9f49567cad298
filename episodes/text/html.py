# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML as publishers write it, turned into plain text; what comes out is never markup again.

lxml was chosen because it reads damaged HTML and XML alike, in bounded depth and without touching the network.
"""

from collections.abc import Iterator
from typing import Any

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figure", "footer", "form", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td", "th", "tr",
    "ul",
})  # fmt: skip
_UNSEEN = frozenset({"head", "script", "style", "noscript", "template", "title", "iframe", "object", "nav", "footer",
                     "button", "select", "svg"})  # fmt: skip


def parse_html(markup: str | bytes) -> Any:
    """The tree of a page or a fragment (an lxml element), None when there is nothing in it."""
    from lxml import etree

    raw = markup.encode("utf-8", "replace") if isinstance(markup, str) else markup
    encoding = "utf-8" if isinstance(markup, str) else None
    parser = etree.HTMLParser(
        recover=True, no_network=True, remove_comments=True, remove_pis=True, huge_tree=False, encoding=encoding
    )
    try:
        return etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def html_events(tree: Any) -> Iterator[tuple[str, str]]:
    """What a reader sees, in order: ("text", what is written), ("begin", tag) and ("end", tag) of each element."""
    from lxml import etree

    unseen = 0
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            unseen += tag in _UNSEEN
            yield "begin", tag
            if element.text and not unseen:
                yield "text", element.text
        else:
            unseen -= tag in _UNSEEN
            yield "end", tag
            if element.tail and not unseen:
                yield "text", element.tail


def is_block(tag: str) -> bool:
    """True for elements that stand on lines of their own."""
    return tag in _BLOCKS


def plain_text(markup: str, links: bool = False) -> str:
    """A text with or without markup as plain text: a line for each block, single blanks, no control characters.

    With ``links`` the address of each link to the web stands behind its words, unless they are that.
    """
    if "<" not in markup and "&" not in markup:
        return _lines(markup)
    tree = parse_html(markup.replace("\r", ""))
    if tree is None:
        return ""
    if links:
        _write_out(tree)
    return _lines("".join(part if kind == "text" else "\n" * is_block(part) for kind, part in html_events(tree)))


def _write_out(tree: Any) -> None:
    """Put the addresses of links behind their words."""
    for link in list(tree.iter("a")):
        address, words = (link.get("href") or "").strip(), "".join(link.itertext()).strip()
        bare = address.partition("://")[2].removeprefix("www.").rstrip("/")
        if address.startswith(("http://", "https://")) and bare and words and bare not in words:
            link.tail = f" ({address}){link.tail or ''}"


def _lines(text: str) -> str:
    rows = (" ".join("".join(c if c.isprintable() or c.isspace() else "" for c in row).split())
            for row in text.splitlines())  # fmt: skip
    return "\n".join(row for row in rows if row)
