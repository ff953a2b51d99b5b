"""What a format is called: by its media type, by its URL's suffix, by the link that declares it.

The formats with a parser say in their SPEC which types and suffixes are theirs; what has none is
called after its media type. Feeds, embeds and other languages are no formats of an article. Pure.
"""

from __future__ import annotations

import re

from crawler.facts import Link
from crawler.formats.table import FORMATS
from crawler.links import FEED_TYPES, XML_TYPES, is_feed, media_type

#: Characters of a format's name that is made from a media type.
MAX_NAME = 32

#: Formats by media type: of those without a parser, what people call them by another name.
_FORMAT_OF_MEDIA = {
    "application/x-pdf": "pdf",
    "application/epub+zip": "epub",
    "application/x-mobipocket-ebook": "mobi",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
} | {kind: spec.name for spec in FORMATS.values() for kind in spec.media_types}
#: Alternates by suffix, where the link states no type.
_FORMAT_OF_SUFFIX = {suffix: spec.name for spec in FORMATS.values() for suffix in spec.suffixes}
#: Alternates that are no reading of the article: what embeds, describes or styles a page. An
#: ActivityPub object lives at the page's own URL and answers only servers that ask for it.
NOT_FORMATS = frozenset(
    {
        "application/json+oembed",
        "application/xml+oembed",
        "text/json+oembed",
        "text/xml+oembed",
        "application/rsd+xml",
        "application/wlwmanifest+xml",
        "application/opensearchdescription+xml",
        "application/manifest+json",
        "application/activity+json",
        "application/x-suggestions+json",
        "text/css",
        "text/javascript",
        "application/javascript",
    }
)
#: ``media=`` values under which an alternate is meant for everybody.
ANY_MEDIA = frozenset({"", "all", "screen"})
_NOT_NAME = re.compile(r"[^a-z0-9]+")


def format_of(link: Link, lang: str | None = None) -> str | None:
    """Name the format that ``link`` declares, or None where it declares none.

    Only ``rel=alternate`` declares formats. ``lang`` is the page's own language: an alternate
    marked with another one, or with any where ``lang`` is unknown, is another article.
    """
    if link.rel != "alternate":
        return None
    if link.media and link.media.strip().lower() not in ANY_MEDIA:
        return None
    kind = media_type(link.type)
    if link.hreflang and not _same_language(link.hreflang, lang, kind):
        return None
    if kind == "":
        return None if link.type else _by_suffix(link.url)
    return None if kind in XML_TYPES and is_feed(link) else format_of_media(kind)


def format_of_media(kind: str) -> str | None:
    """Name the format of a media type (as ``media_type`` gives it); None for what is no format."""
    if kind in _FORMAT_OF_MEDIA:
        return _FORMAT_OF_MEDIA[kind]
    if not kind or kind in NOT_FORMATS or kind in FEED_TYPES or kind.startswith("font/"):
        return None
    main, _, subtype = kind.partition("/")
    bare = subtype.removeprefix("x-").removeprefix("vnd.")
    name = _NOT_NAME.sub("-", bare).strip("-")[:MAX_NAME]
    # "image/text" must not pass for the format whose name it happens to make.
    if name in FORMATS or not name:
        return f"{_NOT_NAME.sub('-', main)}-{name}".strip("-")
    return name


def _by_suffix(url: str) -> str | None:
    name = url.partition("?")[0].rpartition("/")[2].lower()
    dot = name.rfind(".")
    return _FORMAT_OF_SUFFIX.get(name[dot:]) if dot > 0 else None


def _same_language(hreflang: str, lang: str | None, kind: str) -> bool:
    """RFC 4647 section 3.3.1, both ways. An HTML page under hreflang is always a page beside."""
    if lang is None or format_of_media(kind) in {"html", None}:
        return False
    one, other = hreflang.lower(), lang.lower()
    return one == other or one.startswith(other + "-") or other.startswith(one + "-")
