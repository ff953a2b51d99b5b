"""Which snapshot a person means: by moment, key, revision or number; and by URL. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, get_args

from storage.errors import NoSuchArticle
from storage.index.rows import SnapshotRow
from storage.model import Stamp, Unit
from storage.times import format_utc, parse_rfc3339, parse_when, same_moment

#: Units of a key that a time of day, typed less exactly, may still mean.
_CLOCK_UNITS = frozenset({"minute", "second", "millisecond", "microsecond"})
_UNITS: dict[str, Unit] = {unit: unit for unit in get_args(Unit)}
_REVISION = re.compile(r"(?P<key>.+)\.r(?P<number>[0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,9}")


def pick(
    rows: Sequence[SnapshotRow],
    *,
    at: datetime | None = None,
    by: Literal["observed", "updated"] = "observed",
    revision: int | None = None,
) -> SnapshotRow:
    """Return the newest of ``rows`` (oldest first, not empty), as of ``at``, inclusive.

    ``by`` says which clock ``at`` reads; ``revision`` then picks within the key of the snapshot
    found. Newest goes by sequence, unless ``at`` is by the publisher's clock. Raises
    NoSuchArticle.
    """
    found = list(rows)
    if at is not None and by == "observed":
        found = [row for row in rows if row.observed_at <= at]
    elif at is not None:
        found = sorted(
            (row for row in rows if row.updated_at <= at),
            key=lambda row: (row.updated_at, row.sequence),
        )
    if not found:
        when = format_utc(at) if at else "then"
        first = format_utc(rows[0].observed_at if by == "observed" else rows[0].updated_at)
        seen = by == "observed"
        there = f"was seen {first} (--by updated: by its own date)" if seen else f"is of {first}"
        raise NoSuchArticle(
            f"no snapshot of {rows[0].slug!r} as early as {when}: the first {there}"
        )
    newest = found[-1]
    return newest if revision is None else _revision(rows, newest.updated_at, revision)


def by_spec(rows: Sequence[SnapshotRow], spec: str, now: datetime) -> SnapshotRow:
    """Return what ``spec`` names of ``rows``: a sequence number, UPDATED_AT[.rN] or a moment.

    A key comes before a moment of observation. Raises NoSuchArticle, and times.WhenError where
    ``spec`` is no moment.
    """
    if _NUMBER.fullmatch(spec):
        for row in rows:
            if row.sequence == int(spec):
                return row
        numbers = ", ".join(str(row.sequence) for row in rows)
        raise NoSuchArticle(f"{rows[0].slug!r} has no snapshot number {spec}; it has {numbers}")
    revised = _REVISION.fullmatch(spec)
    written = revised["key"] if revised else spec
    moment = parse_when(written, now)
    keyed = [row for row in rows if _is_key(row, written, moment)]
    if revised:
        if not keyed:
            raise NoSuchArticle(f"{rows[0].slug!r} has no snapshot under {written}")
        return _revision(rows, keyed[-1].updated_at, int(revised["number"]))
    return keyed[-1] if keyed else pick(rows, at=moment)


def _is_key(row: SnapshotRow, written: str, moment: datetime) -> bool:
    stamp = parse_rfc3339(written)
    if stamp is None:
        # A date alone names a key that is a date; else it is the whole day, as a moment.
        return row.unit == "day" and row.updated_at.date() == moment.date()
    if row.updated_at == stamp.at:
        return True
    key = Stamp(at=row.updated_at, unit=_UNITS[row.unit], offset=0)
    return row.unit in _CLOCK_UNITS and same_moment(stamp, key)


def _revision(rows: Sequence[SnapshotRow], key: datetime, revision: int) -> SnapshotRow:
    under = [row for row in rows if row.updated_at == key]
    for row in under:
        if row.revision == revision:
            return row
    kept = ", ".join(f"r{row.revision}" for row in under)
    raise NoSuchArticle(
        f"{rows[0].slug!r} has no revision {revision} under {format_utc(key.astimezone(UTC))}; "
        f"it has {kept}"
    )


def urls_meant(text: str) -> tuple[str, ...]:
    """Return the URLs that a person may mean by ``text``: with and without scheme, end slash."""
    url = text.strip().partition("#")[0]
    if "/" not in url and "." not in url:
        return ()
    schemes = ("https://", "http://")
    bare = next((url.removeprefix(s) for s in schemes if url.startswith(s)), url)
    if "?" in bare:
        ends: tuple[str, ...] = (bare,)
    else:
        ends = (bare, bare.rstrip("/"), f"{bare.rstrip('/')}/")
    first = (url,) if url.startswith(schemes) else ()
    return tuple(dict.fromkeys([*first, *(scheme + end for scheme in schemes for end in ends)]))
