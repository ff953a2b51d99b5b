"""Which of two groups counts that bear one number of one article. Pure.

Several machines may write one archive. One of them dies with a batch that was put into the bucket
and that no index knows yet; another takes its site up, and gives the same numbers again. It could
do so only once the first one's hold of the site was over, so that nobody ever saw, or built upon,
what the first one had put. Hence, in this order: what an index has shown counts; a tombstone does;
what was observed later does. With a group that does not count goes all that its writer stored of
the article behind it: it was numbered, and judged for changes, on top of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from msgspec import Struct

from storage.layout import LOST
from storage.segments.names import writer_of
from storage.segments.recovery import Group


class Claim(Struct, frozen=True, kw_only=True, gc=False):
    """A group in ``segment`` that bears number ``sequence`` of its site's article ``slug``.

    ``run``: in which it was stored. A joined object bears the name of one of its writers alone.
    """

    id: str
    segment: str
    run: str
    offset: int
    length: int
    slug: str
    sequence: int
    observed_at: datetime
    is_tombstone: bool


class LeftOut(Struct, frozen=True, kw_only=True):
    """Groups in whose place others count: ``lost`` are kept under lost/, ``forgotten`` nowhere."""

    lost: tuple[Claim, ...] = ()
    forgotten: tuple[Claim, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all of them."""
        return frozenset(one.id for one in (*self.lost, *self.forgotten))

    def segments(self) -> list[str]:
        """Name the segments that they stand in."""
        return sorted({one.segment for one in (*self.lost, *self.forgotten)})

    def of(self, segment: str) -> LeftOut:
        """Return those that stand in one segment."""
        return LeftOut(
            lost=tuple(one for one in self.lost if one.segment == segment),
            forgotten=tuple(one for one in self.forgotten if one.segment == segment),
        )


def claim_of(group: Group, segment: str) -> Claim:
    """Return what a group claims."""
    return Claim(
        id=group.id,
        segment=segment,
        run=group.manifest.run,
        offset=group.offset,
        length=group.length,
        slug=group.manifest.slug,
        sequence=group.manifest.sequence,
        observed_at=group.manifest.observed_at,
        is_tombstone=group.manifest.event == "forgotten",
    )


def rivals(claims: Iterable[Claim]) -> list[Claim]:
    """Return the claims of those articles in which a number is borne by several groups."""
    first: dict[tuple[str, int], str] = {}
    claims = list(claims)
    twice = {
        one.slug for one in claims if first.setdefault((one.slug, one.sequence), one.id) != one.id
    }
    return [one for one in claims if one.slug in twice]


def overtaken(claims: Iterable[Claim], seen: Collection[str]) -> list[Claim]:
    """Return which of a site's claims do not count; ``seen`` are ids that an index has shown."""
    out: list[Claim] = []
    lost: set[tuple[str, str, str]] = set()
    numbers: dict[tuple[str, int], list[Claim]] = {}
    for one in claims:
        numbers.setdefault((one.slug, one.sequence), []).append(one)
    for number in sorted(numbers):
        left: list[Claim] = []
        for one in numbers[number]:
            behind = _stored_by(one) in lost and one.id not in seen
            (out if behind else left).append(one)
        if not left:
            continue
        counts = max(left, key=lambda one: (one.id in seen, one.is_tombstone, *_later(one)))
        losers = [one for one in left if one.id != counts.id]
        lost |= {_stored_by(one) for one in losers}
        out += losers
    return out


def _stored_by(one: Claim) -> tuple[str, str, str]:
    return one.slug, writer_of(one.segment), one.run


def _later(one: Claim) -> tuple[datetime, str]:
    return one.observed_at, one.id


def went(lost: int, forgotten: int, name: str) -> str:
    """Say of how many groups of a segment others count in the place of."""
    kept = [f"{lost} groups of {name} went to {LOST}/"] if lost else []
    dropped = [f"{forgotten} groups of {name}, of forgotten articles, were removed"]
    told = " and ".join(kept + (dropped if forgotten else []))
    return f"{told}: another writer had gone on with their articles"
