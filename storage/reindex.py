"""The index from the segments, made again whole.

Manifests go through the same pure function as in the commit. No segment is changed by a byte, but
where several machines write one archive: what others count in the place of is not in the new index,
and once that stands it is taken out of the segments (taking_out.py). Blocking; the caller holds the
writer's lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct, structs

from storage import layout
from storage.errors import ArchiveError, DamageFound, IndexUnusable
from storage.index.deriving import Rows, rows_of
from storage.index.filling import Filling
from storage.index.index import Batch, Index
from storage.index.opening import places_of
from storage.index.reader import Reader
from storage.index.rows import Place
from storage.layout import Places
from storage.lock import WriterLock
from storage.missing import check_all_there
from storage.overtaken import LeftOut
from storage.segments.kinds import Segments
from storage.segments.names import place_of
from storage.segments.opening import open_segments
from storage.segments.recovery import Group, Tail
from storage.taking_out import losers, take_out
from storage.uncollected import uncollected

_STATE_LOST = (
    "what earlier runs remembered (when entries were last checked, unfinished runs) is lost: "
    "the next run looks at every article again"
)


class ReindexReport(Struct, frozen=True, kw_only=True):
    """What was read: ``torn`` segments end in an unfinished write, left for the next run to cut.

    ``state_kept``: what runs remember (entries and runs) was taken over from the old index.
    ``left_out``: groups that are not in it, for others count in their place; ``overtaken``:
    sentences about those that were taken out of their segments. ``marked``: mirror.json was gone.
    """

    segments: int
    snapshots: int
    events: int
    bytes: int
    torn: tuple[str, ...]
    state_kept: bool
    left_out: LeftOut = LeftOut()
    overtaken: tuple[str, ...] = ()
    marked: bool = False

    def sentences(self) -> tuple[str, ...]:
        """Tell it to a person."""
        counts = f"{self.snapshots} snapshots and {self.events} events"
        segments = "1 segment" if self.segments == 1 else f"{self.segments} segments"
        told = [f"{layout.MARK} was gone, and is written anew"] if self.marked else []
        told += [*self.overtaken, f"indexed {counts} from {segments}"]
        told += [f"{name} ends in an unfinished write: the next run cuts it" for name in self.torn]
        if self.segments and not self.state_kept:
            told.append(_STATE_LOST)
        return tuple(told)


class StoredTwice(DamageFound):
    """Two groups bear one number of one article: of these ``sites``, in ``segment`` for one."""

    #: Which of them counts, no repair could tell.
    advice = "bring back a copy of it"

    def __init__(self, segment: str, sites: Iterable[str]) -> None:
        """``segment``: one in which a group is whose number another one has."""
        why = "a snapshot or event in it is there twice: another group has its number"
        super().__init__(place_of(segment), why)
        self.segment = segment
        self.sites = tuple(sites)


def reindex(root: Path, now: datetime) -> ReindexReport:
    """Make the index of the mirror at ``root`` again; ``now`` is for the lock's message.

    A mirror.json that is gone from beside segments is written anew, too.
    Raises NotAMirror, NewerFormat, LockHeld, and DamageFound or SegmentsGone: then the old index
    stays.
    """
    root = root.absolute()
    unmarked = layout.lost_mark(root)
    if not unmarked:
        layout.check(root)
    with WriterLock(root, now):
        if unmarked:
            layout.mark_again(root)
        check_all_there(root)
        return structs.replace(rebuild(root), marked=unmarked)


def rebuild(root: Path) -> ReindexReport:
    """Make the index again, the lock being held: a new one, put in the old one's place.

    What it leaves out goes out of its segments then.
    """
    places = places_of(root)
    report = rebuild_at(places)
    return structs.replace(report, overtaken=take_out(places, report.left_out))


def rebuild_at(places: Places) -> ReindexReport:
    """Make the index at ``places`` of the segments and the state that the mirror has now."""
    left_out = LeftOut()
    while True:
        try:
            return structs.replace(_made(places, left_out.ids), left_out=left_out)
        except StoredTwice as error:
            segments = open_segments(places.root)
            if not segments.shared:
                raise
            before, left_out = left_out, losers(places.root, segments, error.sites, left_out)
            if left_out == before:
                raise


def _made(places: Places, left_out: Collection[str]) -> ReindexReport:
    """Make the index once, without these groups.

    Raises StoredTwice, once all the segments have been read.
    """
    root = places.root
    # Filling numbers articles by itself, which PostgreSQL's own numbering would not know of.
    index = (Filling if places.index is None else Index).to_fill(places)
    try:
        with uncollected():
            report = _fill(root, index, left_out)
            index.put_in_place()
    except BaseException:
        with suppress(ArchiveError):  # what is left of it, the next one drops
            index.abandon()
        raise
    return report


def _fill(root: Path, index: Index, left_out: Collection[str]) -> ReindexReport:
    segments = open_segments(root)
    snapshots = events = size = 0
    torn = []
    twice: dict[str, StoredTwice] = {}
    names = segments.names()
    for name in names:
        try:
            found = index_segment(index, segments, name, left_out)
        except StoredTwice as error:
            if not segments.shared:
                raise
            twice.setdefault(site_of(name), error)
            continue
        snapshots += found.snapshots
        events += found.events
        size += found.length
        if found.torn:
            torn.append(name)
    if segments.shared:
        _check_numbers(index, twice)
    if twice:
        first = next(iter(twice.values()))
        raise StoredTwice(first.segment, twice)
    return ReindexReport(
        segments=len(names),
        snapshots=snapshots,
        events=events,
        bytes=size,
        torn=tuple(torn),
        state_kept=_keep_state(root, index),
    )


def _check_numbers(index: Index, twice: dict[str, StoredTwice]) -> None:
    """Add the sites to ``twice`` where an event has a snapshot's number: no table forbids it."""
    for row in index.ask(_SAME_NUMBER):
        twice.setdefault(row["site"], StoredTwice(row["segment"], ()))


_SAME_NUMBER = """
    SELECT snapshots.site AS site, min(snapshots.segment) AS segment
    FROM events JOIN snapshots ON snapshots.site = events.site
      AND snapshots.slug = events.slug AND snapshots.sequence = events.sequence
    GROUP BY snapshots.site ORDER BY snapshots.site
"""


class Indexed(Struct, frozen=True, kw_only=True):
    """What one segment held: ``length`` bytes of whole groups, ``torn`` bytes after them."""

    snapshots: int
    events: int
    length: int
    torn: int


def index_segment(
    index: Index, segments: Segments, name: str, left_out: Collection[str] = ()
) -> Indexed:
    """Add every group of a segment that the index has no row of, but those with these ids.

    Raises DamageFound.
    """
    page: list[Rows] = []
    counts = {"snapshot": 0, "event": 0}
    end = torn = 0
    for found in segments.walk(name, skim=True):
        end = found.offset if isinstance(found, Tail) else found.offset + found.length
        if isinstance(found, Tail):
            torn = found.size
        elif found.id not in left_out:
            counts[found.manifest.kind] += 1
            page.append(rows_at(found, name))
        if len(page) >= index.page or isinstance(found, Tail):
            add_groups(index, name, page, end)
            page.clear()
    return Indexed(snapshots=counts["snapshot"], events=counts["event"], length=end, torn=torn)


def add_groups(index: Index, name: str, rows: Sequence[Rows], end: int) -> None:
    """Add groups of a segment of which ``end`` bytes are indexed then. Raises StoredTwice."""
    try:
        index.apply(Batch(rows=tuple(rows), segments={name: (site_of(name), end)}))
    except DamageFound as error:
        raise StoredTwice(name, (site_of(name),)) from error


def rows_at(group: Group, segment: str) -> Rows:
    """Return the rows of a group that was read from ``segment``; raises DamageFound."""
    place = Place(id=group.id, segment=segment, offset=group.offset, length=group.length)
    try:
        return rows_of(group.manifest, place)
    except ValueError as error:
        raise DamageFound(place_of(segment, group.offset), str(error)) from error


def site_of(segment: str) -> str:
    """Return the site's name from a segment's, which is its folder."""
    return segment.partition("/")[0]


def _keep_state(root: Path, index: Index) -> bool:
    try:
        old = Reader.to_read(root)
    except IndexUnusable:
        return False
    try:
        for table in ("entries", "memory", "runs"):
            index.take_over(table, old)
    except IndexUnusable:
        return False
    finally:
        old.close()
    return True
