"""Several processes for one verification: each proves that parts of segments are sound.

A part begins and ends where the index has a group. Workers only say whether all is well: where it
is not, or where a part's border is none, the segment is read once more from its first byte to its
last by the one who tells (storage.verify.whole), so that what is told never depends on parts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from msgspec import Struct

from storage.errors import ArchiveError
from storage.index.reader import Reader
from storage.segments.opening import open_segments
from storage.uncollected import uncollected
from storage.verify.found import Counts, Passed
from storage.verify.rows import Scopes, SegmentRows
from storage.verify.segments import SegmentCheck

#: Bytes of a mirror below which starting processes takes longer than they save.
WORTH_IT = 32 << 20
#: Bytes of a part at least: its rows are looked up once, whatever its size.
LEAST = 4 << 20


class Part(Struct, frozen=True, kw_only=True):
    """A stretch of a segment from one group's border to another's."""

    root: Path
    segment: str
    start: int
    end: int
    deep: bool


class _Proven(Struct, frozen=True, kw_only=True):
    """What a worker found of a part, what it counted, and was told of sites."""

    segment: str
    sound: bool
    counts: Counts
    scopes: Scopes


class Proof(Struct, frozen=True, kw_only=True):
    """A whole segment, all of its parts together, of so many ``bytes``."""

    segment: str
    sound: bool
    bytes: int
    counts: Counts
    scopes: Scopes


def processes() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parts_of(
    index: Reader,
    root: Path,
    sizes: Mapping[str, int],
    workers: int,
    *,
    deep: bool,
    least: int = LEAST,
) -> list[Part]:
    """Cut segments, by name with their committed lengths, where the index has snapshots."""
    least = max(sum(sizes.values()) // (workers * 4), least)
    found = []
    for name, size in sizes.items():
        borders = [0]
        while size - borders[-1] > least + least // 2:
            row = index.ask_one(_NEXT, segment=name, at=borders[-1] + least)
            if row is None or not borders[-1] < row["place"] < size:
                break
            borders.append(row["place"])
        for start, end in zip(borders, [*borders[1:], size], strict=True):
            found.append(Part(root=root, segment=name, start=start, end=end, deep=deep))
    return found


_NEXT = """
    SELECT "offset" AS place FROM snapshots WHERE segment = :segment AND "offset" >= :at
    ORDER BY "offset"
"""


@contextmanager
def proving(parts: Sequence[Part], workers: int) -> Iterator[Iterator[Proof]]:
    """Prove parts in processes of their own from now on; give each segment as its last is done.

    Where processes can't be had, or one of them was killed, the segments left are not given.
    """
    with ExitStack() as stack:
        proofs: Iterator[Proof] = iter(())
        # A fault of whoever uses them is not for here.
        with suppress(OSError):
            pool = ProcessPoolExecutor(
                workers, mp_context=get_context("spawn"), initializer=_end_without_a_word
            )
            stack.callback(pool.shutdown, cancel_futures=True)
            with _held_back():
                proofs = _proofs(parts, pool.map(_prove, parts)) if parts else proofs
        yield proofs


@contextmanager
def _held_back() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended, and in processes that it starts till they say."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_without_a_word() -> None:
    """Have Ctrl-C, which all processes of a terminal get, end this one, with no traceback."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _proofs(parts: Sequence[Part], found: Iterator[_Proven]) -> Iterator[Proof]:
    done = zip(parts, found, strict=True)
    with suppress(BrokenExecutor, OSError):
        for segment, several in groupby(done, key=lambda each: each[0].segment):
            counts, scopes = Counts(), Scopes()
            sound, size = True, 0
            for part, proven in several:
                sound = sound and proven.sound
                size = part.end
                counts.add(proven.counts)
                for site, said in proven.scopes.items():
                    scopes.setdefault(site, set()).update(said)
            yield Proof(segment=segment, sound=sound, bytes=size, counts=counts, scopes=scopes)


def _prove(part: Part) -> _Proven:
    """Read one part; what is wrong with it, if anything, is not told here."""
    counts, scopes = Counts(), Scopes()
    try:
        index = Reader.to_read(part.root)
        try:
            with uncollected():
                sound = _is_sound(index, part, counts, scopes)
        finally:
            index.close()
    except (ArchiveError, ValueError):
        sound = False
    return _Proven(segment=part.segment, sound=sound, counts=counts, scopes=scopes)


def _is_sound(index: Reader, part: Part, counts: Counts, scopes: Scopes) -> bool:
    index.hold()
    rows = SegmentRows(index, part.segment, scopes, (part.start, part.end))
    with open_segments(part.root).source(part.segment) as source:
        if source.size < part.end:
            return False
        check = SegmentCheck(source, rows, counts)
        found = check.run_part(part.start, part.end, deep=part.deep)
        return all(isinstance(each, Passed) for each in found)


#: Rows of a segment that are in no part of it. (SQLite sorts what is no number behind them all.)
BEYOND = """
    SELECT (SELECT count(*) FROM snapshots WHERE segment = :segment
              AND ("offset" < 0 OR "offset" >= :committed))
         + (SELECT count(*) FROM events WHERE segment = :segment
              AND ("offset" < 0 OR "offset" >= :committed))
"""
