"""Typed links: reading the ``Link`` header field, and telling which links are feeds.

RFC 8288 section 3 (with appendix B's lenient parsing, since publishers err) and RFC 8187 for
``title*``. Which links are formats of an article, formats/naming.py tells. Pure: values and a
base URL in, links out; a part that is broken is left out and the rest is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from crawler.facts import Link
from crawler.urls import normalise

#: Links read from one response's header fields; pages with preload lists carry about 50.
MAX_LINKS = 1_000
#: Characters of ``Link`` fields read; servers and proxies cap all headers at 8 to 128 KiB.
MAX_HEADER = 256 * 1024
FEED_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "text/rss+xml",
        "application/x-rss+xml",
    }
)
#: XML that its type says no more of: a feed where its URL looks like one.
XML_TYPES = frozenset({"text/xml", "application/xml"})

#: Media types whose reading is remembered, and the characters of those that are: usual ones have
#: fewer than 80, and what a hostile site writes there is not to be kept in memory.
_REMEMBERED = 256
_SHORT = 128
#: Characters of a ``Link`` field that is remembered; those of an article's formats have some 500.
_SHORT_HEADER = 1_024

_WS = " \t\r\n"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|\Z)', re.DOTALL)
_UNQUOTED = re.compile(r"[^;,\s]*+")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
_FEED_PATH = re.compile(r"(?:^|[/._-])(?:feed|rss|atom)(?:[/._-]|$)", re.IGNORECASE)


def parse_link_header(values: Iterable[str], base: str) -> tuple[Link, ...]:
    """Read ``Link`` field values (RFC 8288 section 3) of the response at ``base``.

    One link a relation, in order, targets resolved and normalised. Left out: links whose ``anchor``
    is another resource, targets that are no http(s) URL, and everything past ``MAX_LINKS``.
    """
    found: list[Link] = []
    left = MAX_HEADER
    for value in values:
        read = value[:left]
        short = len(read) <= _SHORT_HEADER
        for target, parameters in (_short_link_values if short else _link_values)(read):
            found.extend(_links(target, parameters, base))
            if len(found) >= MAX_LINKS:
                return tuple(found[:MAX_LINKS])
        left = max(0, left - len(value))
    return tuple(found)


def is_feed(link: Link) -> bool:
    """Say whether ``link`` names a feed: by its media type, or as XML at a feed's usual path."""
    if link.rel not in ("alternate", "feed"):
        return False
    kind = media_type(link.type)
    if kind in FEED_TYPES:
        return True
    if kind in XML_TYPES or (link.rel == "feed" and not kind):
        return _FEED_PATH.search(_path(link.url)) is not None
    return False


def is_comment_feed(link: Link) -> bool:
    """Say whether the feed at ``link`` looks like one of readers' comments."""
    return "comment" in link.title.lower() or "/comments/" in f"/{_path(link.url)}/"


def media_type(text: str) -> str:
    """Return the media type in ``text``, lower case and without parameters; empty if it is none."""
    return _short_media_type(text) if len(text) <= _SHORT else _media_type(text)


def _media_type(text: str) -> str:
    essence = text.partition(";")[0].strip().lower()
    return essence if _MEDIA_TYPE.fullmatch(essence) else ""


#: A site has a few media types, and every answer and link of it states one of them.
_short_media_type = lru_cache(_REMEMBERED)(_media_type)


def _path(url: str) -> str:
    """Return the path of a normalised URL, without its first slash."""
    return url.partition("?")[0].split("/", 3)[-1]


def _link_values(text: str) -> Iterable[tuple[str, Mapping[str, str]]]:
    """RFC 8288 appendix B.2: each link's target and its parameters, the first of a name winning."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        # Garbage before "<" may hold a quoted comma or bracket of the value before; appendix B.2
        # would stop here, but one broken link should not cost the ones after it.
        end = text.find(">", start)
        if end < 0:
            return
        parameters, at = _parameters(text, end + 1)
        yield text[start + 1 : end].strip(_WS), parameters


@lru_cache(_REMEMBERED)
def _short_link_values(text: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """Read one field; every format of an article is often served with the same."""
    return tuple(_link_values(text))


def _parameters(text: str, at: int) -> tuple[dict[str, str], int]:
    """RFC 8288 appendix B.3: parameters from ``at`` on, and where the next link may begin."""
    found: dict[str, str] = {}
    at = _skip(text, at)
    while at < len(text) and text[at] != ",":
        if text[at] != ";":
            at = _past_garbage(text, at)
            continue
        at = _skip(text, at + 1)
        name = _TOKEN.match(text, at)
        if name is None:
            continue
        at = _skip(text, name.end())
        value = ""
        if at < len(text) and text[at] == "=":
            value, at = _value(text, _skip(text, at + 1))
        found.setdefault(name.group().lower(), value)
        at = _skip(text, at)
    return found, at


def _value(text: str, at: int) -> tuple[str, int]:
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted.group(1), flags=re.DOTALL), quoted.end()
    plain = _UNQUOTED.match(text, at)
    return ("", at) if plain is None else (plain.group(), plain.end())


def _past_garbage(text: str, at: int) -> int:
    quoted = _QUOTED.match(text, at)
    return at + 1 if quoted is None else quoted.end()


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _WS:
        at += 1
    return at


def _links(target: str, parameters: Mapping[str, str], base: str) -> list[Link]:
    context = parameters.get("anchor")
    # Section 3.2: an anchor changes whose link this is; only the response's own are ours.
    if context is not None and normalise(context, base) != normalise(base):
        return []
    url = normalise(target, base)
    if url is None:
        return []
    title = _extended(parameters.get("title*", "")) or parameters.get("title", "")
    return [
        Link(
            rel=rel,
            url=url,
            type=parameters.get("type", "").strip(_WS),
            hreflang=parameters.get("hreflang", "").strip(_WS),
            media=parameters.get("media", ""),
            title=title,
            declared_by="header",
        )
        for rel in relations(parameters.get("rel", ""))
    ]


def relations(rel: str) -> tuple[str, ...]:
    """Split a ``rel`` value into its relations: lower case, each once.

    ``alternate stylesheet`` is one word in HTML (section 4.6.7.1): no alternate of the page.
    """
    names = dict.fromkeys(rel.lower().split())
    if len(names) > 1 and "stylesheet" in names:
        names.pop("alternate", None)
    return tuple(names)


def _extended(text: str) -> str:
    """RFC 8187 section 3.2: ``charset'language'percent-encoded``; empty where it is broken."""
    charset, quote, rest = text.partition("'")
    _, second, encoded = rest.partition("'")
    if not (quote and second) or charset.lower() not in ("utf-8", "iso-8859-1"):
        return ""
    try:
        # A header field's bytes that are no UTF-8 came as surrogates (PEP 383).
        return unquote_to_bytes(encoded.encode(errors="surrogateescape")).decode(charset)
    except UnicodeError:
        return ""
