"""Markdown: front matter to facts, and the words after it as they stand.

Front matter keys are those of Hugo, Jekyll, Astro and VitePress, in the order of `front_matter`.
The body is the publisher's Markdown, never rendered; only a first heading that repeats the title
is left out of it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from crawler.facts import Facts, Link
from crawler.formats.charset import decode, unread
from crawler.formats.front_matter import split_front_matter
from crawler.formats.json_values import entries_of, first_stamp, names_of, text_of
from crawler.formats.jsonld import alternate_links
from crawler.formats.spec import FormatSpec
from crawler.urls import normalise, same_page

EXTRACTOR = "markdown/1"

UPDATED = ("updated_at", "updated", "lastmod", "modified", "dateModified", "last_modified")
PUBLISHED = ("published_at", "published", "date", "pubDate", "datePublished", "publishDate")

#: Characters of a heading that may be a title; a longer line is a paragraph in disguise.
MAX_TITLE = 1_000

_SETEXT = re.compile(r" {0,3}=+[ \t]*\Z")
_LINKED = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_MARKED = re.compile(r"(\*\*|__|\*|`|(?<!\w)_)(?=\S)(.+?)(?<=\S)\1")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKS = re.compile(r"[\[*_`\\]")


def parse_markdown(body: bytes, url: str, content_type: str = "") -> Facts:
    """Return the facts of a Markdown document at ``url``: its front matter's and its words."""
    text, findings = decode(body, content_type)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts = split_front_matter(text)
    said = {name.replace("-", "_"): value for name, value in parts.fields.items()}
    given_title = _one_line(said.get("title"))
    heading, after = _heading(parts.rest.strip())
    title = given_title or heading
    repeated = heading is not None and _same(heading, title)
    words = (after if repeated else parts.rest).strip()
    return Facts(
        source="markdown",
        extractor=EXTRACTOR,
        slug=_string(said.get("slug")),
        title=title,
        title_guessed=not given_title,
        summary=_first_text(said, ("summary", "description", "excerpt")),
        body=words or None,
        authors=entries_of(said.get("authors") or said.get("author")),
        canonical=_canonical(said, url),
        canonical_source=_source(said),
        published_at=first_stamp([said[name] for name in PUBLISHED if name in said]),
        updated_at=first_stamp([said[name] for name in UPDATED if name in said]),
        lang=_first_text(said, ("lang", "language", "locale")),
        topics=_topics(said),
        entities=names_of(said.get("entities")),
        links=_links(said, url),
        unread=unread(body),
        findings=findings + parts.findings,
    )


def _one_line(value: Any) -> str | None:
    """Return a title as one line; front matter is no HTML, so only white space is folded."""
    text = text_of(value)
    return " ".join(text.split()) if text else None


def _heading(text: str) -> tuple[str | None, str]:
    """Return the level one heading that ``text`` opens with, in plain words, and the rest."""
    line, _, rest = text.partition("\n")
    if len(line) > MAX_TITLE:
        return None, text
    if line.startswith(("# ", "#\t")):
        words = line[1:].strip()
        bare = words.rstrip("#")
        closed = bare != words and (not bare or bare[-1] in " \t")
        return _plain(bare if closed else words) or None, rest
    under, _, after = rest.partition("\n")
    if line and _SETEXT.match(under[:MAX_TITLE]):
        return _plain(line) or None, after
    return None, text


def _plain(markdown: str) -> str:
    if _MARKS.search(markdown) is None:
        return " ".join(markdown.split())
    words = _MARKED.sub(r"\2", _LINKED.sub(r"\1", markdown))
    return " ".join(_ESCAPED.sub(r"\1", words).split())


def _same(heading: str, title: str | None) -> bool:
    return title is not None and heading.casefold() == _plain(title).casefold()


def _string(value: Any) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _first_text(said: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        if name in said and (text := text_of(said[name])):
            return text
    return None


def _topics(said: Mapping[str, Any]) -> tuple[str, ...]:
    for name in ("topics", "tags", "categories", "keywords"):
        if said.get(name):
            return names_of(said[name])
    return ()


def _source(said: Mapping[str, Any]) -> str | None:
    for name in ("canonical_source", "source_url", "source"):
        text = _string(said.get(name))
        # "source: Reuters" is a credit, no address; a relative source is none either.
        if text and text.lower().startswith(("http://", "https://")):
            return normalise(text)
    return None


def _canonical(said: Mapping[str, Any], url: str) -> str | None:
    for name in ("canonical", "canonical_url", "canonicalURL", "url", "permalink"):
        text = _string(said[name]) if name in said else None
        found = normalise(text, url) if text else None
        # A twin's "url" may be its own address, which says nothing of the article's.
        if found is not None and not (name in ("url", "permalink") and same_page(found, url)):
            return found
    return None


def _links(said: Mapping[str, Any], url: str) -> tuple[Link, ...]:
    given = said.get("alternates")
    return tuple(alternate_links(given, url, "markdown")) if isinstance(given, dict) else ()


SPEC = FormatSpec(
    name="markdown",
    media_types=("text/markdown", "text/x-markdown"),
    suffixes=(".md", ".markdown"),
    parse=parse_markdown,
    bare=True,
)
