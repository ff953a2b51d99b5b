"""HTML: everything one page says of itself, from one parse.

The order of trust inside a page: Open Graph and ``article:`` properties, microdata, classes and
times, then embedded JSON-LD for what the rest leaves out. Values of an embedded
block are the page's own and no source beside it. Pure; raises facts.Malformed only.
"""

from __future__ import annotations

from msgspec import structs
from selectolax.lexbor import LexborHTMLParser

from crawler.facts import Evidence, Facts, Link, Malformed
from crawler.formats.charset import decode
from crawler.formats.html_evidence import article_count, declared_kind, has_own_feed, is_paginated
from crawler.formats.html_head import (
    Meta,
    base_url,
    read_anchors,
    read_links,
    read_meta,
    refresh_target,
    related_anchors,
)
from crawler.formats.html_marks import Marks, read_marks
from crawler.formats.html_region import Region, choose_region
from crawler.formats.html_text import Text, region_text
from crawler.formats.html_tree import folded, parse_page
from crawler.formats.json_values import first_stamp, unique
from crawler.formats.jsonld import embedded_facts
from crawler.formats.spec import FormatSpec
from crawler.urls import normalise, page_key
from storage.model import Finding

EXTRACTOR = "html/2"
#: JSON-LD blocks read on one page; listings that repeat one a card have about 50.
MAX_BLOCKS = 100


def parse_html(body: bytes, url: str, content_type: str = "") -> Facts:
    """Return the facts of an HTML page at ``url``. Raises Malformed: it nests past all bounds."""
    text, findings = decode(body, content_type, meta=True)
    tree, cut = parse_page(text)
    region = choose_region(tree)
    if region is None:
        raise Malformed("it is HTML without a body")
    base = base_url(tree, url)
    related = related_anchors(tree)
    links, meta = read_links(tree, related, base), read_meta(tree)
    embedded = embedded_facts(_blocks(tree), url)
    several = article_count(tree, region)
    marks = read_marks(tree, region.article, single=several <= 1 or region.marked)
    declared_title = _declared_title(meta, marks, embedded)
    title = declared_title or _shown_title(tree, region)
    words = region_text(region.content, base, title)
    facts = _facts(meta, marks, embedded, words, title)
    canonical, conflict = _canonical(links)
    kind = declared_kind(tree, links, embedded.evidence, marks.itemtype, meta.first("og:type"))
    return structs.replace(
        facts,
        title_guessed=declared_title is None,
        lang=_language(tree, meta, embedded),
        canonical=canonical,
        leads_to=refresh_target(meta, base),
        canonical_source=_source(canonical, url, base, meta, embedded),
        links=links + embedded.links,
        anchors=read_anchors(tree, related, base),
        nofollow=meta.nofollow,
        robots=meta.robots,
        tdm=meta.tdm,
        findings=findings + cut + conflict,
        evidence=Evidence(
            type=kind[0],
            type_source=kind[1],
            text_length=len(words.plain),
            link_text_length=words.link_length,
            article_elements=max(several, embedded.evidence.article_elements),
            has_heading=bool(tree.tags("h1")),
            paginated=is_paginated(links, url),
            own_feed=has_own_feed(links, url, kind[0]),
        ),
    )


def _facts(meta: Meta, marks: Marks, embedded: Facts, words: Text, title: str | None) -> Facts:
    """Return the page's own words, each from the first place that has them."""
    published = meta.first("article:published_time", "og:article:published_time", "date", "dc.date")
    modified = (*meta.all("article:modified_time"), *meta.all("og:updated_time"))
    return Facts(
        source="html",
        extractor=EXTRACTOR,
        title=title,
        summary=_summary(meta, marks) or embedded.summary,
        body=words.plain or None,
        words=words.linked or None,
        authors=_authors(meta, marks) or embedded.authors,
        published_at=first_stamp((published, *marks.published)) or embedded.published_at,
        updated_at=first_stamp((*modified, *marks.updated)) or embedded.updated_at,
        topics=_topics(meta) or embedded.topics or unique(marks.tags),
        entities=embedded.entities,
    )


def _blocks(tree: LexborHTMLParser) -> list[str]:
    kinds = ((node, (node.attributes.get("type") or "").lower()) for node in tree.tags("script"))
    nodes = [node for node, kind in kinds if kind.startswith("application/ld+json")]
    return [node.text() for node in nodes[:MAX_BLOCKS]]


def _declared_title(meta: Meta, marks: Marks, embedded: Facts) -> str | None:
    said = meta.first("og:title", "twitter:title") or marks.title or embedded.title
    return folded(said) or None


def _shown_title(tree: LexborHTMLParser, region: Region) -> str | None:
    """Return the page's only main heading; its ``<title>`` is the last resort."""
    headings = region.article.css("h1") or tree.css("h1")
    if len(headings) == 1 and folded(headings[0].text()):
        return folded(headings[0].text())
    # This one carries the site's name too.
    node = tree.css_first("head title") or tree.css_first("title")
    return folded(node.text()) or None if node is not None else None


def _summary(meta: Meta, marks: Marks) -> str | None:
    said = meta.first("og:description", "description", "twitter:description", "dc.description")
    return folded(said or marks.summary) or None


def _authors(meta: Meta, marks: Marks) -> tuple[str, ...]:
    named = (*meta.all("author"), *meta.all("article:author"), *meta.all("parsely-author"))
    # Open Graph wants a profile's address here; an address is no name.
    return unique(name for name in named if "://" not in name) or unique(marks.authors)


def _topics(meta: Meta) -> tuple[str, ...]:
    tags = meta.all("article:tag")
    if len(tags) == 1:
        tags = tuple(tags[0].split(","))
    return unique(tags) or unique(
        word for value in meta.all("keywords") for word in value.split(",")
    )


def _language(tree: LexborHTMLParser, meta: Meta, embedded: Facts) -> str | None:
    given = tree.root.attributes if tree.root is not None else {}
    said = (given.get("lang") or "").strip() or (given.get("xml:lang") or "").strip()
    if said:
        return said
    locale = meta.first("og:locale")
    return embedded.lang or (locale.replace("_", "-") if locale else meta.first("content-language"))


def _canonical(links: tuple[Link, ...]) -> tuple[str | None, tuple[Finding, ...]]:
    """Return the first declared canonical; a page that gives two contradicts itself."""
    given = tuple(dict.fromkeys(link.url for link in links if link.rel == "canonical"))
    if len(given) <= 1:
        return (given[0] if given else None), ()
    detail = f"the page gives {len(given)} canonical URLs: {', '.join(given[:3])}"
    return given[0], (Finding(kind="canonical-conflict", detail=detail, formats=("html",)),)


def _source(canonical: str | None, url: str, base: str, meta: Meta, embedded: Facts) -> str | None:
    """Return the original on another host: a foreign canonical, else what syndication marks say."""
    if canonical is not None and canonical != url and _host(canonical) != _host(url):
        return canonical
    said = meta.first("syndication-source", "original-source")
    return (normalise(said, base) if said else None) or embedded.canonical_source


def _host(url: str) -> str:
    return page_key(url).partition("/")[0]


SPEC = FormatSpec(
    name="html",
    media_types=("text/html", "application/xhtml+xml"),
    parse=parse_html,
)
