"""Pruning: which snapshots a policy lets go, and taking them out.

The plain policy of backups: all of the last days, then one a week, then one a month. What stays
whatever the policy says: an article's newest snapshot; a snapshot that holds a body which another
one refers to; the archive's first snapshot, which names its feeds; and every event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from storage import layout
from storage.index.changes import first_id
from storage.index.queries import all_history
from storage.index.reader import Reader
from storage.index.replacing import Gap
from storage.index.rows import SnapshotRow
from storage.upkeep.rewriting import Upkeep


class Policy(Struct, frozen=True, kw_only=True):
    """How long all snapshots are kept, and for how long one a week; older: one a month."""

    keep_all: timedelta = timedelta(days=90)
    weekly: timedelta = timedelta(days=365)


def prunable(
    index: Reader, policy: Policy, now: datetime, site: str | None = None
) -> Iterator[SnapshotRow]:
    """Give the snapshots that the policy lets go as of ``now``, article by article."""
    first = first_id(index)
    rows = all_history(index, site, canonicals=True)
    for (each, slug), history in groupby(rows, key=lambda row: (row.site, row.slug)):
        snapshots = list(history)
        kept = kept_by(policy, snapshots, now)
        if len(kept) < len(snapshots):
            kept |= _held_for(index, each, slug, kept)
            yield from (row for row in snapshots if row.sequence not in kept and row.id != first)


def plan(
    root: Path, policy: Policy, now: datetime, site: str | None = None
) -> Iterator[SnapshotRow]:
    """Give what ``prune`` would take out; nothing is changed. Raises NotAMirror, IndexUnusable."""
    root = root.absolute()
    layout.check(root)
    return _planned(Reader.to_read(root), policy, now, site)


def _planned(
    index: Reader, policy: Policy, now: datetime, site: str | None
) -> Iterator[SnapshotRow]:
    try:
        yield from prunable(index, policy, now, site)
    finally:
        index.close()


def kept_by(policy: Policy, snapshots: Sequence[SnapshotRow], now: datetime) -> set[int]:
    """Return the sequence numbers that the policy keeps of one article's snapshots. Pure.

    Of a week or month it is the last one; weeks and months are those of UTC (ISO 8601).
    """
    last: dict[tuple[object, ...], int] = {}
    for row in snapshots:
        age = now - row.observed_at
        moment = row.observed_at
        if age <= policy.keep_all:
            when: tuple[object, ...] = ("each", row.sequence)
        elif age <= policy.weekly:
            when = ("week", *moment.isocalendar()[:2])
        else:
            when = ("month", moment.year, moment.month)
        last[when] = max(row.sequence, last.get(when, 0))
    return {*last.values(), max(row.sequence for row in snapshots)}


_TARGETS = """
    SELECT DISTINCT held.sequence AS sequence, revisit.sequence AS wanted
    FROM articles JOIN representations AS revisit ON revisit.article = articles.n
    JOIN representations AS held ON held.record_id = revisit.target_id
    WHERE articles.site = :site AND articles.slug = :slug AND revisit.target_id IS NOT NULL
"""


def _held_for(index: Reader, site: str, slug: str, kept: set[int]) -> set[int]:
    """Return the snapshots that hold bodies which kept ones refer to: never revisits themselves."""
    rows = index.ask(_TARGETS, site=site, slug=slug)
    return {row["sequence"] for row in rows if row["wanted"] in kept}


class Pruned(Struct, frozen=True, kw_only=True):
    """What pruning did: snapshots taken out, segments rewritten, bytes that are free now."""

    snapshots: int
    segments: int
    bytes: int


def prune(root: Path, policy: Policy, now: datetime, site: str | None = None) -> Pruned:
    """Take out what the policy lets go; what is left reads as before.

    Raises NotAMirror, LockHeld, DamageFound. Killed at any instant, it can be started again.
    """
    with Upkeep(root, now) as upkeep:
        gaps: dict[str, list[Gap]] = {}
        count = 0
        for row in prunable(upkeep.index, policy, now, site):
            gaps.setdefault(row.segment, []).append(Gap(offset=row.offset, length=row.length))
            count += 1
        freed = sum(upkeep.drop(name, gaps[name]) for name in sorted(gaps))
        return Pruned(snapshots=count, segments=len(gaps), bytes=freed)
