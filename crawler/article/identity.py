"""Which URL is the article, given where it was found and what it calls itself. Pure.

A canonical link (RFC 6596) is an attribute and an edge, never the fetch key: on
the same site it is followed and has to prove itself; to another host it names the original source.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from crawler.article.assemble import trusted
from crawler.article.classify import is_further_page, is_root
from crawler.facts import Facts
from crawler.folding import comparable
from crawler.urls import normalise, page_key, same_page

#: Whose canonical is taken first where they differ.
DECLARERS = ("html", "header", "json", "record", "jsonld", "markdown")


class Canonical(Struct, frozen=True, kw_only=True):
    """What was declared: ``own`` on the same site, ``source`` on another host, and every claim."""

    own: str | None = None
    source: str | None = None
    claims: dict[str, str]


class Likeness(Struct, frozen=True, kw_only=True):
    """What has to agree for two documents to be one article, and what each calls itself."""

    url: str
    canonical: str | None
    title: str
    words: str


def read_canonical(facts: Mapping[str, Facts], found_at: str) -> Canonical:
    """Collect every declarer's canonical URL for the document at ``found_at``.

    A first page whose canonical is its second, or its newest comments, has a broken template: such
    a claim is never its ``own``.
    """
    claims: dict[str, str] = {}
    for each in facts.values():
        for link in each.links:
            if link.rel == "canonical" and link.declared_by not in claims:
                claims[link.declared_by] = link.url
        if each.canonical:
            claims.setdefault(each.source, each.canonical)
    own = source = None
    for name in DECLARERS:
        url = claims.get(name)
        if url is None:
            continue
        if not _same_site(url, found_at):
            source = source or url
        elif own is None and (url == found_at or not is_further_page(url, found_at)):
            own = url
    return Canonical(own=own, source=_stated_source(facts, found_at) or source, claims=claims)


def _stated_source(facts: Mapping[str, Facts], found_at: str) -> str | None:
    """Return the original on another host that the most trusted format names as such."""
    for each in trusted(facts).values():
        url = normalise(each.canonical_source) if each.canonical_source else None
        if url is not None and not _same_site(url, found_at):
            return url
    return None


def conflicts(canonical: Canonical, found_at: str) -> tuple[str, ...]:
    """Return the declarers whose own-site canonical is not the one that was taken."""
    taken = canonical.own or found_at
    others = [(name, url) for name, url in canonical.claims.items() if url != taken]
    return tuple(
        sorted(
            name for name, url in others if _same_site(url, found_at) and not same_page(url, taken)
        )
    )


def likeness(url: str, html: Facts, canonical: str | None) -> Likeness:
    """Describe the page at ``url`` for `proves`."""
    return Likeness(
        url=url,
        canonical=canonical,
        title=comparable(html.title),
        words=comparable(html.words or html.body),
    )


def proves(here: Likeness, target: Likeness) -> bool:
    """Say whether ``target`` may stand for ``here``: its own canonical, and the same article.

    A host's front page needs the same words: a template that names it in every canonical may well
    give every page its title too.
    """
    if target.canonical is not None and not same_page(target.canonical, target.url):
        return False
    same_title = bool(here.title) and here.title == target.title and not is_root(target.url)
    return same_title or (bool(here.words) and here.words == target.words)


def _same_site(url: str, other: str) -> bool:
    """Compare hosts with their ports; a scheme's own port and ``www.`` make no difference."""
    if url == other:
        return True
    return page_key(url).partition("/")[0] == page_key(other).partition("/")[0]
