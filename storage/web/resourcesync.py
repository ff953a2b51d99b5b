"""The documents of ResourceSync (ANSI/NISO Z39.99-2017), which are sitemaps that say more. Pure.

Section 9: the Source Description and the Capability List; section 10: the Resource List and its
index; section 12: the Change List. Times are RFC 3339, hashes SHA-256 of the bytes without content
coding (section 7, ``sha-256:`` and hex digits). Of a format that its newest snapshot holds stands
there too, in a namespace of our own, whose it is: the article's slug (percent-encoded), the moment
under which that snapshot is filed, the format's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from storage.index.rows import SnapshotRow
from storage.model import TERMS, Representation
from storage.times import format_utc
from storage.web import paths

XML = "application/xml"
WELL_KNOWN = "/.well-known/resourcesync"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<{root} '
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:rs="http://www.openarchives.org/rs/terms/" '
    f'xmlns:slugline="{TERMS}">\n'
)

#: Attributes of an element; what is empty is left out.
Attributes = Mapping[str, str]


class Item(Struct, frozen=True, kw_only=True):
    """One ``url`` or ``sitemap``: where it is, what is said of it, and whose it is."""

    loc: str
    lastmod: datetime | None = None
    about: Attributes = {}
    article: Attributes = {}
    links: tuple[Attributes, ...] = ()


class Held(Struct, frozen=True, kw_only=True):
    """A format's newest bytes; ``newest``: those of the article's newest snapshot, none older."""

    one: Representation
    newest: bool = True


def document(
    root: Literal["urlset", "sitemapindex"],
    about: Attributes,
    links: Iterable[Attributes],
    items: Iterable[Item],
) -> bytes:
    """Return a document; ``about`` and ``links`` are its own."""
    name = "url" if root == "urlset" else "sitemap"
    parts = [_HEAD.format(root=root)]
    parts += (f"  <rs:ln{_written(link)}/>\n" for link in links)
    parts.append(f"  <rs:md{_written(about)}/>\n")
    parts += (_item(name, item) for item in items)
    parts.append(f"</{root}>\n")
    return "".join(parts).encode()


def _item(name: str, item: Item) -> str:
    lines = [f"    <loc>{escape(item.loc)}</loc>"]
    if item.lastmod is not None:
        lines.append(f"    <lastmod>{format_utc(item.lastmod)}</lastmod>")
    if item.about:
        lines.append(f"    <rs:md{_written(item.about)}/>")
    if item.article:
        lines.append(f"    <slugline:article{_written(item.article)}/>")
    lines += (f"    <rs:ln{_written(link)}/>" for link in item.links)
    return "\n".join([f"  <{name}>", *lines, f"  </{name}>\n"])


def _written(attributes: Attributes) -> str:
    given = ((name, value) for name, value in attributes.items() if value)
    return "".join(f" {name}={quoteattr(value)}" for name, value in given)


def latest_path(site: str, format: str, url: str) -> str:
    """Return where the newest bytes of a format are: a resource that stays while they change."""
    return f"/latest/{paths.segment(site)}/{paths.segment(format)}/{paths.uri(url)}"


def list_path(site: str, name: str, past: str = "") -> str:
    """Return a site's document ``name``, or a page of it."""
    return f"/resourcesync/{paths.segment(site)}/{name}.xml{paths.query_of(past=past)}"


def described(one: Representation) -> dict[str, str]:
    """Return what ``rs:md`` says of bytes: hash, length, type."""
    return {"hash": f"sha-256:{one.digest}", "length": str(one.length), "type": kind_of(one)}


def kind_of(one: Representation) -> str:
    """Return a media type without parameters, as ``type`` takes it."""
    return one.media_type.partition(";")[0].strip().lower()


def resources(base: str, row: SnapshotRow, formats: Iterable[Held]) -> Iterator[Item]:
    """Give the resources of an article whose newest snapshot is ``row``.

    The one that stands for the article comes first and links to the others: the HTML where there is
    one (``rel="alternate"``, and ``canonical`` the way back, section 13.2). Each names the URL that
    its publisher has it under (``via``, section 13.8). All changed when the snapshot was made.
    """
    given = sorted(formats, key=lambda each: (not each.newest, each.one.format != "html"))
    where = [base + latest_path(row.site, each.one.format, each.one.url) for each in given]
    for number, (each, at) in enumerate(zip(given, where, strict=True)):
        one = each.one
        others: list[Attributes] = [
            {"rel": "alternate", "href": there, "type": kind_of(other.one)}
            for other, there in zip(given[1:], where[1:], strict=True)
        ]
        links = others if number == 0 else [{"rel": "canonical", "href": where[0]}]
        yield Item(
            loc=at,
            lastmod=row.observed_at,
            about=described(one),
            article=whose(row.slug, row.updated_at, one.format) if each.newest else {},
            links=(*links, {"rel": "via", "href": paths.uri(one.via or one.url)}),
        )


def whose(slug: str, updated_at: datetime, format: str) -> dict[str, str]:
    """Return what tells a format's article: slug, the snapshot's moment, and the format's name."""
    at = format_utc(updated_at)
    return {"slug": quote(slug, safe=""), "updated_at": at, "format": format}
