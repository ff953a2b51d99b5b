"""The index from the segments: made again whole, or brought up to them after a crash.

Both go through the same pure function as the commit does. Making it again changes no segment by
a byte; recovery cuts only what storage.segments.recovery calls a torn tail, once every segment has
been found free of damage. Blocking; the caller holds the writer's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from storage import layout
from storage.errors import ArchiveError, DamageFound, IndexUnusable
from storage.index.filling import Filling
from storage.index.index import Batch, Index
from storage.index.opening import places_of
from storage.index.reader import Reader
from storage.index.replacing import Announced, announced, cleared, settle
from storage.index.rows import Place, Rows, rows_of
from storage.index.standing import Article, ends_of, known_segments
from storage.layout import Places
from storage.lock import WriterLock
from storage.notes import SpooledNotes, batch_of
from storage.segments.kinds import Segments
from storage.segments.opening import open_segments
from storage.segments.recovery import Group, Tail

#: Held, among sites, by who rewrites segments: no site has this name.
REWRITER = ""


_STATE_LOST = (
    "what earlier runs remembered (when entries were last checked, unfinished runs) is lost: "
    "the next run looks at every article again"
)


class ReindexReport(Struct, frozen=True, kw_only=True):
    """What was read: ``torn`` segments end in an unfinished write, left for the next run to cut.

    ``state_kept``: what runs remember (entries and runs) was taken over from the old index.
    """

    segments: int
    snapshots: int
    events: int
    bytes: int
    torn: tuple[str, ...]
    state_kept: bool

    def sentences(self) -> tuple[str, ...]:
        """Tell it to a person."""
        counts = f"{self.snapshots} snapshots and {self.events} events"
        segments = "1 segment" if self.segments == 1 else f"{self.segments} segments"
        told = [f"indexed {counts} from {segments}"]
        told += [f"{name} ends in an unfinished write: the next run cuts it" for name in self.torn]
        if self.segments and not self.state_kept:
            told.append(_STATE_LOST)
        return tuple(told)


class Recovered(Struct, frozen=True, kw_only=True):
    """What recovery did, in sentences, and the segments that may be written on by length."""

    notes: tuple[str, ...]
    resume: dict[str, int]


def reindex(root: Path, now: datetime) -> ReindexReport:
    """Make the index of the mirror at ``root`` again; ``now`` is for the lock's message.

    Raises NotAMirror, NewerFormat, LockHeld, and DamageFound: then the old index stays.
    """
    root = root.absolute()
    layout.check(root)
    with WriterLock(root, now):
        return rebuild(root)


def rebuild(root: Path) -> ReindexReport:
    """Make the index again, the lock being held: a new one, put in the old one's place."""
    return rebuild_at(places_of(root))


def rebuild_at(places: Places) -> ReindexReport:
    """Make the index at ``places`` of the segments and the state that the mirror has now."""
    root = places.root
    # Filling numbers articles by itself, which PostgreSQL's own numbering would not know of.
    index = (Filling if places.index is None else Index).to_fill(places)
    try:
        report = _fill(root, index)
        index.put_in_place()
    except ArchiveError:
        index.abandon()
        raise
    return report


def _fill(root: Path, index: Index) -> ReindexReport:
    segments = open_segments(root)
    snapshots = events = size = 0
    torn = []
    names = segments.names()
    for name in names:
        found = index_segment(index, segments, name)
        snapshots += found.snapshots
        events += found.events
        size += found.length
        if found.torn:
            torn.append(name)
    return ReindexReport(
        segments=len(names),
        snapshots=snapshots,
        events=events,
        bytes=size,
        torn=tuple(torn),
        state_kept=_keep_state(root, index),
    )


class Indexed(Struct, frozen=True, kw_only=True):
    """What one segment held: ``length`` bytes of whole groups, ``torn`` bytes after them."""

    snapshots: int
    events: int
    length: int
    torn: int


def index_segment(index: Index, segments: Segments, name: str) -> Indexed:
    """Add every group of a segment that the index has no row of; raises DamageFound."""
    page: list[Rows] = []
    counts = {"snapshot": 0, "event": 0}
    end = torn = 0
    for found in segments.walk(name, skim=True):
        end = found.offset if isinstance(found, Tail) else found.offset + found.length
        if isinstance(found, Tail):
            torn = found.size
        else:
            counts[found.manifest.kind] += 1
            page.append(rows_at(found, name))
        if len(page) >= index.page or isinstance(found, Tail):
            _apply(index, name, page, end)
            page.clear()
    return Indexed(snapshots=counts["snapshot"], events=counts["event"], length=end, torn=torn)


def _apply(index: Index, name: str, rows: Sequence[Rows], end: int) -> None:
    try:
        index.apply(Batch(rows=tuple(rows), segments={name: (site_of(name), end)}))
    except DamageFound as error:
        why = "a snapshot or event in it is there twice: another group has its number"
        raise DamageFound(name, why) from error


def rows_at(group: Group, segment: str) -> Rows:
    """Return the rows of a group that was read from ``segment``; raises DamageFound."""
    place = Place(id=group.id, segment=segment, offset=group.offset, length=group.length)
    try:
        return rows_of(group.manifest, place)
    except ValueError as error:
        raise DamageFound(f"{segment} at byte {group.offset}", str(error)) from error


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


# after a crash


def recover(root: Path, index: Index) -> Recovered:
    """Bring the index and the segments to one state; raises DamageFound with nothing cut."""
    segments = open_segments(root)
    segments.sweep()
    _check_whose(root, index, segments)
    finished = _finish_rewriting(index, segments)
    known = known_segments(index)
    names = segments.unsettled(known)
    again = {name for name in names if not _fits(index, segments, name, known.get(name, 0))}
    for name in names:
        # Damage must be found before the first byte is cut anywhere.
        start = 0 if name in again else known.get(name, 0)
        if segments.size(name) not in {None, start}:
            for _ in segments.walk(name, start):
                pass
    notes = finished + [_index_again(index, segments, name) for name in sorted(again)]
    known = known_segments(index)
    resume = {}
    moved: set[Article] = set()
    for name in (name for name in names if segments.size(name) is not None):
        with index.holding({site_of(name)}):
            clean, said = _mend(index, segments, name, known.get(name, 0), moved)
        notes += said
        if clean and name not in again:
            resume[name] = known[name]
    spooled = SpooledNotes(root)
    # Of an article that another writer went on with, that one knows better.
    for each in () if moved else spooled.read():
        index.apply(batch_of(each))
    spooled.clear()
    return Recovered(notes=tuple(notes), resume=resume)


def _check_whose(root: Path, index: Index, segments: Segments) -> None:
    """Raise IndexUnusable where a database has the index of another folder's segments."""
    places = layout.check(root)
    if places.index is None or places.segments is not None:
        return
    known = known_segments(index)
    if known and not any(segments.size(name) is not None for name in known):
        raise IndexUnusable(root, f"{index.database.name} knows other segments than there are")


def _finish_rewriting(index: Index, segments: Segments) -> list[str]:
    """Bring in what a killed prune, forget, compact or repair put in a segment's place."""
    if announced(index) is None:
        return []
    with index.holding({REWRITER}):
        # who rewrites on another machine holds this to the end: then nobody was killed
        left = announced(index)
        return [] if left is None else _finished(index, segments, left)


def _finished(index: Index, segments: Segments, left: Announced) -> list[str]:
    into, *others = left.segments or ("",)
    if left.joined and segments.size(into) == left.joined:
        for name in others:
            segments.put_in_place(name, None)
    for name in left.segments:
        cleared(index, name)
    for name in left.segments:
        if segments.size(name) is not None:
            index_segment(index, segments, name)
    settle(index)
    return ["a command that rewrote segments was killed: the index was brought up to them"]


def _fits(index: Index, segments: Segments, name: str, committed: int) -> bool:
    """Tell whether the segment reaches as far as the index says, with its manifests in place."""
    size = segments.size(name)
    if size is None or size < committed:
        return False
    for manifest_id, offset, length in ends_of(index, name):
        if offset + length > size:
            return False
        try:
            if segments.manifest(name, offset).id != manifest_id:
                return False
        except DamageFound:
            # Whether that is damage or another file in its place, reading it whole tells.
            return False
    return True


def _index_again(index: Index, segments: Segments, name: str) -> str:
    index.forget_segment(name)
    if segments.size(name) is None:
        return f"the segment {name} is gone, and with it what the index knew of it"
    found = index_segment(index, segments, name)
    return f"{name} was not as the index had it: indexed again, {found.snapshots} snapshots"


def _mend(
    index: Index, segments: Segments, name: str, committed: int, moved: set[Article]
) -> tuple[bool, list[str]]:
    found = segments.recover(name, committed)
    if found.clean:
        segments.settled([name])
        return committed > 0, []
    notes = []
    if found.lost:
        notes.append(f"{found.lost_bytes} bytes of an unfinished write went to {found.lost}")
    if segments.shared and (gone := _moved_on(index, found.groups, moved)):
        found = segments.without(name, gone)
        why = "another writer had gone on with their articles"
        notes.append(f"{len(gone)} groups of {name} went to {layout.LOST}/: {why}")
    if found.length:
        segments.publish([name])
        _apply(index, name, [rows_at(group, name) for group in found.groups], found.length)
        segments.settled([name])
    if found.groups:
        notes.append(f"{len(found.groups)} groups that a run had stored in {name} were indexed")
    return False, notes


def _moved_on(index: Index, groups: Sequence[Group], moved: set[Article]) -> list[Group]:
    """Return those groups whose numbers others have given, and what was stored on top of them.

    ``moved`` are their articles, these added.
    """
    names = {_article(group) for group in groups}
    columns = ("site", "slug", "last")
    rows = index.matching("articles", columns[:2], names, columns)
    last = {(row["site"], row["slug"]): row["last"] for row in rows}
    moved |= {_article(g) for g in groups if g.manifest.sequence <= last.get(_article(g), 0)}
    return [group for group in groups if _article(group) in moved]


def _article(group: Group) -> Article:
    return group.manifest.site, group.manifest.slug
