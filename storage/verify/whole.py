"""A whole mirror, verified: its index's file, each segment with its rows, then tables, then gaps.

Integrity is whether what was stored is what is there; completeness, told apart from it, whether
all of it was got. Nothing is locked: the index is seen as it was at the beginning, and segments up
to where it knew them. Memory does not grow with the mirror. Blocking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

from msgspec import Struct, structs

from storage import layout
from storage.errors import (
    ArchiveError,
    DamageFound,
    IndexLies,
    IndexUnusable,
    SegmentsAway,
    StoreFailed,
    os_errors,
)
from storage.index.opening import is_there, name_of
from storage.index.reader import Reader
from storage.index.replacing import REWRITES, announced
from storage.index.standing import known_segments
from storage.segments.opening import open_segments
from storage.segments.source import Source
from storage.verify.completeness import shortcomings
from storage.verify.found import (
    Counts,
    Found,
    Passed,
    Problem,
    Report,
    Short,
    in_index,
    in_segment,
)
from storage.verify.parts import BEYOND, WORTH_IT, Proof, parts_of, processes, proving
from storage.verify.rows import Scopes, SegmentRows
from storage.verify.segments import SegmentCheck
from storage.verify.tables import check_sites, check_tables, check_targets, faults_of_file

_INDEX_WRONG = (IndexUnusable, IndexLies)


class Asked(Struct, frozen=True, kw_only=True):
    """What to verify: ``since``, when an article must have been compared with its site at last.

    ``deep``: each body is decoded, too, and compared with its SHA-256. ``processes`` share the work
    (0: one a processor) where the mirror has ``parts_from`` bytes or more; more than one needs a
    main module that may be imported.
    """

    since: datetime
    deep: bool = False
    processes: int = 1
    parts_from: int = WORTH_IT


def verify(root: Path, asked: Asked) -> Iterator[Found]:
    """Give problems as they are found, words of progress between, what is short, then the Report.

    Raises NotAMirror, NewerFormat; StoreFailed where segments were rewritten in the meantime.
    """
    root = root.absolute()
    layout.check(root)
    check = _Check(root, asked)
    try:
        yield from check.run()
    finally:
        check.close()


class _Check:
    """One verification. State: the counts, and the index while it can be believed."""

    def __init__(self, root: Path, asked: Asked) -> None:
        self._root = root
        self._asked = asked
        self._segments = open_segments(root)
        self._index: Reader | None = None
        self._scopes: Scopes = {}
        self._counts = Counts()
        self._wrong = {"segment": 0, "index": 0}
        self._short = {"partial": 0, "unverified": 0}
        self._unfinished: list[str] = []
        self._rewriting: tuple[str, ...] = ()
        self._done = 0
        self._total = 0

    def close(self) -> None:
        """Close the index."""
        if self._index is not None:
            self._index.close()

    def run(self) -> Iterator[Found]:
        """Go through all of it."""
        index = name_of(layout.check(self._root))
        for found in self._all():
            if isinstance(found, Problem):
                self._wrong[found.kind] += 1
                if found.kind == "index":
                    yield structs.replace(found, file=index)
                    continue
            elif isinstance(found, Short):
                self._short[found.kind] += 1
            yield found
        self._check_rewritten()
        yield Report(
            segments=len(self._segments.names()),
            snapshots=self._counts.snapshots,
            events=self._counts.events,
            records=self._counts.records,
            bytes=self._done,
            damaged=self._wrong["segment"],
            index_wrong=self._wrong["index"],
            partial=self._short["partial"],
            unverified=self._short["unverified"],
            since=self._asked.since,
            lost=tuple(_lost(self._root)),
            unfinished=tuple(self._unfinished),
            rewriting=self._rewriting,
        )

    def _all(self) -> Iterator[Found]:
        yield from self._open()
        known: dict[str, int] = {}
        yield from self._learn(known)
        names = sorted({*self._segments.names(), *known})
        self._total = sum(self._segments.size(name) or 0 for name in names)
        with self._proving(known) as proofs:
            # The database is asked while others read segments.
            yield from self._ask_index()
            yield from self._read(names, known, proofs)
        if self._index is not None:
            yield from self._guarded(check_sites(self._index, self._scopes))
        if self._index is not None:
            yield from self._guarded(shortcomings(self._index, self._asked.since))

    def _ask_index(self) -> Iterator[Found]:
        """Give what is wrong with the index's file, and between its tables."""
        for check in (self._check_file, check_tables, check_targets):
            if self._index is not None:
                yield from self._guarded(check(self._index))

    def _check_file(self, index: Reader) -> Iterator[Found]:
        faults = faults_of_file(index)
        yield from faults
        if faults:
            self._drop()

    def _read(
        self, names: Sequence[str], known: Mapping[str, int], proofs: Iterator[Proof]
    ) -> Iterator[Found]:
        """Read the segments that other processes do not find sound."""
        proven: set[str] = set()
        for proof in proofs if self._index is not None else ():
            if proof.sound:
                proven.add(proof.segment)
                self._counts.add(proof.counts)
                for site, scopes in proof.scopes.items():
                    self._scopes.setdefault(site, set()).update(scopes)
                yield self._passed(proof.bytes)
        for name in (name for name in names if name not in proven):
            for found in self._segment(name, known.get(name)):
                yield self._passed(found.bytes) if isinstance(found, Passed) else found

    def _passed(self, more: int) -> Passed:
        self._done += more
        return Passed(bytes=self._done, total=self._total)

    def _proving(self, known: Mapping[str, int]) -> AbstractContextManager[Iterator[Proof]]:
        """Have other processes look for segments that are sound; the others are for this one."""
        workers = self._asked.processes or processes()
        if self._index is None or workers == 1 or self._total < self._asked.parts_from:
            return nullcontext(iter(()))
        index = self._index
        plain = {
            name: size
            for name, size in known.items()
            if self._segments.size(name) == size
            and not index.number(BEYOND, segment=name, committed=size)
        }
        return proving(parts_of(index, self._root, plain, workers, deep=self._asked.deep), workers)

    def _open(self) -> Iterator[Found]:
        """Open the index and hold it as it is; where it is no good, go on without."""
        try:
            self._index = Reader.to_read(self._root)
            self._index.hold()
            left = announced(self._index)
        except _INDEX_WRONG as error:
            if self._segments.names() or is_there(self._root):
                yield in_index(str(error).partition(": run")[0])
            self._drop()
            return
        self._rewriting = left.segments if left else ()

    def _drop(self) -> None:
        self.close()
        self._index = None

    def _learn(self, known: dict[str, int]) -> Iterator[Found]:
        """Put the index's segments into ``known``, with their committed lengths."""
        try:
            if self._index is not None:
                known.update(known_segments(self._index))
        except _INDEX_WRONG as error:
            yield in_index(str(error).partition(": run")[0])
            self._drop()

    def _guarded(self, found: Iterator[Found]) -> Iterator[Found]:
        try:
            yield from found
        except _INDEX_WRONG as error:
            yield in_index(str(error).partition(": run")[0])
            self._drop()

    def _segment(self, name: str, committed: int | None) -> Iterator[Problem | Short | Passed]:
        try:
            with self._segments.source(name) as source:
                check = self._check_of(source, name)
                length = None if self._index is None else committed or 0
                yield from check.run(length, deep=self._asked.deep)
                if check.unfinished:
                    self._unfinished.append(name)
        except _INDEX_WRONG as error:
            yield in_index(str(error).partition(": run")[0])
            self._drop()
        except DamageFound as error:
            yield in_segment(name, None, error.why)
        except SegmentsAway:
            # Nothing is known of it: that is no damage.
            raise
        except (ArchiveError, ValueError) as error:
            yield in_segment(name, None, str(error))

    def _check_of(self, source: Source, name: str) -> SegmentCheck:
        index = self._index
        rows = None if index is None else SegmentRows(index, name, self._scopes)
        return SegmentCheck(source, rows, self._counts)

    def _check_rewritten(self) -> None:
        """Raise StoreFailed where segments were rewritten behind the index that is held."""
        if self._index is None:
            return
        try:
            now = Reader.to_read(self._root)
        except _INDEX_WRONG:
            return
        try:
            if now.note(REWRITES) != self._index.note(REWRITES):
                raise StoreFailed("segments were rewritten while they were verified: run it again")
        finally:
            now.close()


def _lost(root: Path) -> Iterator[tuple[str, int]]:
    """Give the files under lost/, each with its bytes."""
    with os_errors("looking into lost/"):
        for path in sorted((root / layout.LOST).glob("*/*")):
            yield path.relative_to(root).as_posix(), path.stat().st_size
