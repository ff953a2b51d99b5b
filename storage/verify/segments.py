"""One segment, read from its first byte to its last, past damage too.

Where storage.segments.recovery stops at the first bad byte and decides what may be cut, this goes
on behind it and cuts nothing. Rows of the index are compared as their groups come by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import Struct, structs

from storage.errors import ArchiveError, DamageFound
from storage.files import urn
from storage.index.deriving import Rows, rows_of
from storage.index.rows import Place, Row
from storage.model import Manifest, RecordRef
from storage.segments.names import place_of
from storage.segments.recovery import Tail, find_next_record, manifest_group, walk
from storage.segments.source import Source
from storage.verify.found import Counts, Passed, Problem, Problems, in_index, in_segment
from storage.verify.members import Described, fault_of, manifest_in
from storage.verify.rows import SegmentRows
from storage.warc import GZIP_HEADER
from storage.warc_read import MAX_WARC_HEADER, inflate, whole_head

#: Bytes read at once: the disk's and not the loop's pace, and little memory.
_WINDOW = 1 << 20
#: Bytes between two words of progress.
_STEP = 8 << 20


class Told(Struct, frozen=True, kw_only=True):
    """A whole manifest and where it stands: ``head`` is the member's bytes, ``end`` the group's."""

    id: str
    manifest: Manifest
    offset: int
    head: int
    end: int


class Window:
    """A segment's bytes by offset. State: the last bytes read, so that a walk reads each once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._start = 0
        self._bytes = memoryview(b"")

    def view(self, at: int, length: int) -> memoryview:
        """Return ``length`` bytes; fewer where the file ends before."""
        start = at - self._start
        if start < 0 or start + length > len(self._bytes):
            wanted = max(length, _WINDOW)
            self._bytes = memoryview(b"".join(self.source.chunks(at, wanted, wanted)))
            self._start, start = at, 0
        return self._bytes[start : start + length]


class SegmentCheck:
    """Checks one segment. State: how far it has come, the window, the counts that it adds to."""

    def __init__(self, source: Source, rows: SegmentRows | None, counts: Counts) -> None:
        """``rows`` are the index's for this segment; None: there is no index to compare with."""
        self._name = source.name
        self._source = source
        self._window = Window(source)
        self._rows = rows
        self._counts = counts
        self._at = 0
        self.unfinished = False

    def run(self, committed: int | None, *, deep: bool) -> Iterator[Problem | Passed]:
        """Give what is wrong up to ``committed``; None: the index knows no length of it."""
        size = self._source.size
        if committed is not None and size < committed:
            yield self._too_short(size, committed)
        end = size if committed is None else min(committed, size)
        yield from self._walk(end, deep=deep)
        if self._rows is not None:
            yield from self._rows.finish()
        if committed is None:
            return
        if committed < self._at <= size:
            yield in_index(f"it knows {committed} bytes of {self._name}, amid a group")
        elif size > committed:
            yield from self._tail(committed) or ()

    def run_part(self, start: int, end: int, *, deep: bool) -> Iterator[Problem | Passed]:
        """Give what is wrong between two groups' borders; where one is none, that is found too."""
        self._at = start
        yield from self._walk(end, deep=deep)
        if self._rows is not None:
            yield from self._rows.finish()
        if self._at != end:
            yield in_index(f"it has a group of {self._name} at byte {end}, amid another")

    def _walk(self, end: int, *, deep: bool) -> Iterator[Problem | Passed]:
        """Go from group to group, and behind damage to the next."""
        said = self._at
        while self._at < end:
            at = self._at
            row = self._rows.at(at) if self._rows else None
            found = self.read(at, row)
            if isinstance(found, Told):
                yield from self._group(found, deep=deep)
                self._at = found.end
            elif isinstance(found, int):
                self._at += found
            elif self._rows is None and (tail := self._tail(at)) is not None:
                yield from tail
                self._at = end
            else:
                yield self._damage(found, row)
                self._at = self.border_after(at, end)
            if self._at - said >= _STEP or self._at >= end:
                yield Passed(bytes=min(self._at, end) - said, total=0)
                said = self._at

    def _too_short(self, size: int, committed: int) -> Problem:
        why = f"it has {size} bytes, and the index knows of {committed}"
        if self._rows is not None and self._rows.reach() <= size:
            return in_index(f"{place_of(self._name)}: {why}")
        return in_segment(self._name, size, f"{why}: its end is missing")

    def read(self, at: int, row: Row | None) -> Told | int | DamageFound:
        """Return the manifest at ``at``, or the bytes of a warcinfo, or what is wrong there."""
        plain = self._plain(at, row)
        if plain is not None:
            return plain
        try:
            head = self._warcinfo(at)
            if head is not None:
                return head
            group = manifest_group(self._source, at)
        except DamageFound as error:
            return error
        length = sum(ref.length for ref in group.manifest.records)
        return self._told(group.id, group.manifest, at, group.length - length)

    def _plain(self, at: int, row: Row | None) -> Told | None:
        """Read a manifest whose length the index gives: the plain case, and the fast one."""
        head = row["head"] if row else None
        if type(head) is not int or not 0 < head <= _WINDOW:
            return None
        found = manifest_in(self._window.view(at, head))
        if found is None:
            return None
        record_id, target, manifest = found
        site = self._name.partition("/")[0]
        if target != urn(manifest.site, manifest.slug) or manifest.site != site:
            return None
        told = self._told(record_id, manifest, at, head)
        return told if told.end <= self._source.size else None

    def _told(self, record_id: str, manifest: Manifest, at: int, head: int) -> Told:
        end = at + head + sum(ref.length for ref in manifest.records)
        return Told(id=record_id, manifest=manifest, offset=at, head=head, end=end)

    def _warcinfo(self, at: int) -> int | None:
        """Return the bytes of the warcinfo at ``at``; None where none is."""
        member = inflate((bytes(self._window.view(at, MAX_WARC_HEADER)),), keep=MAX_WARC_HEADER)
        head = whole_head(member)
        return member.length if head is not None and head.type == "warcinfo" else None

    def _group(self, told: Told, *, deep: bool) -> Problems:
        manifest = told.manifest
        for ref, at, fault in self.faults(told, deep=deep):
            why = f"the {ref.role} of {manifest.url}: {fault}"
            yield self._of(manifest, in_segment(self._name, at, why))
        stored = {ref.id for ref in manifest.records}
        if not stored.issuperset(
            one.record_id for one in manifest.representations if one.record_id
        ):
            why = "its manifest names a body that is in none of its records"
            yield self._of(manifest, in_segment(self._name, told.offset, why))
        if manifest.body_in is not None and not _has_text(manifest, stored):
            why = "its manifest says that its text is in a body that it has not"
            yield self._of(manifest, in_segment(self._name, told.offset, why))
        if manifest.kind == "snapshot":
            self._counts.snapshots += 1
        else:
            self._counts.events += 1
        self._counts.records += len(manifest.records)
        if self._rows:
            yield from self._compared(self._rows, told)

    def faults(self, told: Told, *, deep: bool) -> Iterator[tuple[RecordRef, int, str]]:
        """Give each record of a group that is not as its manifest says: it, its place, and why."""
        shown = {one.record_id: one for one in told.manifest.representations}
        at = told.offset + told.head
        for ref in told.manifest.records:
            said = Described(ref=ref, group=told.id, one=shown.get(ref.id))
            fault = fault_of(self._window.view(at, ref.length), said, deep=deep)
            if fault is not None:
                yield ref, at, fault
            at += ref.length

    def _compared(self, rows: SegmentRows, told: Told) -> Problems:
        place = Place(
            id=told.id, segment=self._name, offset=told.offset, length=told.end - told.offset
        )
        try:
            wanted: Rows = rows_of(told.manifest, place)
        except ValueError as error:
            yield self._of(told.manifest, in_segment(self._name, told.offset, str(error)))
            return
        yield from rows.compare(wanted)

    def _of(self, manifest: Manifest, problem: Problem) -> Problem:
        return structs.replace(problem, site=manifest.site, slug=manifest.slug, url=manifest.url)

    def _damage(self, error: DamageFound, row: Row | None) -> Problem:
        """Name the place, and the article that the index has there."""
        _, _, at = error.where.rpartition(" at byte ")
        problem = in_segment(self._name, int(at) if at.isdigit() else None, error.why)
        if row is None or self._rows is None:
            return problem
        self._rows.excuse(row)
        site, slug, url = (str(row[key]) for key in ("site", "slug", "url"))
        return structs.replace(problem, site=site, slug=slug, url=url)

    def border_after(self, at: int, end: int) -> int:
        """Return where the next group begins behind damage: the index says it, else a search.

        The search may be led astray by a body that holds a WARC file, the index not.
        """
        if self._rows is not None:
            border = self._rows.next_after(at)
            return end if border is None else min(border, end)
        while at < end:
            try:
                found = find_next_record(self._source, at + len(GZIP_HEADER))
            except ArchiveError:
                return end
            if found is None or isinstance(self.read(found, None), Told):
                return end if found is None else found
            at = found
        return end

    def _tail(self, at: int) -> list[Problem] | None:
        """Judge what follows the last group known: nothing, a torn write, or damage.

        None where it is damage with more behind it.
        """
        try:
            for found in walk(self._source, at):
                if not isinstance(found, Tail) or found.size:
                    self.unfinished = True
        except DamageFound as error:
            if self._rows is None:
                return None
            _, _, place = error.where.rpartition(" at byte ")
            return [in_segment(self._name, int(place) if place.isdigit() else at, error.why)]
        return []


def _has_text(manifest: Manifest, stored: Collection[str]) -> bool:
    """Tell whether the body in which a manifest's text stands is one of its group's records."""
    place = manifest.body_in
    one = manifest.representation(place.format) if place else None
    return (
        place is not None
        and one is not None
        and one.record_id in stored
        and one.target_id is None
        and place.start + place.length <= one.length
    )
