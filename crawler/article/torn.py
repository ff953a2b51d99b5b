"""Torn sets: an article that changed while it was being read.

Its formats then declare different update times. The stale ones are read again, past every
cache, until they agree or say the same twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from crawler.article.assemble import declared_stamps, disagreeing
from crawler.article.copies import Copy, CopyFailed, Copyist
from crawler.declared import Declared
from crawler.facts import Facts
from storage.model import Finding

#: Articles that must disagree in one way before it is taken for the site's own way.
STRUCTURAL = 3


def stale_formats(copies: Mapping[str, Copy], now: datetime) -> frozenset[str]:
    """Return the formats that declare an older update time than the newest one declared."""
    said = [copy.facts.updated_at for copy in copies.values() if copy.facts.updated_at is not None]
    # Nearly always all say the same, in the same words.
    if not said or said.count(said[0]) == len(said):
        return frozenset()
    facts: dict[str, Facts] = {copy.facts.source: copy.facts for copy in copies.values()}
    stamps, _ = declared_stamps(facts, now)
    stale = disagreeing(stamps)
    return frozenset(name for name, copy in copies.items() if copy.facts.source in stale)


def torn_finding(copies: Mapping[str, Copy], now: datetime) -> tuple[Finding, ...]:
    """Return the finding ``formats-disagree`` where the set is torn, naming the stale formats."""
    stale = tuple(sorted(stale_formats(copies, now)))
    if not stale:
        return ()
    detail = f"{', '.join(stale)} still give an older update time than the other formats"
    return (Finding(kind="formats-disagree", detail=detail, formats=stale),)


class TornSets:
    """Mends the torn sets of one site. Mutable state: how often each way of disagreeing stayed."""

    def __init__(self, copyist: Copyist, retries: int, clock: Callable[[], datetime]) -> None:
        self._copyist = copyist
        self._retries = retries
        self._clock = clock
        self._ways: Counter[frozenset[str]] = Counter()

    async def mend(self, declared: Mapping[str, Declared], copies: dict[str, Copy]) -> bool:
        """Re-read stale formats into ``copies``; returns whether the set was torn."""
        way = stale_formats(copies, self._clock())
        if not way or self._ways[way] >= STRUCTURAL:
            return False
        for _ in range(self._retries):
            stale = stale_formats(copies, self._clock())
            if not stale:
                return True
            if not await self._again(stale, declared, copies):
                break
        left = stale_formats(copies, self._clock())
        if left:
            self._ways[left] += 1
        return True

    async def _again(
        self, stale: frozenset[str], declared: Mapping[str, Declared], copies: dict[str, Copy]
    ) -> bool:
        """Read each stale format once more; returns whether any says another time now."""
        moved = False
        for name in sorted(stale):
            old = copies[name]
            place = declared.get(name) or Declared(format=name, url=old.representation.url)
            try:
                copies[name] = await self._copyist.copy(place, fresh=True)
            except CopyFailed:
                continue
            moved |= copies[name].facts.updated_at != old.facts.updated_at
        return moved
