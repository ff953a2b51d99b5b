"""Fuzz targets for what strangers serve: a function a reader, bytes in, nothing out.

Each holds its reader to the contract of DESIGN.md section 8: values out, bounded, in normal form,
and no exception but the reader's own. What breaks it is an AssertionError or the exception itself.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime

from crawler.config.errors import ConfigError
from crawler.config.settings import parse_config
from crawler.digest import content_digest
from crawler.discovery.feed import MAX_ENTRIES, parse_feed
from crawler.discovery.listing import candidates
from crawler.discovery.llms_txt import parse_llms_txt
from crawler.discovery.records import RecordsError, parse_records
from crawler.discovery.resourcesync import articles, parse_resourcesync
from crawler.discovery.sitemap import parse_sitemap
from crawler.facts import Facts, Link, Malformed
from crawler.formats import check_claim, parse, sniff
from crawler.formats.charset import decode as decode_text
from crawler.formats.front_matter import split_front_matter
from crawler.formats.naming import format_of
from crawler.formats.table import FORMATS
from crawler.links import MAX_LINKS, is_comment_feed, is_feed, parse_link_header
from crawler.politeness.pace import retry_after
from crawler.robots import MAX_SITEMAPS, from_answer
from crawler.transport.headers import received
from crawler.transport.redirects import BadRedirect, target
from crawler.urls import normalise
from storage.codings import CodingError, decode
from storage.times import (
    WhenError,
    format_utc,
    parse_declared,
    parse_http_date,
    parse_rfc3339,
    parse_when,
    same_moment,
)

BASE = "https://news.example/2026/bridge?id=7"
SCOPE = "https://news.example/"
NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
#: Bytes that a content coding may decode to here: enough to pass a limit, quick to fill.
LIMIT = 1 << 20
_CODINGS = ("gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate", "x-gzip, gzip, gzip")
_TYPES = ("", "text/html", "text/plain; charset=utf-16", "text/markdown; charset=shift_jis", "a/b")


def link_header(data: bytes) -> None:
    """Read Link field values, a line each."""
    links = parse_link_header(_header_text(data).split("\n"), BASE)
    assert len(links) <= MAX_LINKS
    _check_links(links)


def front_matter(data: bytes) -> None:
    """Read YAML, TOML and JSON before a text: nothing of the text is lost."""
    whole = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    parts = split_front_matter(whole)
    assert whole.endswith(parts.rest)


def claims(data: bytes) -> None:
    """Tell what bytes look like, and whether they are what they claim to be."""
    kind = _TYPES[len(data) % len(_TYPES)]
    sniff(data, kind)
    for name in FORMATS:
        reason = check_claim(name, kind, data)
        assert reason is None or reason


def charset(data: bytes) -> None:
    """Decode text in the charset that the first line names."""
    label, _, body = data.partition(b"\n")
    found, _ = decode_text(body, _header_text(label), meta=bool(len(data) % 2))
    assert isinstance(found, str)


def sitemap(data: bytes) -> None:
    """Read a sitemap, an index, or a list of URLs."""
    with suppress(Malformed):
        found = parse_sitemap(data, BASE)
        for entry in (*found.entries, *found.sitemaps):
            assert normalise(entry.url) == entry.url


def resourcesync(data: bytes) -> None:
    """Read a list of another mirror."""
    with suppress(Malformed):
        found = parse_resourcesync(data, BASE)
        for each in articles(found.items):
            assert each.formats
            assert normalise(each.url) == each.url


def feed(data: bytes) -> None:
    """Read RSS, Atom and JSON Feed."""
    with suppress(Malformed):
        found = parse_feed(data, BASE, ("", "application/json")[len(data) % 2])
        assert len(found.entries) <= MAX_ENTRIES
        for entry in found.entries:
            assert normalise(entry.url) == entry.url


def llms_txt(data: bytes) -> None:
    """Read an llms.txt."""
    for link in parse_llms_txt(data.decode("utf-8", "replace"), BASE):
        assert normalise(link.url) == link.url


def anchors(data: bytes) -> None:
    """Choose among a page's anchors, a line each."""
    for url in candidates(data.decode("utf-8", "replace").split("\n"), BASE, SCOPE):
        assert normalise(url) == url


def robots(data: bytes) -> None:
    """Read robots.txt, and judge any URL by it; the file itself always may be read."""
    found = from_answer(200, data, "slugline/1.0")
    assert found.allowed("https://news.example/robots.txt")
    assert len(found.sitemaps) <= MAX_SITEMAPS
    assert found.crawl_delay is None or not math.isnan(found.crawl_delay)
    last = data.rpartition(b"\n")[2].decode("utf-8", "replace")
    for url in (BASE, SCOPE, f"{SCOPE}{last}", last):
        assert found.allowed(url) in (True, False)


def records(data: bytes) -> None:
    """Read a file given with --records."""
    with suppress(RecordsError):
        for hint in parse_records(data, "list.json"):
            assert normalise(hint.url) == hint.url


def config(data: bytes) -> None:
    """Read a config.toml."""
    with suppress(ConfigError):
        parse_config(data.decode("utf-8", "replace"), {})


def codings(data: bytes) -> None:
    """Decode a body from the content coding that its first byte chooses."""
    coding = _CODINGS[data[0] % len(_CODINGS)] if data else ""
    with suppress(CodingError):
        assert len(decode(data[1:], coding, LIMIT)) <= LIMIT


def header_fields(data: bytes) -> None:
    """Read header fields as they came, each as Retry-After and as Location too."""
    raw = [line.partition(b":")[::2] for line in data.split(b"\n")]
    kept, cut = received(BASE, raw, len(data) + 1)
    assert len(kept) + len(cut) <= len(raw)
    for _, value in kept:
        wait = retry_after(value, NOW)
        assert wait is None or wait > 0
        with suppress(BadRedirect):
            to = target(value, BASE)
            assert normalise(to) == to


def times(data: bytes) -> None:
    """Read dates of every kind; what is written of one is read back as it."""
    written = data.decode("utf-8", "replace")
    with suppress(WhenError):
        assert parse_when(written, NOW).utcoffset() is not None
    for stamp in (parse_declared(written), parse_http_date(written), parse_rfc3339(written)):
        if stamp is not None:
            assert same_moment(stamp, stamp)
            again = parse_rfc3339(format_utc(stamp.at))
            assert again is not None
            assert again.at == stamp.at


def facts(name: str, data: bytes) -> None:
    """Read a body of the format called ``name``."""
    kind = _TYPES[data[0] % len(_TYPES)] if data else ""
    with suppress(Malformed):
        _check_facts(parse(name, data, BASE, kind))


def _check_facts(facts: Facts) -> None:
    content_digest(facts)
    _check_links(facts.links)
    for url in (facts.canonical, facts.canonical_source, facts.leads_to, *facts.anchors):
        assert url is None or normalise(url) == url
    for stamp in (facts.updated_at, facts.published_at):
        assert stamp is None or stamp.at.utcoffset() is not None


def _check_links(links: tuple[Link, ...]) -> None:
    for link in links:
        assert normalise(link.url) == link.url
        assert not link.rel or link.rel == link.rel.lower()
        format_of(link)
        is_feed(link)
        is_comment_feed(link)


def _header_text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
