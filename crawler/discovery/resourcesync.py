"""ResourceSync (ANSI/NISO Z39.99-2017): what another mirror has, and what changed there.

Its documents are sitemaps that say more: ``rs:md`` tells what a document or a resource is, with a
hash of its bytes, ``rs:ln`` what it belongs to. Mirrors that slugline serves also say, in a
namespace of their own (`storage.model.TERMS`), which article each resource is a format of.
Expat streams; entities are never declared, expanded or fetched. Pure: bytes and a base URL in,
values out; the only error raised is Malformed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from urllib.parse import unquote
from xml.parsers import expat

from msgspec import Struct, field

from crawler.facts import Malformed
from crawler.listed import Listed, Resource
from crawler.urls import normalise
from storage.model import TERMS

#: Resources and documents that one document may list; the sitemap protocol's own limit.
MAX_ITEMS = 50_000
#: Decoded bytes of one document that are read; the sitemap protocol's own limit.
MAX_BYTES = 50 * 2**20
#: Open elements; an honest document nests three deep (urlset, url, loc).
MAX_DEPTH = 16
#: Characters of one value that are read; no URL that is fetched is longer, nor any slug.
_MAX_TEXT = 16 << 10
#: Characters of a moment: the longest date written has some 40.
_MAX_DATE = 64
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_RS = "http://www.openarchives.org/rs/terms/"
_ROOTS = (f"{_SITEMAP} urlset", f"{_SITEMAP} sitemapindex")
_ITEMS = (f"{_SITEMAP} url", f"{_SITEMAP} sitemap")
_SHA_256 = re.compile(r"sha-256:([0-9a-fA-F]{64})(?!\S)")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class Listing(Struct, frozen=True, kw_only=True):
    """One document: what it is (its ``capability``), from and as of when, and what it lists."""

    capability: str
    at: str = ""
    since: str = ""
    items: tuple[Resource, ...] = ()


def parse_resourcesync(body: bytes, url: str) -> Listing:
    """Read a document that was served at ``url``, content coding undone.

    A part of one is worth nothing, since what it leaves out would be taken for gone: raises
    Malformed where it is cut short, too long or no document of ResourceSync's, saying why.
    """
    if len(body) > MAX_BYTES:
        raise Malformed(f"it has more than {MAX_BYTES:,} bytes")
    reader = _Reader(url)
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Malformed(f"the XML breaks: {error}") from error
    if not reader.about.get("capability"):
        raise Malformed("it does not say which capability of ResourceSync it is")
    return Listing(
        capability=reader.about["capability"],
        at=reader.about.get("at", "")[:_MAX_DATE],
        since=reader.about.get("from", "")[:_MAX_DATE],
        items=tuple(reader.items),
    )


def articles(items: Iterable[Resource]) -> tuple[Listed, ...]:
    """Gather what a list says of articles, each once and by the last that is said of it.

    What stands together and has one slug is one article. Resources without a slug are left out:
    older bytes of a format that is missing now, or another kind of mirror.
    """
    found: dict[str, Listed] = {}
    named = (each for each in items if each.slug and each.format)
    for (slug, updated_at, _, change), group in groupby(named, key=_article):
        formats = {each.format: each for each in group}
        # Taken out and put in again: a list of changes goes by their order.
        found.pop(slug, None)
        found[slug] = Listed(
            slug=slug,
            updated_at=updated_at,
            formats=tuple(formats.values()),
            gone=change == "deleted",
        )
    return tuple(found.values())


def _article(one: Resource) -> tuple[str, str, str, str]:
    changed = one.at if one.change else ""
    # Of one snapshot's formats some may be new, some not.
    return one.slug, one.updated_at, changed, one.change if one.change == "deleted" else ""


class _Reader(Struct):
    """What a parse has gathered. Mutable state: the open elements and the item among them."""

    base: str
    about: dict[str, str] = field(default_factory=dict)
    items: list[Resource] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    item: dict[str, str] | None = None
    words: list[str] | None = None
    room: int = 0

    def start(self, name: str, given: Mapping[str, str]) -> None:
        if not self.open and name not in _ROOTS:
            shown = name.rpartition(" ")[2][:40]
            raise Malformed(f"it is no document of ResourceSync's: its root element is <{shown}>")
        if len(self.open) >= MAX_DEPTH:
            raise Malformed(f"elements are nested more than {MAX_DEPTH} deep")
        self.open.append(name)
        # Depth tells the document's own words from those on one of its items.
        if len(self.open) == 2:  # noqa: PLR2004  - right below the root
            self._opened(name, given)
        elif self.item is not None and len(self.open) == 3:  # noqa: PLR2004  - in an item
            self._told(self.item, name, given)

    def _opened(self, name: str, given: Mapping[str, str]) -> None:
        if name in _ITEMS:
            if len(self.items) >= MAX_ITEMS:
                raise Malformed(f"it lists more than {MAX_ITEMS:,} resources")
            self.item = {}
        elif name == f"{_RS} md":
            self.about = {key: value for key, value in given.items() if len(value) <= _MAX_TEXT}

    def _told(self, item: dict[str, str], name: str, given: Mapping[str, str]) -> None:
        short = {key: value for key, value in given.items() if len(value) <= _MAX_TEXT}
        if name == f"{_SITEMAP} loc":
            self.words, self.room = [], _MAX_TEXT
        elif name == f"{_RS} md":
            item |= {key: short[key] for key in ("capability", "change", "type") if key in short}
            item["at"] = short.get("datetime", "")[:_MAX_DATE]
            found = _SHA_256.search(short.get("hash", ""))
            item["digest"] = found[1].lower() if found else ""
        elif name == f"{_RS} ln" and short.get("rel") == "via":
            item["via"] = self._address(short.get("href", "")) or ""
        elif name == f"{TERMS} article":
            named = short.get("format", "")
            item["slug"] = unquote(short.get("slug", ""))
            item["updated_at"] = short.get("updated_at", "")[:_MAX_DATE]
            item["format"] = named if _NAME.fullmatch(named) else ""

    def text(self, text: str) -> None:
        if self.words is not None:
            self.words.append(text[: max(self.room, 0)])
            self.room -= len(text)

    def end(self, name: str) -> None:
        self.open.pop()
        if self.item is None:
            return
        if self.words is not None and name == f"{_SITEMAP} loc":
            # Half a URL is another URL.
            self.item["url"] = "".join(self.words).strip() if self.room >= 0 else ""
            self.words = None
        elif name in _ITEMS and len(self.open) == 1:
            url = self._address(self.item.pop("url", ""))
            if url is not None:
                self.items.append(Resource(url=url, **self.item))
            self.item = None

    def _address(self, written: str) -> str | None:
        """Resolve an address; an empty one is none, and not the document's own."""
        return normalise(written, self.base) if written else None

    def entity(self, *_declaration: object) -> None:
        raise Malformed("it declares XML entities, which are never expanded")
