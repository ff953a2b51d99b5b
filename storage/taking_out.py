"""Groups in whose place others count (overtaken.py): found, and taken out of their segments.

In this order, so that a crash or a failure anywhere loses nothing and leaves a right index: the new
index stands without them; it notes which segment is about to change, and which groups go; they go
to lost/ and the segment is written anew; the rows behind them move up. What a crash leaves in a
segment is in no index, and the next reindex takes it out. Blocking.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from storage.errors import IndexUnusable
from storage.index.index import Index
from storage.index.packing import unpacked
from storage.index.reader import Reader
from storage.index.replacing import REWRITER, Gap, announce, changed, settle
from storage.layout import Places
from storage.overtaken import Claim, LeftOut, claim_of, overtaken, rivals, went
from storage.segments.kinds import Segments
from storage.segments.opening import open_segments
from storage.segments.recovery import Group
from storage.uninterrupted import uninterrupted


def losers(root: Path, segments: Segments, sites: Iterable[str], known: LeftOut) -> LeftOut:
    """Return those groups of ``sites`` in whose place others count, with those ``known`` before.

    Raises ArchiveError.
    """
    lost = {one.id: one for one in known.lost}
    forgotten = {one.id: one for one in known.forgotten}
    for site in sites:
        claims = rivals(_claims(segments, site))
        buried = {one.slug for one in claims if one.is_tombstone}
        for one in overtaken(claims, _seen(root, site, claims)):
            (forgotten if one.slug in buried else lost)[one.id] = one
    return LeftOut(lost=tuple(lost.values()), forgotten=tuple(forgotten.values()))


def _claims(segments: Segments, site: str) -> Iterator[Claim]:
    for name in segments.names(site):
        for found in segments.walk(name, skim=True):
            if isinstance(found, Group):
                yield claim_of(found, name)


def _seen(root: Path, site: str, claims: Iterable[Claim]) -> set[str]:
    """Return the ids of groups that the index which is there has."""
    try:
        index = Reader.to_read(root)
    except IndexUnusable:
        return set()
    try:
        asked = {(site, one.slug, one.sequence) for one in claims}
        by = ("site", "slug", "sequence")
        return {
            unpacked(row["id"])
            for table in ("snapshots", "events")
            for row in index.matching(table, by, asked, ("id",))
        }
    finally:
        index.close()


def take_out(places: Places, gone: LeftOut) -> tuple[str, ...]:
    """Take groups that the index at ``places`` does not have out of segments; say which.

    The mirror must have that index, and the caller its lock. Raises ArchiveError.
    """
    if not gone.ids:
        return ()
    segments = open_segments(places.root)
    index = Index.to_write(places.root, places)
    try:
        with index.holding({REWRITER}):
            said = [_rewrite(index, segments, name, gone.of(name)) for name in gone.segments()]
            settle(index)
    finally:
        index.close()
    return tuple(said)


def _rewrite(index: Index, segments: Segments, name: str, gone: LeftOut) -> str:
    lost, forgotten = ([(one.offset, one.length) for one in s] for s in (gone.lost, gone.forgotten))
    # Of one that is in the spool too, the object and the index have all: the rest is done there.
    segments.settled([name])
    with uninterrupted():
        announce(index, [name], left_out=sorted(gone.ids))
        segments.without(name, lost, forgotten)
        gaps = [Gap(offset=offset, length=length) for offset, length in (*lost, *forgotten)]
        changed(index, name, gaps)
    return went(len(lost), len(forgotten), name)
