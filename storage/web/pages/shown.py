"""A snapshot's format: rendered or raw, and what a frame or a download gets of it.

A site's HTML, and HTML made of its Markdown, is only ever an answer of its own (answer.FRAME): in a
frame without scripts, origin or network. What is on our page is text.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec
from markdown_it import MarkdownIt
from markupsafe import escape
from msgspec import Struct

from storage.archive import Body
from storage.diff import text_of
from storage.errors import NoSuchArticle
from storage.index import versions
from storage.model import Manifest
from storage.web import templating
from storage.web.answer import HTML, Answer
from storage.web.pages.snapshot import asked_snapshot, version_links
from storage.web.reading import ThreadArchive
from storage.web.request import Request, not_there

#: Characters of Markdown that are rendered: the worst that can stand in them takes a second or two,
#: and 128 Ki are the words of twenty long articles. More is shown as it is written.
MOST_RENDERED = 128 << 10
#: Bytes of text that are shown on a page: a book's.
MOST_SHOWN = 2 << 20
#: What is shown in a frame; everything else is text.
FRAMED = ("html", "markdown")
#: A link element may make a browser look up or connect to a host before any policy forbids it:
#: under another name it does nothing.
_LINK_ELEMENT = re.compile(r"<(?=link[\s/>])", re.IGNORECASE)
#: The attributes by which a click, a frame in a frame or an animation leads elsewhere. A browser
#: connects to a link's host before it finds that a frame may not go there: so there is no link.
_LEADING = re.compile(r"(?:href|action|srcdoc|attributename)(?=\s*=)", re.IGNORECASE)
_STYLE = (
    "body{max-width:42rem;margin:1rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}"
    "pre{overflow:auto;font-size:.9rem}a{text-decoration:underline}summary{cursor:pointer}"
    "table{border-collapse:collapse}td,th{border:1px solid;padding:.2rem .5rem}"
    "@media(prefers-color-scheme:dark){body{background:#1c2024;color:#e6e8ea}a{color:#8ec0fb}}"
)
_HEAD = (
    '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
    f"<title>Markdown</title><style>{_STYLE}</style>"
)
_JSON_FORMATS = ("json", "jsonld")


class Shown(Struct, frozen=True):
    """A body as text for the page (None: it is no text, or too long), and in how many bytes."""

    text: str | None
    bytes: int


def page(reading: ThreadArchive, request: Request) -> Answer:
    """Show a format: rendered where it can be; with ``raw`` its source."""
    row = asked_snapshot(reading, request)
    name = request.part("format")
    before, after = versions.beside(reading.archive.index, row, private=reading.private)
    manifest = reading.archive.manifest(row, text=False)
    body = _body(reading, manifest, name)
    raw = "raw" in request.query
    framed = not raw and name in FRAMED
    return templating.page(
        "shown.html",
        headers=version_links(row, before, after),
        row=row,
        name=name,
        formats=[one.format for one in manifest.representations if one.record_id],
        before=before,
        after=after,
        raw=raw,
        renders=name in (*FRAMED, *_JSON_FORMATS),
        framed=framed,
        body=body.representation,
        shown=None if framed else _shown(body, name, raw=raw),
    )


def frame(reading: ThreadArchive, request: Request) -> Answer:
    """Return a format rendered, for the frame of our page."""
    row = asked_snapshot(reading, request)
    name = request.part("format")
    if name not in FRAMED:
        raise not_there(f"{name} is shown as text: there is no frame of it.")
    body = _body(reading, reading.archive.manifest(row, text=False), name)
    text = text_of(body.decoded, _type(body))
    if text is None:
        raise not_there(f"This {name} is no text that could be rendered.")
    if name == "markdown":
        text = rendered(text) if len(text) <= MOST_RENDERED else f"<pre>{escape(text)}</pre>"
    else:
        text = _LINK_ELEMENT.sub("<no-", text)
    text = leading_nowhere(text)
    return Answer(body=text.encode("utf-8", "replace"), content_type=HTML, policy="frame")


def leading_nowhere(html: str) -> str:
    """Return a document without a link or a form that leads anywhere, and otherwise the same.

    The last letter of such an attribute's name is written as a reference, wherever the name stands
    before a ``=``: in text and in values that is the same letter, and in a name it is none (HTML,
    section 13.2.5.33), so that no trick with quotes can hide one.
    """
    return _LEADING.sub(_renamed, html)


def _renamed(name: re.Match[str]) -> str:
    return f"{name[0][:-1]}&#{ord(name[0][-1])};"


def raw(reading: ThreadArchive, request: Request) -> Answer:
    """Return a format's exact bytes, decoded from their content coding, as plain text or a file."""
    row = asked_snapshot(reading, request)
    name = request.part("format")
    body = _body(reading, reading.archive.manifest(row, text=False), name)
    is_text = text_of(body.decoded, _type(body)) is not None
    found = re.search(r"charset\s*=\s*[\"']?([\w.:+-]{1,40})", _type(body))
    kind = f"text/plain; charset={found[1] if found else 'utf-8'}"
    end = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    file = re.sub(r"[^\w.-]", "_", row.slug, flags=re.ASCII)[:100]
    return Answer(
        body=body.decoded,
        content_type=kind if is_text else "application/octet-stream",
        headers=(
            (
                "Content-Disposition",
                "inline" if is_text else f'attachment; filename="{file}.{end}"',
            ),
        ),
        policy="frame",
    )


@cache
def _markdown() -> MarkdownIt:
    """CommonMark with tables; HTML in it is shown as text, and links lead to no scripts."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def rendered(text: str) -> str:
    """Return Markdown as a document of HTML, its front matter as text."""
    head = ""
    if found := re.match(r"(---|\+\+\+)[ \t]*\r?\n.*?\r?\n\1[ \t]*(?:\r?\n|\Z)", text, re.DOTALL):
        front = f"<summary>Front matter</summary><pre>{escape(found[0])}</pre>"
        head, text = f"<details>{front}</details>", text[found.end() :]
    return f"{_HEAD}{head}{_markdown().render(text)}"


def _body(reading: ThreadArchive, manifest: Manifest, name: str) -> Body:
    try:
        return reading.archive.body(manifest, name)
    except NoSuchArticle as error:
        raise not_there(f"{error}.") from error


def _type(body: Body) -> str:
    named = (value for field, value in body.headers if field.lower() == "content-type")
    return next(named, body.representation.media_type)


def _shown(body: Body, name: str, *, raw: bool) -> Shown:
    if len(body.decoded) > MOST_SHOWN:
        return Shown(None, len(body.decoded))
    text = text_of(body.decoded, _type(body))
    if text is not None and name in _JSON_FORMATS and not raw:
        text = pretty(text)
    return Shown(text, len(body.decoded))


def pretty(text: str) -> str:
    """Return JSON with a line a value; what is no JSON as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text
