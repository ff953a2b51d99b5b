"""Sitemaps: the URLs a site lists, and when it says each last changed (sitemaps.org 0.9).

Lives here: urlset and sitemapindex documents with the news extension's title and date
as hints, text sitemaps (a URL a line), feeds served as sitemaps (the protocol allows
them), and the mess of the real web. Expat streams, so nesting and length cost no memory; DTD
entities are never declared, expanded or fetched. Namespaces and prefixes are ignored, since
too many files get them wrong: an element is known by its local name and its parent's.
Pure: bytes and a base URL in, values out; the only error raised is Malformed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from xml.parsers import expat

from msgspec import Struct

from crawler.discovery.feed import parse_feed
from crawler.discovery.markup import GZIP_MAGIC, cut_behind, document, gunzipped, pieces, repaired
from crawler.facts import Malformed
from crawler.urls import normalise
from storage.model import Finding

#: URLs one document may list; the protocol's own limit.
MAX_URLS = 50_000
#: Decoded bytes of one document that are read; the protocol's own limit.
MAX_BYTES = 50 * 1024 * 1024
#: Bytes of one that comes as a gzip file: a list of URLs shrinks to a tenth, and both are held.
MAX_PACKED = 16 * 1024 * 1024
#: Open elements; honest sitemaps nest six deep (urlset, url, news, publication, language).
MAX_DEPTH = 64
#: Characters of one element's text that are kept; no URL that is fetched is longer.
_MAX_TEXT = 4_096
#: Characters of a lastmod or date: the longest date written has some 40.
_MAX_WORD = 64
#: Browsers know it in any case of letters; to expat only the capitals are XML.
_HTML = re.compile(r"<!doctype\s+html\b", re.IGNORECASE)
_FEED_ROOTS = ("rss", "feed", "rdf")


class SitemapEntry(Struct, frozen=True, kw_only=True):
    """One URL of a sitemap, normalised; the rest exactly as written, empty where absent.

    ``title`` and ``published`` come from the news extension and are hints.
    """

    url: str
    lastmod: str = ""
    title: str = ""
    published: str = ""


class Sitemap(Struct, frozen=True, kw_only=True):
    """What one document lists: pages, further sitemaps, and what was wrong with it."""

    entries: tuple[SitemapEntry, ...] = ()
    sitemaps: tuple[SitemapEntry, ...] = ()
    findings: tuple[Finding, ...] = ()


def parse_sitemap(body: bytes, url: str) -> Sitemap:
    """Read a sitemap served at ``url``, content coding undone (its own gzip is undone here).

    Past MAX_URLS or MAX_BYTES, and after a break in the XML, what came before is kept, with a
    finding. Raises Malformed where nothing usable is left, saying why.
    """
    if body[:2] == GZIP_MAGIC and len(body) > MAX_PACKED:
        raise Malformed(f"it is compressed, and still has more than {MAX_PACKED:,} bytes")
    body = gunzipped(body, MAX_BYTES)
    findings = []
    if len(body) > MAX_BYTES:
        findings.append(
            Finding(kind="sitemap-too-long", detail=f"only {MAX_BYTES:,} bytes are read")
        )
        body = body[:MAX_BYTES]
    head = next(_document(body))
    if _HTML.match(head):
        raise Malformed(_what_it_is("html"))
    xml = head.startswith("<")
    reader = _read_xml(body, url) if xml else _read_lines(_document(body), url)
    if reader.root in _FEED_ROOTS:
        return _from_feed(body, url)
    if reader.trouble:
        findings.append(Finding(kind=reader.trouble_kind, detail=reader.trouble))
    sitemap = _sitemap(reader, findings)
    if not (sitemap.entries or sitemap.sitemaps) and (
        reader.trouble or reader.root not in {"urlset", "sitemapindex"}
    ):
        raise Malformed(reader.trouble or _what_it_is(reader.root))
    return sitemap


class _StopReadingError(Exception):
    """Raised inside expat's callbacks to end a parse at a bound."""


@dataclass
class _Reader:
    """What a parse has gathered; ``open`` are the open elements' local names.

    Each URL is normalised as it comes, against ``base``, and kept once: of a million URLs nothing
    is ever there twice. ``urls`` counts them as they came, ``bad`` those that are none.
    """

    base: str
    pages: dict[str, SitemapEntry] = field(default_factory=dict)
    sitemaps: dict[str, SitemapEntry] = field(default_factory=dict)
    urls: int = 0
    bad: int = 0
    root: str = ""
    trouble: str = ""
    trouble_kind: str = "sitemap-broken"
    broken: bool = False
    open: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    room: int = 0
    item: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2].lower()
        if not self.open:
            self.root = local
            if local in _FEED_ROOTS or local == "html":
                raise _StopReadingError("")
        if len(self.open) >= MAX_DEPTH:
            raise _StopReadingError(f"elements are nested more than {MAX_DEPTH} deep")
        self.open.append(local)
        self.text.clear()
        self.room = _MAX_TEXT
        if local in {"url", "sitemap"}:
            self.item = {}

    def data(self, text: str) -> None:
        if self.room > 0:
            self.text.append(text[: self.room])
            self.room -= len(text)

    def end(self, _name: str) -> None:
        local = self.open.pop()
        parent = self.open[-1] if self.open else ""
        kept = _FIELDS.get((parent, local))
        if kept and self.text:
            # a value longer than the bound is dropped whole: half a URL is another URL
            whole = self.room >= 0
            self.bad += kept == "url" and not whole
            self.item.setdefault(kept, "".join(self.text).strip() if whole else "")
        elif local in {"url", "sitemap"} and self.item.get("url"):
            self._keep(self.pages if local == "url" else self.sitemaps)
        self.text.clear()

    def _keep(self, items: dict[str, SitemapEntry]) -> None:
        if self.urls >= MAX_URLS:
            self.trouble_kind = "sitemap-too-long"
            raise _StopReadingError(f"more than {MAX_URLS:,} URLs; the first ones are kept")
        self.keep(items, self.item)
        self.item = {}

    def keep(self, items: dict[str, SitemapEntry], item: dict[str, str]) -> None:
        """Take an item in, if it has a URL that is new."""
        self.urls += 1
        url = normalise(item["url"], self.base)
        if url is None:
            self.bad += 1
        elif url not in items:
            items[url] = SitemapEntry(
                url=url,
                lastmod=item.get("lastmod", "")[:_MAX_WORD],
                title=" ".join(item.get("title", "").split()),
                published=item.get("published", "")[:_MAX_WORD],
            )

    def entity(self, *_declaration: object) -> None:
        raise _StopReadingError("it declares XML entities, which are never expanded")


_FIELDS = {
    ("url", "loc"): "url",
    ("sitemap", "loc"): "url",
    ("url", "lastmod"): "lastmod",
    ("sitemap", "lastmod"): "lastmod",
    ("news", "title"): "title",
    ("news", "publication_date"): "published",
}


def _document(body: bytes) -> Iterator[str]:
    """Yield the text of ``body`` in pieces, without what stands before the document."""
    texts = pieces(body)
    yield document("".join(islice(texts, 1)))
    yield from texts


def _read_xml(body: bytes, base: str) -> _Reader:
    """Parse as it stands; where that breaks, once more with the common faults repaired."""
    reader = _parse(_document(body), base)
    if not reader.broken:
        return reader
    again = _parse(map(repaired, cut_behind(_document(body), ">")), base)
    if again.trouble == reader.trouble:
        return reader
    again.trouble = again.trouble or f"read after repair ({reader.trouble})"
    return again


def _parse(texts: Iterable[str], base: str) -> _Reader:
    reader = _Reader(base=base)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.EntityDeclHandler = reader.entity
    try:
        for text in texts:
            parser.Parse(text.encode("utf-8", "replace"), False)
        parser.Parse(b"", True)
    except _StopReadingError as stop:
        reader.trouble = str(stop)
    except expat.ExpatError as error:
        reader.trouble, reader.broken = f"the XML breaks: {error}", True
    return reader


def _read_lines(texts: Iterable[str], base: str) -> _Reader:
    """Read a text sitemap: absolute URLs, one a line."""
    reader = _Reader(base=base, root="text")
    strangers = 0
    for line in chain.from_iterable(text.splitlines() for text in cut_behind(texts, "\n")):
        word = line.strip()
        if not word:
            continue
        if reader.urls >= MAX_URLS:
            reader.trouble_kind = "sitemap-too-long"
            reader.trouble = f"more than {MAX_URLS:,} URLs; the first ones are kept"
            break
        if len(word) <= _MAX_TEXT and word[:8].lower().startswith(("http://", "https://")):
            reader.keep(reader.pages, {"url": word})
        else:
            strangers += 1
    if strangers and not reader.trouble:
        reader.trouble = f"{strangers:,} lines hold no URL"
    return reader


def _sitemap(reader: _Reader, findings: list[Finding]) -> Sitemap:
    if reader.bad:
        detail = f"{reader.bad:,} entries hold no http or https URL"
        findings.append(Finding(kind="sitemap-bad-url", detail=detail))
    return Sitemap(
        entries=tuple(reader.pages.values()),
        sitemaps=tuple(reader.sitemaps.values()),
        findings=tuple(findings),
    )


def _from_feed(body: bytes, url: str) -> Sitemap:
    feed = parse_feed(body, url)
    entries = tuple(
        SitemapEntry(url=entry.url, lastmod=entry.updated, title=entry.title)
        for entry in feed.entries
    )
    return Sitemap(entries=entries, findings=feed.findings)


def _what_it_is(root: str) -> str:
    if root == "html":
        return "the server sent an HTML page in its place"
    if root == "text":
        return "it is empty, or neither XML nor a list of URLs"
    return f"it is no sitemap: its root element is <{root[:40]}>"
