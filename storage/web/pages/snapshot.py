"""One snapshot's page: its formats, its record, what is odd about it, and the answers' headers."""

from __future__ import annotations

from storage.archive import SnapshotRow
from storage.errors import ArchiveError
from storage.index import versions
from storage.model import Manifest, Representation
from storage.web import paths, templating
from storage.web.answer import Answer
from storage.web.lists import known_article, known_snapshot
from storage.web.reading import ThreadArchive
from storage.web.request import Request


def page(reading: ThreadArchive, request: Request) -> Answer:
    """Show one snapshot."""
    row = asked_snapshot(reading, request)
    before, after = versions.beside(reading.archive.index, row, private=reading.private)
    manifest = reading.archive.manifest(row, text=False)
    return templating.page(
        "snapshot.html",
        headers=version_links(row, before, after),
        row=row,
        before=before,
        after=after,
        manifest=manifest,
        record=manifest.record,
        answers=[(one, _headers(reading, manifest, one)) for one in manifest.representations],
    )


def asked_snapshot(reading: ThreadArchive, request: Request) -> SnapshotRow:
    """Return the snapshot that the path names. Raises Refusal."""
    site, slug = known_article(reading, request)
    return known_snapshot(reading, request, site, slug, request.part("when"))


def version_links(
    row: SnapshotRow, before: SnapshotRow | None, after: SnapshotRow | None
) -> tuple[tuple[str, str], ...]:
    """Return RFC 5829's links between the versions of an article."""
    history = paths.article_path(row.site, row.slug)
    links = [f'<{history}>; rel="version-history"']
    if before is not None:
        links.append(f'<{paths.snapshot_path(before)}>; rel="predecessor-version"')
    if after is not None:
        links.append(f'<{paths.snapshot_path(after)}>; rel="successor-version"')
    else:
        links.append(f'<{paths.snapshot_path(row)}>; rel="latest-version"')
    return (("Link", ", ".join(links)),)


def _headers(
    reading: ThreadArchive, manifest: Manifest, one: Representation
) -> tuple[tuple[str, str], ...]:
    if not one.record_id:
        return ()
    try:
        return reading.archive.body(manifest, one.format).headers
    except ArchiveError as error:
        return (("(not readable)", str(error)),)
