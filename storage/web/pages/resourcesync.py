"""ResourceSync: what another mirror needs to have what this one has, and to keep it so.

Each site is one set of resources, and a resource is the newest bytes of one format of one article,
under an address that stays (``/latest/SITE/FORMAT/URL``). A Resource List is the whole set, by
pages; the Change List has the newest changes, and whoever was away for longer reads the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256

from msgspec import structs

from storage.archive import Asked, Change
from storage.errors import DamageFound
from storage.index import versions
from storage.index.resources import Resources
from storage.index.rows import SnapshotRow, from_micros
from storage.model import Manifest
from storage.times import format_utc
from storage.web import paths
from storage.web.answer import Answer
from storage.web.lists import known_site
from storage.web.reading import ThreadArchive
from storage.web.request import Request
from storage.web.resourcesync import (
    WELL_KNOWN,
    XML,
    Held,
    Item,
    document,
    list_path,
    resources,
)

#: Changes in a Change List, each of a few formats.
MOST_CHANGES = 1_000
#: Since when a Change List says that it has everything, where nothing was too much for it.
BEGINNING = datetime.fromtimestamp(0, UTC)
_GONE = frozenset({"gone", "forgotten"})


def source(reading: ThreadArchive, request: Request) -> Answer:
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


def capabilities(reading: ThreadArchive, request: Request) -> Answer:
    """Return a site's Capability List."""
    site = known_site(reading, request)
    items = [
        Item(loc=request.base + list_path(site, name), about={"capability": name})
        for name in ("resourcelist", "changelist")
    ]
    up = {"rel": "up", "href": request.base + WELL_KNOWN}
    return conditional(request, document("urlset", {"capability": "capabilitylist"}, (up,), items))


def resource_list(reading: ThreadArchive, request: Request) -> Answer:
    """Return the index of a site's Resource List."""
    site = known_site(reading, request)
    about = {"capability": "resourcelist", "at": _moment(_last(reading, request, site))}
    items = [
        Item(loc=request.base + list_path(site, "resources", past), about=about)
        for past in _site(reading, site).pages()
    ]
    return conditional(request, document("sitemapindex", about, (_up(request, site),), items))


def resource_page(reading: ThreadArchive, request: Request) -> Answer:
    """Return a page of a site's Resource List: the articles behind the slug ``past``."""
    site = known_site(reading, request)
    about = {"capability": "resourcelist", "at": _moment(_last(reading, request, site))}
    index = {"rel": "index", "href": request.base + list_path(site, "resourcelist")}
    found = _site(reading, site)
    items = [
        item
        for row in found.page(request.text("past"))
        for item in resources(request.base, row, _formats(reading, found, row))
    ]
    return conditional(request, document("urlset", about, (_up(request, site), index), items))


def change_list(reading: ThreadArchive, request: Request) -> Answer:
    """Return a site's Change List: its newest changes, in the order in which they became visible.

    What was seen earlier than what is listed already has the moment of that: whoever read up to
    there finds it. An article changes as a whole: all of its formats are named, each with its hash.
    """
    site = known_site(reading, request)
    changes = _newest_changes(reading, site)
    begins = changes[0][0] if len(changes) == MOST_CHANGES else BEGINNING
    about = {"capability": "changelist", "from": _moment(begins)}
    shown = (each for each in changes if reading.private or not each[1].private)
    items = [item for at, one in shown for item in _changed(reading, request.base, one, at)]
    return conditional(request, document("urlset", about, (_up(request, site),), items))


def _newest_changes(reading: ThreadArchive, site: str) -> list[tuple[datetime, Change]]:
    """Return a site's newest changes, each with the moment when it became visible, in that order.

    A late one is older than those that are the newest by observation: it is asked for by its name.
    """
    late = reading.catalogue.late(site, MOST_CHANGES)
    found = {
        (one.row.slug, one.row.sequence): one
        for one in reading.archive.changes(Asked(site=site, last=MOST_CHANGES))
    }
    for slug in {slug for slug, sequence in late if (slug, sequence) not in found}:
        of_article = reading.archive.changes(Asked(site=site, slug=slug))
        found |= {
            name: one
            for one in of_article
            if (name := (slug, one.row.sequence)) in late and not one.row.implicit
        }
    listed = [
        (from_micros(late[name]) if name in late else one.row.observed_at, one)
        for name, one in found.items()
    ]
    listed.sort(key=lambda each: (each[0], each[1].row.slug, each[1].row.sequence))
    return listed[-MOST_CHANGES:]


def conditional(request: Request, body: bytes) -> Answer:
    """Return a document, or 304 to a client that has it (RFC 9110 section 13.1.2)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    known = {one.strip().removeprefix("W/") for one in request.if_none_match.split(",")}
    answer = Answer(body=body, content_type=XML, headers=(("ETag", tag),))
    return structs.replace(answer, status=304, body=b"") if tag in known else answer


def _site(reading: ThreadArchive, site: str) -> Resources:
    return Resources(reading.archive.index, site, reading.private)


def _up(request: Request, site: str) -> dict[str, str]:
    return {"rel": "up", "href": request.base + list_path(site, "capabilitylist")}


def _last(reading: ThreadArchive, request: Request, site: str) -> datetime:
    """Return when a site's set last changed: it is the same since then."""
    for one in reading.archive.changes(Asked(site=site, last=1)):
        return one.row.observed_at
    return request.now


def _moment(moment: datetime) -> str:
    return format_utc(moment)


def _formats(reading: ThreadArchive, found: Resources, row: SnapshotRow) -> list[Held]:
    """Return the newest bytes of each format, of a missing one those of an earlier snapshot."""
    manifest = _manifest(reading, row)
    if manifest is None:
        return []
    given = _held(manifest)
    for name in sorted(manifest.missing):
        older = found.newest_with(row.slug, name)
        before = _manifest(reading, older) if older is not None else None
        one = before.representation(name) if before is not None else None
        if one is not None:
            given.append(Held(one=one, newest=False))
    return given


def _held(manifest: Manifest) -> list[Held]:
    return [Held(one=one) for one in manifest.representations if one.record_id]


def _manifest(reading: ThreadArchive, row: SnapshotRow) -> Manifest | None:
    try:
        return reading.archive.manifest(row, text=False)
    except DamageFound:
        # One damaged snapshot hides no other; its own page says what is wrong.
        return None


def _changed(reading: ThreadArchive, base: str, change: Change, at: datetime) -> Iterator[Item]:
    """Give what a snapshot or an event changed of an article's resources, visible since ``at``."""
    row, index = change.row, reading.archive.index
    if isinstance(row, SnapshotRow):
        manifest = _manifest(reading, row)
        if manifest is None:
            return
        before = versions.beside(index, row, private=reading.private)[0]
        had = before.formats if before is not None else ()
        held = _held(manifest)
        for item in resources(base, row, held):
            what = "updated" if item.article["format"] in had else "created"
            yield _change(item, what, at)
        lost = {*had} - {each.one.format for each in held} - manifest.missing.keys()
        earlier = _manifest(reading, before) if before is not None and lost else None
        if before is not None and earlier is not None:
            # Whose they were is said only where nothing is left of the article.
            left = [structs.replace(each, newest=not held) for each in _held(earlier)]
            for item in resources(base, before, (one for one in left if one.one.format in lost)):
                yield _change(item, "deleted", at)
        return
    what = "deleted" if row.event in _GONE else "created" if row.event == "returned" else ""
    last = versions.latest(index, row.site, row.slug, 1, row.sequence, private=reading.private)
    manifest = _manifest(reading, last[0]) if last and what else None
    for item in resources(base, last[0], _held(manifest)) if manifest is not None else ():
        yield _change(item, what, at)


def _change(item: Item, what: str, moment: datetime) -> Item:
    """Say of a resource that it changed; of one that is deleted no bytes are described."""
    told = {"change": what, "datetime": _moment(moment)}
    if what == "deleted":
        return structs.replace(item, lastmod=None, about=told)
    return structs.replace(item, about=told | dict(item.about))
