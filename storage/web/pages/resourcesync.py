"""ResourceSync: what another mirror needs to have what this one has, and to keep it so.

Each site is one set of resources, and a resource is the newest bytes of one format of one article,
under an address that stays (``/latest/SITE/FORMAT/URL``). A Resource List is the whole set, by
pages; the Change List has the newest changes, and whoever was away for longer reads the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from msgspec import structs

from storage.archive import Asked, Change
from storage.errors import DamageFound
from storage.index import versions
from storage.index.resources import Resources
from storage.index.rows import SnapshotRow
from storage.model import Manifest, Representation
from storage.times import format_utc
from storage.web import paths
from storage.web.answer import Answer
from storage.web.lists import known_site
from storage.web.reading import Reading
from storage.web.request import Request
from storage.web.resourcesync import (
    WELL_KNOWN,
    XML,
    Item,
    described,
    document,
    latest_path,
    list_path,
    resources,
)

#: Changes in a Change List, each of a few formats.
MOST_CHANGES = 1_000
_GONE = frozenset({"gone", "forgotten"})


def source(reading: Reading, request: Request) -> Answer:
    """Return the Source Description: every site's Capability List."""
    items = [
        Item(
            loc=request.base + list_path(site.name, "capabilitylist"),
            about={"capability": "capabilitylist"},
            links=({"rel": "via", "href": paths.uri(site.scope)},),
        )
        for site in reading.archive.sites()
        if not site.implicit
    ]
    body = document("urlset", {"capability": "description"}, (), items)
    return conditional(request, body)


def capabilities(reading: Reading, request: Request) -> Answer:
    """Return a site's Capability List."""
    site = known_site(reading, request)
    items = [
        Item(loc=request.base + list_path(site, name), about={"capability": name})
        for name in ("resourcelist", "changelist")
    ]
    up = {"rel": "up", "href": request.base + WELL_KNOWN}
    return conditional(request, document("urlset", {"capability": "capabilitylist"}, (up,), items))


def resource_list(reading: Reading, request: Request) -> Answer:
    """Return the index of a site's Resource List."""
    site = known_site(reading, request)
    about = {"capability": "resourcelist", "at": _moment(_last(reading, request, site))}
    items = [
        Item(loc=request.base + list_path(site, "resources", past), about=about)
        for past in _site(reading, site).pages()
    ]
    return conditional(request, document("sitemapindex", about, (_up(request, site),), items))


def resource_page(reading: Reading, request: Request) -> Answer:
    """Return a page of a site's Resource List: the articles behind the slug ``past``."""
    site = known_site(reading, request)
    about = {"capability": "resourcelist", "at": _moment(_last(reading, request, site))}
    index = {"rel": "index", "href": request.base + list_path(site, "resourcelist")}
    found = _site(reading, site)
    items = [
        item
        for row in found.page(request.text("past"))
        for item in resources(request.base, site, _formats(reading, found, row))
    ]
    return conditional(request, document("urlset", about, (_up(request, site), index), items))


def change_list(reading: Reading, request: Request) -> Answer:
    """Return a site's Change List: its newest changes, oldest first."""
    site = known_site(reading, request)
    changes = list(reading.archive.changes(Asked(site=site, last=MOST_CHANGES)))
    begins = changes[0].row.observed_at if changes else request.now
    about = {"capability": "changelist", "from": _moment(begins)}
    shown = (one for one in changes if reading.private or not one.private)
    items = [item for one in shown for item in _changed(reading, request.base, one)]
    return conditional(request, document("urlset", about, (_up(request, site),), items))


def conditional(request: Request, body: bytes) -> Answer:
    """Return a document, or 304 to a client that has it (RFC 9110 section 13.1.2)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    known = {one.strip().removeprefix("W/") for one in request.if_none_match.split(",")}
    answer = Answer(body=body, content_type=XML, headers=(("ETag", tag),))
    return structs.replace(answer, status=304, body=b"") if tag in known else answer


def _site(reading: Reading, site: str) -> Resources:
    return Resources(reading.archive.index, site, reading.private)


def _up(request: Request, site: str) -> dict[str, str]:
    return {"rel": "up", "href": request.base + list_path(site, "capabilitylist")}


def _last(reading: Reading, request: Request, site: str) -> datetime:
    """Return when a site's set last changed: it is the same since then."""
    for one in reading.archive.changes(Asked(site=site, last=1)):
        return one.row.observed_at
    return request.now


def _moment(moment: datetime) -> str:
    return format_utc(moment)


def _formats(
    reading: Reading, found: Resources, row: SnapshotRow
) -> list[tuple[Representation, datetime]]:
    """Return the newest bytes of each format, of a missing one those of an earlier snapshot."""
    manifest = _manifest(reading, row)
    if manifest is None:
        return []
    given = [(one, row.observed_at) for one in manifest.representations if one.record_id]
    for name in sorted(manifest.missing):
        older = found.newest_with(row.slug, name)
        before = _manifest(reading, older) if older is not None else None
        one = before.representation(name) if before is not None else None
        if one is not None:
            given.append((one, row.observed_at))
    return given


def _manifest(reading: Reading, row: SnapshotRow) -> Manifest | None:
    try:
        return reading.archive.manifest(row)
    except DamageFound:
        # One damaged snapshot hides no other; its own page says what is wrong.
        return None


def _changed(reading: Reading, base: str, change: Change) -> Iterator[Item]:
    """Give what a snapshot or an event changed of an article's resources."""
    row = change.row
    if isinstance(row, SnapshotRow):
        manifest = _manifest(reading, row)
        before = versions.beside(reading.archive.index, row, private=reading.private)[0]
        had = set(before.formats) if before is not None else set()
        for one in manifest.representations if manifest is not None else ():
            if one.record_id and one.target_id is None:
                what = "updated" if one.format in had else "created"
                yield _change(base, row.site, one, what, row.observed_at)
        return
    last = versions.latest(
        reading.archive.index, row.site, row.slug, 1, row.sequence, private=reading.private
    )
    manifest = _manifest(reading, last[0]) if last else None
    what = "deleted" if row.event in _GONE else "created" if row.event == "returned" else ""
    for one in manifest.representations if manifest is not None and what else ():
        if one.record_id:
            yield _change(base, row.site, one, what, row.observed_at)


def _change(base: str, site: str, one: Representation, what: str, moment: datetime) -> Item:
    about = {"change": what, "datetime": _moment(moment)}
    links = []
    if what != "deleted":
        about |= described(one)
        href = base + paths.memento_path(one.url, one.fetched_at)
        links = [{"rel": "memento", "href": href}]
    return Item(
        loc=base + latest_path(site, one.format, one.url),
        lastmod=moment if what != "deleted" else None,
        about=about,
        links=(*links, {"rel": "via", "href": paths.uri(one.url)}),
    )
