"""Rewriting segments: what prune, forget, compact and repair share. One lock, one order.

1. The index notes what is about to change. 2. The new segment is written aside, and synced. 3. It
is put in the old one's place. 4. One index transaction moves the rows. Killed before 3, the old
segment stands; after it, the next run (storage.recovery) indexes that segment again. Either way
nothing else is touched, and the command can be started again. Ctrl-C waits from 3 to 4. Blocking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from storage import layout
from storage.errors import DamageFound
from storage.index.index import Index
from storage.index.opening import is_there
from storage.index.replacing import REWRITER, Gap, announce, changed, joined, settle
from storage.index.standing import known_segments
from storage.layout import Leftover
from storage.lock import WriterLock
from storage.recovery import recover
from storage.reindex import rebuild
from storage.segments.names import place_of
from storage.segments.opening import open_segments
from storage.segments.rewriting import kept_spans, write_aside
from storage.uninterrupted import uninterrupted
from storage.upkeep.leftovers import sweep


class Upkeep:
    """``with Upkeep(root, now) as upkeep``: a mirror locked, recovered and open for rewriting.

    Entering raises NotAMirror, NewerFormat, LockHeld, DamageFound, ReadOnly. State: the lock, the
    index, and whether a segment was rewritten.
    """

    def __init__(self, root: Path, now: datetime, *, moving: Leftover | None = None) -> None:
        """``now`` is for the lock's message; ``moving`` is where a move goes on with copies."""
        self.root = root.absolute()
        self.segments = open_segments(self.root)
        self.notes: tuple[str, ...] = ()
        self._moving = moving
        self._lock = WriterLock(self.root, now)
        self._index: Index | None = None
        self._holding = ExitStack()
        self._rewriting = False

    @property
    def index(self) -> Index:
        """The index, open for writing."""
        if self._index is None:
            raise ValueError("the mirror is not open")
        return self._index

    def __enter__(self) -> Self:
        self._lock.take()
        try:
            if not is_there(self.root):
                self.notes += rebuild(self.root).sentences()
            self._index = Index.to_write(self.root)
            self.notes += recover(self.root, self._index).notes
            self._holding.enter_context(self._index.holding({REWRITER}))
            if layout.check(self.root).left != self._moving:
                self.notes += sweep(self.root, self.segments, self._index)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.settle()
        finally:
            self._close()

    def _close(self) -> None:
        self._holding.close()
        if self._index is not None:
            self._index.close()
        self._lock.release()

    def drop(self, name: str, gaps: Sequence[Gap]) -> int:
        """Take these groups out of a segment; return the bytes that it lost.

        Each must be a group that the index has there. Raises DamageFound where one is not.
        """
        before = self.segments.size(name)
        if before is None or before != known_segments(self.index).get(name):
            raise DamageFound(place_of(name), "it is not as long as the index says")
        for gap in gaps:
            group = self.segments.manifest(name, gap.offset)
            if group.length != gap.length:
                raise DamageFound(place_of(name, gap.offset), "the index has another group")
        spans = kept_spans(before, {gap.offset: gap.length for gap in gaps})
        self._begin()
        left = self._has_groups(name, gaps)
        part = write_aside(self.segments, name, {name: spans}) if left else None
        with uninterrupted():
            announce(self.index, [name])
            self.segments.put_in_place(name, part)
            changed(self.index, name, gaps)
        return before - (sum(length for _, length in spans) if part else 0)

    def join(self, name: str, others: Sequence[str]) -> None:
        """Put segments, each whole, behind ``name``, in this order, and remove them.

        Raises DamageFound where one of them is not as the index says.
        """
        sizes = {each: self.segments.size(each) or 0 for each in (name, *others)}
        if any(known_segments(self.index).get(each) != size for each, size in sizes.items()):
            raise DamageFound(
                place_of(name), "it, or one to be joined to it, is not as the index says"
            )
        self._begin()
        part = write_aside(self.segments, name, {each: [(0, size)] for each, size in sizes.items()})
        with uninterrupted():
            announce(self.index, [*sizes], joined=sum(sizes.values()))
            self.segments.put_in_place(name, part)
            joined(self.index, name, _bases(sizes), sum(sizes.values()))
            # Readers had them until now. Killed amid this, the next run takes them all for joined.
            for each in others:
                self.segments.put_in_place(each, None)
            announce(self.index, ())

    def settle(self) -> None:
        """Bring the index to order once all segments are rewritten."""
        if self._rewriting:
            settle(self.index)
            self._rewriting = False

    def _begin(self) -> None:
        if not self._rewriting:
            announce(self.index, ())
            self._rewriting = True

    def _has_groups(self, name: str, gaps: Sequence[Gap]) -> bool:
        """Tell whether a group is left: a segment is never a warcinfo alone."""
        of_segment = "WHERE segment = :name"
        snapshots = self.index.number("SELECT count(*) FROM snapshots", of_segment, name=name)
        events = self.index.number("SELECT count(*) FROM events", of_segment, name=name)
        return snapshots + events > len(gaps)


def _bases(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return where each segment but the first begins in the joined one."""
    bases = {}
    at = 0
    for name, size in sizes.items():
        if at:
            bases[name] = at
        at += size
    return bases
