"""The newsroom's pages that are no article: lists, feeds, sitemaps and what robots read.

Sitemaps as sitemaps.org 0.9 has them, the feed as RFC 4287, robots.txt as RFC 9309, llms.txt as
llmstxt.org. Pure: records in, texts by path out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape

from msgspec import Struct

from crawler.demo.rendering import NAME, page
from crawler.demo.stories import DESKS
from storage.model import Record

#: Stories that a listing page shows, a sitemap part names, the feed and llms.txt carry, and a story
#: calls related: small enough that a demo of twelve has several pages, and 2,000 several sitemaps.
PER_PAGE = 10
PER_SITEMAP = 500
IN_FEED = 20
IN_LLMS = 50
RELATED = 3

_NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Made(Struct, frozen=True):
    """A page's text, its media type, and when the newest story on it was updated."""

    text: str
    media_type: str = "text/html"
    at: datetime | None = None


def site_pages(base: str, records: tuple[Record, ...]) -> dict[str, Made]:
    """Every page of the newsroom at ``base`` that is no article, by path."""
    newest = sorted(records, key=lambda record: (record.published_at, record.slug), reverse=True)
    return {
        "/": _front(base, newest),
        **_listing(base, newest),
        **_sections(base, newest),
        "/about/": Made(page("About us", f"<h1>About us</h1>\n<p>{_ABOUT}</p>\n", base)),
        **_sitemaps(base, records),
        "/feed.atom": _feed(base, newest[:IN_FEED]),
        "/llms.txt": _llms(base, newest[:IN_LLMS]),
        "/robots.txt": Made(_robots(base), "text/plain"),
    }


_ABOUT = (
    f"{NAME} is a newsroom that never leaves this machine. Every story comes as a page, as "
    "Markdown, as plain text and as JSON-LD, so that a mirror of it has something to hold."
)


def _front(base: str, newest: list[Record]) -> Made:
    desks = "".join(f'<li><a href="{base}/section/{desk}/">{desk}</a></li>' for desk in DESKS)
    body = f"<h1>{NAME}</h1>\n{_cards(newest[:PER_PAGE])}<h2>Desks</h2>\n<ul>{desks}</ul>\n"
    return Made(page("Front page", body, base), at=_latest(newest))


def _listing(base: str, newest: list[Record]) -> dict[str, Made]:
    """All stories, newest first, in pages tied by prev and next."""
    count = max(1, -(-len(newest) // PER_PAGE))
    made = {}
    for number in range(1, count + 1):
        shown = newest[(number - 1) * PER_PAGE : number * PER_PAGE]
        older = (
            f'<a rel="next" href="{_listed(base, number + 1)}">Older</a>' if number < count else ""
        )
        newer = f'<a rel="prev" href="{_listed(base, number - 1)}">Newer</a>' if number > 1 else ""
        body = f"<h1>All news, page {number}</h1>\n{_cards(shown)}<p>{newer} {older}</p>\n"
        path = _listed("", number)
        made[path] = Made(page(f"All news, page {number}", body, base), at=_latest(shown))
    return made


def _listed(base: str, number: int) -> str:
    return f"{base}/news/" if number == 1 else f"{base}/news/page/{number}/"


def _sections(base: str, newest: list[Record]) -> dict[str, Made]:
    made = {}
    for desk in DESKS:
        shown = [record for record in newest if desk in record.topics][:PER_PAGE]
        body = f"<h1>{desk.capitalize()}</h1>\n{_cards(shown)}"
        made[f"/section/{desk}/"] = Made(page(desk.capitalize(), body, base), at=_latest(shown))
    return made


def _cards(records: Iterable[Record]) -> str:
    items = "".join(
        f'<li><a href="{escape(record.url)}">{escape(record.title or record.slug)}</a>'
        f"<p>{escape(record.summary or '')}</p></li>\n"
        for record in records
    )
    return f"<ol>\n{items}</ol>\n"


def _sitemaps(base: str, records: tuple[Record, ...]) -> dict[str, Made]:
    """Make an index at /sitemap.xml and its parts, lastmod with every digit there is."""
    parts = [records[at : at + PER_SITEMAP] for at in range(0, len(records), PER_SITEMAP)]
    made = {}
    for number, part in enumerate(parts, 1):
        urls = "".join(
            f"<url><loc>{escape(record.url)}</loc>{_lastmod(record.updated_at)}</url>\n"
            for record in part
        )
        text = f"{_XML}<urlset {_NS}>\n{urls}</urlset>\n"
        made[f"/sitemap-{number}.xml"] = Made(text, "application/xml", _latest(part))
    listed = "".join(
        f"<sitemap><loc>{base}{path}</loc>{_lastmod(part.at)}</sitemap>\n"
        for path, part in made.items()
    )
    index = f"{_XML}<sitemapindex {_NS}>\n{listed}</sitemapindex>\n"
    return {"/sitemap.xml": Made(index, "application/xml", _latest(records)), **made}


def _lastmod(at: datetime | None) -> str:
    return f"<lastmod>{at.isoformat()}</lastmod>" if at else ""


def _feed(base: str, newest: list[Record]) -> Made:
    entries = "".join(_entry(record) for record in newest)
    at = _latest(newest)
    updated = f"<updated>{at.isoformat()}</updated>" if at else ""
    text = (
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom">\n<title>{NAME}</title>\n<id>{base}/</id>\n'
        f'<link rel="self" href="{base}/feed.atom"/>\n<link rel="alternate" href="{base}/"/>\n'
        f"{updated}\n{entries}</feed>\n"
    )
    return Made(text, "application/atom+xml", at)


def _entry(record: Record) -> str:
    published = record.published_at.isoformat() if record.published_at else ""
    updated = record.updated_at.isoformat() if record.updated_at else published
    return (
        f"<entry><title>{escape(record.title or '')}</title><id>{escape(record.url)}</id>"
        f'<link rel="alternate" type="text/html" href="{escape(record.url)}"/>'
        f"<published>{published}</published><updated>{updated}</updated>"
        f"<summary>{escape(record.summary or '')}</summary></entry>\n"
    )


def _llms(base: str, newest: list[Record]) -> Made:
    lines = "".join(
        f"- [{record.title}]({record.alternates['markdown']}): {record.summary}\n"
        for record in newest
        if "markdown" in record.alternates
    )
    text = f"# {NAME}\n\n> {_ABOUT}\n\n- [All news]({base}/news/)\n\n## Latest stories\n\n{lines}"
    return Made(text, "text/plain", _latest(newest))


def _robots(base: str) -> str:
    return f"User-agent: *\nDisallow: /search\n\nSitemap: {base}/sitemap.xml\n"


def _latest(records: Iterable[Record]) -> datetime | None:
    return max((record.updated_at for record in records if record.updated_at), default=None)
