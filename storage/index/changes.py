"""What changed over all articles: snapshots and events together, in the order of observation.

Statements in, values out, as in queries.py; the moment of observation is indexed, so what changed
lately costs the same in a small archive and in a large one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, RowMapping, Select, Table, select

from storage.index.index import Index
from storage.index.rows import EventRow, SnapshotRow, event_row, snapshot_row, to_micros
from storage.index.schema import events, snapshots
from storage.times import format_utc

#: Events that tell of the article itself. The others are the archive's own steps on the way: a
#: first 404 that may be nothing, another URL of the same article, the slug that it was given.
TELLING = ("gone", "returned", "moved", "forgotten")
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

    ``everything``: events that are mere steps too; ``last``: the newest so many, none: all.
    """

    since: datetime | None = None
    until: datetime | None = None
    site: str | None = None
    canonicals: bool = False
    everything: bool = False
    last: int | None = None


EVERY_CHANGE = Asked()


def changes(index: Index, asked: Asked) -> Iterator[Change]:
    """Give the changes asked for, oldest first by observation."""
    of_snapshots, of_events = _query(snapshots, asked), _query(events, asked)
    if not asked.everything:
        of_events = of_events.where(events.c.event.in_(TELLING))
    kept = (_kept(row) for row in _rows(index, of_snapshots, snapshots, asked.last))
    happened = (_happened(index, row) for row in _rows(index, of_events, events, asked.last))
    both = heapq.merge(kept, happened, key=_place)
    if asked.last is None:
        return both
    return iter(list(both)[-asked.last :] if asked.last else [])


def first_id(index: Index) -> str | None:
    """Return the id of the snapshot that was observed first: an archive's own, as long as it is."""
    row = index.first(select(snapshots.c.id).order_by(*_columns(snapshots)).limit(1))
    return None if row is None else str(row["id"])


def _query(table: Table, asked: Asked) -> Select[Any]:
    wanted: list[ColumnElement[bool]] = []
    if asked.since is not None:
        wanted.append(table.c.observed_at >= to_micros(asked.since))
    if asked.until is not None:
        wanted.append(table.c.observed_at <= to_micros(asked.until))
    if asked.site is not None:
        # As an expression, so that it is no lure away from the index of moments.
        wanted.append(table.c.site.concat("") == asked.site)
    if not asked.canonicals:
        wanted.append(table.c.implicit.is_(False))
    return select(table).where(*wanted)


def _rows(index: Index, query: Select[Any], table: Table, last: int | None) -> Iterable[RowMapping]:
    if last is None:
        return index.walk(query, _columns(table))
    newest = query.order_by(*(column.desc() for column in _columns(table))).limit(last)
    return reversed(index.all(newest))


def _columns(table: Table) -> list[Any]:
    return [table.c[name] for name in _ORDER]


def _place(change: Change) -> tuple[datetime, str, str, int]:
    row = change.row
    return row.observed_at, row.site, row.slug, row.sequence


def _kept(row: RowMapping) -> Change:
    snapshot = snapshot_row(row)
    return Change(row=snapshot, title=snapshot.title, private=snapshot.private)


def _happened(index: Index, row: RowMapping) -> Change:
    event = event_row(row)
    before = select(snapshots.c.title, snapshots.c.private).where(
        snapshots.c.site == event.site,
        snapshots.c.slug == event.slug,
        snapshots.c.sequence < event.sequence,
    )
    standing = index.first(before.order_by(snapshots.c.sequence.desc()).limit(1))
    if standing is None:
        return Change(row=event, title=None, private=False)
    return Change(row=event, title=standing["title"], private=standing["private"])
