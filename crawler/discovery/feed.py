"""Feeds: the newest articles and when each changed (RSS 0.9x to 2.0, Atom, JSON Feed 1.1).

feedparser reads the XML ones (RFC 4287, the RSS family, xml:base), because it keeps dates as
they were written: a date without an hour or a zone must not be given one. What is ours: the
bounds, entities refused before any parser sees them, which link of an entry is its page, and
paging (RFC 5005: ``next`` of a paged feed, ``prev-archive`` of an archived one). Pure: bytes
and a base URL in, values out; the only error raised is Malformed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any, Literal

import msgspec
from msgspec import Struct

from crawler.discovery.markup import decoded, document, gunzipped
from crawler.facts import Malformed
from crawler.urls import normalise
from storage.model import Finding

#: Decoded bytes of one feed that are read; the largest podcast feeds have some 10 MB.
MAX_BYTES = 16 * 1024 * 1024
#: Entries of one document that are kept, as many as a sitemap may list.
MAX_ENTRIES = 50_000
#: ``<`` and ``&`` of one feed that are read: feedparser takes 20 µs for a tag and 1 µs for a
#: reference, so 2 s and 1 s at most; a feed of 500 whole articles has some 50,000 and 200,000.
MAX_TAGS = 100_000
MAX_REFERENCES = 1_000_000
#: Characters of a date that are kept: the longest form in use has some 40.
_MAX_DATE = 64

#: The XML declaration: its encoding is undone already, and would contradict the header below.
_DECLARATION = re.compile(r"<\?xml[^<>]{0,200}\?>")
_PAGE_TYPES = ("", "text/html", "application/xhtml+xml")

Kind = Literal["rss", "atom", "json"]


class FeedEntry(Struct, frozen=True, kw_only=True):
    """An entry's page, normalised; title and dates as written, empty where absent."""

    url: str
    title: str = ""
    updated: str = ""
    published: str = ""


class Feed(Struct, frozen=True, kw_only=True):
    """One feed document; ``next`` and ``prev_archive`` are the older pages it names."""

    kind: Kind
    title: str = ""
    entries: tuple[FeedEntry, ...] = ()
    next: str | None = None
    prev_archive: str | None = None
    findings: tuple[Finding, ...] = ()


def parse_feed(body: bytes, url: str, media_type: str = "") -> Feed:
    """Read a feed served at ``url`` as ``media_type`` (only a hint), content coding undone.

    Broken XML, and whatever lies past a bound, keep what came before, with a finding. Raises
    Malformed where the bytes are no feed.
    """
    body = gunzipped(body, MAX_BYTES)
    text = document(decoded(body[:MAX_BYTES]))
    findings = []
    if len(body) > MAX_BYTES:
        findings.append(Finding(kind="feed-too-long", detail=f"only {MAX_BYTES:,} bytes are read"))
    if text.startswith("{") or "json" in media_type.lower():
        return _json_feed(text, url, findings)
    return _xml_feed(text, url, findings)


def _xml_feed(text: str, url: str, findings: list[Finding]) -> Feed:
    if "<!ENTITY" in text and "<!DOCTYPE" in text:
        raise Malformed("it declares XML entities, which are never expanded")
    text = _DECLARATION.sub("", text, count=1) if text.startswith("<?xml") else text
    if text.startswith("<?"):
        # feedparser looks for an encoding in it, in cubic time where it is never closed
        text = f"\n{text}"
    whole = len(text)
    text = _first(_first(text, "<", MAX_TAGS), "&", MAX_REFERENCES)
    if len(text) < whole:
        findings.append(Finding(kind="feed-too-long", detail="it has more markup than is read"))
    parsed = _feedparsed(text, url)
    version, items = parsed.get("version", ""), parsed["entries"]
    if not version and not items:
        why = f" ({_trouble(parsed)})" if parsed["bozo"] else ""
        raise Malformed(f"it is no RSS, Atom or JSON Feed{why}")
    if parsed["bozo"] and len(text) == whole:
        findings.append(Finding(kind="feed-broken", detail=f"the XML breaks: {_trouble(parsed)}"))
    head = parsed["feed"]
    links = head.get("links", [])
    return Feed(
        kind="atom" if version.startswith("atom") else "rss",
        title=_words(head.get("title")),
        entries=_unique(_entry(item, url) for item in items),
        next=_linked(links, "next", url),
        prev_archive=_linked(links, "prev-archive", url),
        findings=tuple(findings),
    )


def _first(text: str, mark: str, count: int) -> str:
    """Cut ``text`` before its ``mark`` number ``count`` + 1."""
    cut = next(islice(re.finditer(mark, text), count, None), None)
    return text[: cut.start()] if cut else text


def _feedparsed(text: str, url: str) -> Any:
    # when there is a feed to read: most runs over a known site find it unchanged
    import feedparser

    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    try:
        return feedparser.parse(
            # a stream: feedparser would open a string that looks like a path or an address
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers=headers,
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:  # it documents no errors; hostile input finds some
        raise Malformed(f"reading the feed ended in {type(error).__name__}") from error


def _trouble(parsed: Any) -> str:
    return str(parsed.get("bozo_exception", ""))[:200]


def _entry(item: Any, base: str) -> FeedEntry | None:
    page = _page(item)
    target = normalise(page, base) if page else None
    if target is None:
        return None
    # feedparser's get() answers "updated" with "published" where it is absent, and warns of it
    updated = item["updated"] if "updated" in item else ""  # noqa: SIM401  - see above
    return FeedEntry(
        url=target,
        title=_words(item.get("title")),
        updated=str(updated).strip()[:_MAX_DATE],
        published=str(item.get("published") or "").strip()[:_MAX_DATE],
    )


def _page(item: Any) -> str:
    """Choose the link that is the entry's page: what FeedBurner replaced, else HTML first."""
    alternates = [
        link
        for link in item.get("links", [])
        if link.get("rel", "alternate") == "alternate" and link.get("href")
    ]
    pages = [link for link in alternates if link.get("type", "") in _PAGE_TYPES]
    plain = [link for link in pages if not link.get("hreflang")]
    best: Any = next(iter(plain or pages or alternates), {})
    # without a link an RSS guid is the page, unless it says that it is none
    found = item.get("feedburner_origlink") or best.get("href") or item.get("link") or ""
    return str(found)


def _linked(links: Iterable[Any], rel: str, base: str) -> str | None:
    for link in links:
        if link.get("rel") == rel and link.get("href"):
            return normalise(str(link["href"]), base)
    return None


def _json_feed(text: str, url: str, findings: list[Finding]) -> Feed:
    try:
        feed = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Malformed(f"it is no JSON Feed: {error}") from error
    except RecursionError as error:
        raise Malformed("it is no JSON Feed: it nests without end") from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list) or "jsonfeed.org" not in str(feed.get("version")):
        raise Malformed("it is no JSON Feed: it has no version or no list of items")
    following = feed.get("next_url")
    return Feed(
        kind="json",
        title=_words(feed.get("title")),
        entries=_unique(_json_entry(item, url) for item in items if isinstance(item, dict)),
        next=normalise(following, url) if isinstance(following, str) else None,
        findings=tuple(findings),
    )


def _json_entry(item: dict[str, object], base: str) -> FeedEntry | None:
    page, identifier = item.get("url"), item.get("id")
    if not isinstance(page, str):
        # JSON Feed 1.1: an id is best the item's URL; a bare word is none
        is_address = isinstance(identifier, str) and identifier.startswith(("http://", "https://"))
        page = identifier if is_address else ""
    target = normalise(str(page), base) if page else None
    if target is None:
        return None
    dates = [item.get(name) for name in ("date_modified", "date_published")]
    updated, published = (d[:_MAX_DATE] if isinstance(d, str) else "" for d in dates)
    title = _words(item.get("title"))
    return FeedEntry(url=target, title=title, updated=updated, published=published)


def _unique(entries: Iterable[FeedEntry | None]) -> tuple[FeedEntry, ...]:
    found: dict[str, FeedEntry] = {}
    for entry in islice(entries, MAX_ENTRIES):
        if entry:
            found.setdefault(entry.url, entry)
    return tuple(found.values())


def _words(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
