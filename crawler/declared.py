"""Which formats an article is published in, where each one is, and who declared it. Pure.

An article's declared formats are the union over every declarer that answered: ``<link>``, the
``Link`` header, JSON-LD, the record, front matter, the records file. One URL a format: where
declarers differ, the one the page itself gives wins (order below).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from crawler.facts import Link
from crawler.formats.naming import format_of
from crawler.formats.table import FORMATS
from crawler.urls import normalise, origin

#: Whose URL counts where two declare the same format at different places.
DECLARERS = ("html", "header", "jsonld", "json", "markdown", "records-file", "llms-txt", "probe")
#: Formats of one article that are fetched; the richest publishers offer about eight.
MAX_FORMATS = 20
#: Names of formats that are read at all, to say how many are left out.
MAX_NAMED = 1_000
#: Suffixes under which a text twin of a page is looked for when a site declares none.
PROBED = (("markdown", ".md"), ("text", ".txt"), ("jsonld", ".jsonld"))
_TWIN_ENDINGS = tuple(suffix for _, suffix in PROBED)
#: Endings a page's own URL sheds before such a suffix is added.
PAGE_ENDINGS = (".html", ".htm")


class Declared(Struct, frozen=True, kw_only=True):
    """One format of an article: its URL, the media type it was declared with, and by whom.

    Of what another mirror has, ``via`` is the publisher's own URL, and ``digest`` the SHA-256 of
    the bytes that it lists.
    """

    format: str
    url: str
    type: str = ""
    declared_by: tuple[str, ...] = ()
    via: str = ""
    digest: str = ""


def declared_formats(links: Iterable[Link], most: int = MAX_FORMATS) -> dict[str, Declared]:
    """Fold typed ``links`` into one entry a format, in the order of first declaration.

    The first ``most`` formats only.
    """
    found: dict[str, list[Link]] = {}
    for link in links:
        name = format_of(link) if link.rel == "alternate" else None
        if name is None:
            continue
        if name in found:
            found[name].append(link)
        elif len(found) < most:
            found[name] = [link]
    return {name: _fold(name, each) for name, each in found.items()}


def _fold(name: str, links: list[Link]) -> Declared:
    if len(links) == 1:
        (only,) = links
        return Declared(format=name, url=only.url, type=only.type, declared_by=(only.declared_by,))
    first = min(links, key=lambda link: _rank(link.declared_by))
    declarers = tuple(dict.fromkeys(link.declared_by for link in links if link.url == first.url))
    return Declared(format=name, url=first.url, type=first.type, declared_by=declarers)


def _rank(declarer: str) -> int:
    return DECLARERS.index(declarer) if declarer in DECLARERS else len(DECLARERS)


def hinted_links(alternates: Mapping[str, str], declarer: str) -> tuple[Link, ...]:
    """Turn a record's ``alternates`` into links; URLs that are none are left out."""
    return tuple(
        Link(rel="alternate", url=url, type=FORMATS[name].media_types[0], declared_by=declarer)
        for name, given in alternates.items()
        if (url := normalise(given)) is not None and name in FORMATS
    )


def probe_urls(url: str) -> tuple[tuple[str, str], ...]:
    """Return (format, URL) pairs to try for an article page that declares no text format."""
    path, _, _ = url.partition("?")
    stems = [_stem(path)]
    if path.endswith("/"):
        stem = path.rstrip("/")
        # A front page has no name to add a suffix to: its host would take it.
        stems = [path + "index"] if stem == origin(url) else [stem, path + "index"]
    pairs = [(name, stem + suffix) for stem in stems for name, suffix in PROBED]
    # llmstxt.org: the page's whole file name with ".md" behind it, "index.html" where it has none.
    if path.endswith(("/", *PAGE_ENDINGS)):
        pairs.append(("markdown", (path + "index.html" if path.endswith("/") else path) + ".md"))
    return tuple(pairs)


def page_urls(url: str) -> tuple[tuple[str, str], ...]:
    """Return (way, URL) pairs to try for the page of the text twin at ``url``, likely ones first.

    ``way`` names how the URL is made, so that a site's next twin can be tried the same way.
    """
    path = url.partition("?")[0]
    if not is_twin(path):
        return ()
    stem = path.rpartition(".")[0]
    if stem.endswith(PAGE_ENDINGS):
        return (("whole", stem.removesuffix("index.html")),)
    if stem.endswith("/index"):
        return (("folder", stem.removesuffix("index")), ("file", stem + ".html"))
    return (("bare", stem), ("file", stem + ".html"), ("folder", stem + "/"))


def twin_key(url: str) -> str:
    """Return what a page and its text twins have in common: the URL without its format's ending.

    ``/a/b.md``, ``/a/b.html.md``, ``/a/b.html``, ``/a/b`` and ``/a/b/`` are one; so are
    ``/a/index.md`` and ``/a/``.
    """
    path, mark, query = url.partition("?")
    for endings in ((*(suffix for _, suffix in PROBED), ".json"), PAGE_ENDINGS):
        path = next((path.removesuffix(each) for each in endings if path.endswith(each)), path)
    return path.removesuffix("/index").rstrip("/") + mark + query


def bare_key(url: str) -> str:
    """Return `twin_key` taken as often as it changes anything.

    A page and each of `twins_of` it have the same, whatever endings stand one behind the other.
    """
    while (key := twin_key(url)) != url:
        url = key
    return url


def twins_of(url: str) -> tuple[str, ...]:
    """Return the URLs at which a page's text twins may be, by all the ways `twin_key` knows."""
    path, mark, query = twin_key(url).partition("?")
    stems = [stem + ending for stem in (path, f"{path}/index") for ending in ("", *PAGE_ENDINGS)]
    return tuple(stem + suffix + mark + query for stem in stems for _, suffix in PROBED)


def pages_of(url: str) -> tuple[str, ...]:
    """Return the URLs that the page of a text twin may have, other twins of it among them."""
    path, mark, query = twin_key(url).partition("?")
    stems = [stem + ending for stem in (path, f"{path}/index") for ending in ("", *PAGE_ENDINGS)]
    pages = [f"{path}/", *stems, *(f"{stem}.json" for stem in stems)]
    twins = tuple(each for each in twins_of(url) if each != url)
    return (*(page + mark + query for page in pages), *twins)


def is_twin(url: str) -> bool:
    """Say whether ``url`` looks like a text twin of a page rather than like a page."""
    return url.partition("?")[0].endswith(_TWIN_ENDINGS)


def _stem(path: str) -> str:
    for ending in PAGE_ENDINGS:
        if path.endswith(ending):
            return path.removesuffix(ending)
    return path
