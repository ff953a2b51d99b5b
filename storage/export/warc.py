"""Export: snapshots and events as one WARC file, for replay tools or for another mirror.

A valid segment file of FORMAT.md: each group whole, its manifest first, with a warcinfo before it
all. Articles come by site and slug, their groups by sequence number.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from typing import BinaryIO

from storage.archive import Archive
from storage.export.choosing import EVERYTHING, Chosen, histories, taken
from storage.export.parts import FAMILY, Member, Part
from storage.index.rows import EventRow, SnapshotRow
from storage.model import Manifest
from storage.warc import build_warcinfo

#: Told of each record as it is written: its snapshot or event, the record, its offset.
Heard = Callable[[SnapshotRow | EventRow, Manifest, Member, int], None]


def export_warc(
    archive: Archive,
    out: BinaryIO,
    chosen: Chosen = EVERYTHING,
    *,
    now: datetime,
    name: str = "export.warc.gz",
    heard: Heard | None = None,
) -> int:
    """Write the snapshots chosen to ``out`` and return how many.

    With ``chosen.every`` events are written too; each goes with the snapshot before it. ``name`` is
    the file's, for its warcinfo. Raises DamageFound, and OSError as ``out`` does.
    """
    head = build_warcinfo(
        # Its own, and yet the same each time: of this archive, this wish and this moment.
        record_id=uuid.uuid5(FAMILY, f"{archive.first_id()} {chosen} {now}").urn,
        created_at=now,
        filename=name,
        site=chosen.site or ", ".join(site.name for site in archive.sites()),
        software=f"slugline {version('slugline')}",
    )
    out.write(head)
    at, count = len(head), 0
    part = Part(archive)
    article: tuple[str, str] | None = None
    for row, manifest in _groups(archive, chosen):
        if article != (row.site, row.slug):
            article = (row.site, row.slug)
            part.begin()
        count += isinstance(row, SnapshotRow)
        for member in part.group(row, manifest):
            out.write(member.data)
            if heard is not None:
                heard(row, manifest, member, at)
            at += len(member.data)
    return count


def _groups(archive: Archive, chosen: Chosen) -> Iterator[tuple[SnapshotRow | EventRow, Manifest]]:
    if not chosen.every:
        for one in taken(archive, chosen, text=False):
            yield one.row, one.manifest
        return
    for rows in histories(archive, chosen):
        events = archive.events(rows[0].site, rows[0].slug)
        both: Iterator[SnapshotRow | EventRow]
        both = heapq.merge(rows, events, key=lambda row: row.sequence)
        # What happened before the first snapshot goes with that one.
        admitted: bool | None = None
        for row in both:
            manifest = archive.manifest(row, text=False)
            if isinstance(row, SnapshotRow):
                admitted = chosen.admits(manifest)
            elif admitted is None:
                admitted = chosen.admits(archive.manifest(rows[0], text=False))
            if admitted and chosen.within(row.observed_at):
                yield row, manifest
