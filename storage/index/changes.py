"""What changed over all articles: snapshots and events together, in the order of observation.

Statements in, values out, as in queries.py; the moment of observation is indexed, so what changed
lately costs the same in a small archive and in a large one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from storage.index.packing import unpacked
from storage.index.reader import Reader, one_of, where
from storage.index.rows import (
    EventRow,
    Row,
    SnapshotRow,
    event_row,
    snapshot_row,
    to_micros,
    values_of,
)
from storage.times import format_utc

#: Events that tell of the article itself. The others are the archive's own steps on the way: a
#: first 404 that may be nothing, another URL of the same article, the slug that it was given.
TELLING = ("gone", "returned", "moved", "forgotten")
_EVERY = {"snapshots": "SELECT * FROM snapshots", "events": "SELECT * FROM events"}
_ORDER = ("observed_at", "site", "slug", "sequence")


class Change(Struct, frozen=True, kw_only=True):
    """One snapshot or event. An event's ``title`` and ``private`` are of the snapshot before it."""

    row: SnapshotRow | EventRow
    title: str | None
    private: bool

    @property
    def what(self) -> str:
        """Why the snapshot was stored, or which event it is."""
        return self.row.reason if isinstance(self.row, SnapshotRow) else self.row.event

    def as_log(self) -> dict[str, object]:
        """Return the line of ``changes --json``: ``kind``, then a snapshot's as in ``log``."""
        row = self.row
        if isinstance(row, SnapshotRow):
            return {"kind": "snapshot", **row.as_log()}
        return {
            "kind": "event",
            "site": row.site,
            "slug": row.slug,
            "url": row.url,
            "event": row.event,
            "observed_at": format_utc(row.observed_at),
            "detail": dict(row.detail),
            "title": self.title,
        }


class Asked(Struct, frozen=True, kw_only=True):
    """Which changes: observed from ``since`` to ``until``, both inclusive.

    ``slug``: one article's, of ``site``; ``everything``: events that are mere steps too; ``last``:
    the newest so many, none: all.
    """

    since: datetime | None = None
    until: datetime | None = None
    site: str | None = None
    slug: str | None = None
    canonicals: bool = False
    everything: bool = False
    last: int | None = None


EVERY_CHANGE = Asked()


def changes(index: Reader, asked: Asked) -> Iterator[Change]:
    """Give the changes asked for, oldest first by observation."""
    kept = (_kept(row) for row in _rows(index, "snapshots", asked))
    happened = (_happened(index, row) for row in _rows(index, "events", asked))
    both = heapq.merge(kept, happened, key=_place)
    if asked.last is None:
        return both
    return iter(list(both)[-asked.last :] if asked.last else [])


def first_id(index: Reader) -> str | None:
    """Return the id of the snapshot that was observed first: an archive's own, as long as it is."""
    row = index.ask_one("SELECT id FROM snapshots ORDER BY", ", ".join(_ORDER))
    with values_of("snapshots"):
        return None if row is None else unpacked(row["id"])


def _rows(index: Reader, table: str, asked: Asked) -> Iterable[Row]:
    wanted, named = _wanted(asked)
    if table == "events" and not asked.everything:
        telling, told = one_of("event", TELLING)
        wanted, named = [*wanted, telling], named | told
    if asked.last is None:
        return index.walk(_EVERY[table], wanted, _ORDER, **named)
    newest = f"ORDER BY {', '.join(f'{name} DESC' for name in _ORDER)} LIMIT :last"
    rows = index.ask(_EVERY[table], where(wanted), newest, last=asked.last, **named)
    return reversed(rows)


def _wanted(asked: Asked) -> tuple[list[str], dict[str, object]]:
    wanted: list[str] = []
    named: dict[str, object] = {}
    if asked.since is not None:
        wanted.append("observed_at >= :since")
        named["since"] = to_micros(asked.since)
    if asked.until is not None:
        wanted.append("observed_at <= :until")
        named["until"] = to_micros(asked.until)
    if asked.slug is not None:
        wanted.append("site = :site AND slug = :slug")
        named |= {"site": asked.site, "slug": asked.slug}
    elif asked.site is not None:
        # As an expression, so that it is no lure away from the index of moments.
        wanted.append("site || '' = :site")
        named["site"] = asked.site
    if not asked.canonicals and asked.slug is None:
        wanted.append("NOT implicit")
    return wanted, named


def _place(change: Change) -> tuple[datetime, str, str, int]:
    row = change.row
    return row.observed_at, row.site, row.slug, row.sequence


def _kept(row: Row) -> Change:
    snapshot = snapshot_row(row)
    return Change(row=snapshot, title=snapshot.title, private=snapshot.private)


def _happened(index: Reader, row: Row) -> Change:
    event = event_row(row)
    standing = index.ask_one(
        """SELECT title, private FROM snapshots
           WHERE site = :site AND slug = :slug AND sequence < :sequence
           ORDER BY sequence DESC""",
        site=event.site, slug=event.slug, sequence=event.sequence,
    )  # fmt: skip
    if standing is None:
        return Change(row=event, title=None, private=False)
    return Change(row=event, title=standing["title"], private=bool(standing["private"]))
