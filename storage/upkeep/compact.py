"""Compacting: a site's small segments joined into large ones. Joining is `cat`: nothing is decoded.

Runs of neighbours are joined while they stay below the size at which a segment closes; the newest
segment of a site is left alone, since a run may go on with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from storage.index.standing import known_segments
from storage.segments.appending import SEGMENT_BYTES
from storage.segments.names import order
from storage.upkeep.rewriting import Upkeep


class Compacted(Struct, frozen=True, kw_only=True):
    """What compacting did: how many segments became how many."""

    before: int
    after: int


def compact(root: Path, now: datetime, *, segment_bytes: int = SEGMENT_BYTES) -> Compacted:
    """Join small segments; kill it when you like. Raises NotAMirror, LockHeld, DamageFound."""
    with Upkeep(root, now) as upkeep:
        sizes = known_segments(upkeep.index)
        runs = joinable(sizes, segment_bytes)
        for first, *others in runs:
            upkeep.join(first, others)
        return Compacted(before=len(sizes), after=len(sizes) - sum(len(run) - 1 for run in runs))


def joinable(sizes: Mapping[str, int], most: int) -> list[list[str]]:
    """Return runs of neighbouring segments, two or more, that fit into ``most`` bytes. Pure."""
    runs: list[list[str]] = []
    for _, names in groupby(sorted(sizes, key=order), key=lambda name: name.partition("/")[0]):
        *older, _newest = names
        runs += _runs(older, sizes, most)
    return runs


def _runs(names: Sequence[str], sizes: Mapping[str, int], most: int) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for name in names:
        if sum(sizes[each] for each in runs[-1]) + sizes[name] > most:
            runs.append([])
        runs[-1].append(name)
    return [run for run in runs if len(run) > 1]
