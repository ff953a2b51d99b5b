"""The index's rows beside the manifests they were made of: what is missing, wrong or too much.

Rows come in the order of the segment, a page of them in memory. What a run noted of its own (a
later sighting of a name, a validator that came with an answer judged equal) is in no manifest, and
passes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from storage.index.reader import Reader
from storage.index.rows import Row, Rows
from storage.verify.found import Problem, Problems, in_index

#: Groups whose side tables are asked for at once.
_PAGE = 200
#: Representations out of the order of their groups that are kept in mind; a writer leaves none.
_MOST_ASTRAY = 10_000

_Key = tuple[Any, ...]
#: By site, the scopes that manifests give, each with whether it is a captured original's.
Scopes = dict[str, set[tuple[str, bool]]]


class _Side(Struct):
    """What the manifests since the last look say of tables that many manifests share."""

    groups: int = 0
    files: dict[str, Row] = field(default_factory=dict)
    names: dict[_Key, Row] = field(default_factory=dict)
    validators: dict[str, Row] = field(default_factory=dict)


class SegmentRows:
    """One segment's rows. State: how far the walk has come, and what is not compared yet."""

    def __init__(self, index: Reader, segment: str, scopes: Scopes) -> None:
        """``scopes`` gathers what manifests say of each site."""
        self._index = index
        self._segment = segment
        self._scopes = scopes
        self._groups = _groups(index, segment)
        self._next = next(self._groups, None)
        self._current: Row | None = None
        self._passed: list[Row] = []
        self._bodies = index.walk(_BODIES, ["segment = :segment"], ("n",), segment=segment)
        self._owed: dict[_Key, Row] = {}
        self._spare: dict[_Key, Row] = {}
        self._excused: set[_Key] = set()
        self._side = _Side()

    def at(self, offset: int) -> Row | None:
        """Return the row of the group at ``offset``; those before it belong to no group."""
        self._pass(offset)
        self._current = None
        if self._next is not None and self._next["offset"] == offset:
            self._current, self._next = self._next, next(self._groups, None)
        return self._current

    def next_after(self, offset: int) -> int | None:
        """Return where the index has the next group after ``offset``."""
        self._pass(offset + 1)
        return None if self._next is None else int(self._next["offset"])

    def excuse(self, row: Row) -> None:
        """Let the rows of a group pass whose manifest is damaged: nothing says what is right."""
        self._excused.add((row["site"], row["slug"], row["sequence"]))
        self._scopes.setdefault(row["site"], set())

    def reach(self) -> int:
        """Return the last byte that a row says belongs to its group."""
        end = 'SELECT max("offset" + length) FROM'
        of_segment = "WHERE segment = :segment"
        return max(
            self._index.number(end, table, of_segment, segment=self._segment)
            for table in ("snapshots", "events")
        )

    def compare(self, wanted: Rows) -> Problems:
        """Compare the rows of the group last asked for with those that its manifest gives."""
        yield from self._no_groups()
        row = wanted.snapshot or wanted.event or {}
        what = "snapshot" if wanted.snapshot else "event"
        if self._current is None:
            yield _of(wanted.article, f"it has no row of this {what}")
        elif (other := unlike(self._current, row)) is not None:
            yield _of(wanted.article, f"its row of this {what} has another {other}")
        for one in wanted.representations:
            yield from self._compare_body(one)
        self._note(wanted)
        if self._side.groups >= _PAGE:
            yield from self._compare_side()

    def finish(self) -> Problems:
        """Compare what is left at the segment's end."""
        while self._next is not None:
            self._passed.append(self._next)
            self._next = next(self._groups, None)
            yield from self._no_groups()
        yield from self._no_groups()
        for row in self._bodies:
            yield from self._matched(row)
        for row in self._owed.values():
            yield _of(row, f"it has no row of this {row['format']}")
        for row in self._unexcused():
            yield _of(row, f"it has a row of a {row['format']} that no manifest has")
        yield from self._compare_side()

    def _unexcused(self) -> Iterator[Row]:
        return (row for key, row in self._spare.items() if key[:3] not in self._excused)

    def _pass(self, offset: int) -> None:
        while self._next is not None and _place(self._next) < (0, offset):
            self._passed.append(self._next)
            self._next = next(self._groups, None)

    def _no_groups(self) -> Problems:
        for row in self._passed:
            where = f"{row['segment']} at byte {row['offset']}"
            yield _of(row, f"it has a row of {where}, where no group begins")
        self._passed.clear()

    def _compare_body(self, wanted: Row) -> Problems:
        found = next(self._bodies, None)
        if found is not None and not self._owed and unlike(found, wanted) is None:
            return
        # Not the next one: a row is missing, or wrong, or they stand in another order.
        self._owed[_key(wanted)] = wanted
        if found is not None:
            yield from self._matched(found)
        if len(self._owed) > _MOST_ASTRAY:
            yield in_index(f"its representations of {self._segment} are in no order")
            self._owed.clear()
            self._spare.clear()

    def _matched(self, found: Row) -> Problems:
        if _key(found)[:3] in self._excused:
            return
        self._spare[_key(found)] = found
        for key in self._owed.keys() & self._spare.keys():
            wanted, row = self._owed.pop(key), self._spare.pop(key)
            other = unlike(row, wanted)
            if other is not None:
                yield _of(wanted, f"its row of this {wanted['format']} has another {other}")

    def _note(self, wanted: Rows) -> None:
        side = self._side
        side.groups += 1
        site = wanted.site
        self._scopes.setdefault(site["name"], set()).add((site["scope"], site["implicit"]))
        for row in wanted.files:
            side.files.setdefault(row["folded"], row)
        for row in wanted.names:
            _newest(side.names, (row["site"], row["name"], row["slug"]), row)
        for row in wanted.validators:
            _newest(side.validators, row["url"], row)

    def _compare_side(self) -> Problems:
        side, self._side = self._side, _Side()
        yield from self._compare_files(side.files)
        yield from self._compare_names(side.names)
        yield from self._compare_validators(side.validators)

    def _compare_files(self, wanted: dict[str, Row]) -> Problems:
        rows = self._index.matching("files", ("folded",), {(folded,) for folded in wanted})
        found = {row["folded"]: row for row in rows}
        for folded, row in wanted.items():
            if folded not in found:
                yield in_index(f"it has no row of the name {folded!r} under files/")
            elif bool(found[folded]["file"]) != bool(row["file"]):
                yield in_index(f"its row of {folded!r} under files/ is no file's, or no folder's")

    def _compare_names(self, wanted: dict[_Key, Row]) -> Problems:
        rows = self._index.matching("names", ("site", "name", "slug"), wanted.keys())
        found = {(row["site"], row["name"], row["slug"]): row for row in rows}
        for key, row in wanted.items():
            if key not in found:
                yield _of(row, f"it has no row of the name {row['name']!r}")
            elif not _at_least(found[key], row) or found[key]["is_url"] != row["is_url"]:
                yield _of(row, f"its row of the name {row['name']!r} is another")

    def _compare_validators(self, wanted: dict[str, Row]) -> Problems:
        rows = self._index.matching("validators", ("url",), {(url,) for url in wanted})
        for found in rows:
            row = wanted[found["url"]]
            newer = _at_least(found, row) and found["seen_at"] > row["seen_at"]
            if not newer and unlike(found, row) is not None:
                yield in_index("its validators are not those of the newest answer", url=row["url"])


def unlike(found: Row, wanted: Row) -> str | None:
    """Return the first column in which a row of the index is not as it should be."""
    if found | wanted == found:
        return None
    return next(name for name, value in wanted.items() if found.get(name, found) != value)


_BODIES = "SELECT * FROM representations"


def _groups(index: Reader, segment: str) -> Iterator[Row]:
    """Give the rows of a segment's groups by offset; what is no number comes last."""
    both = (
        index.walk(every, ["segment = :segment"], keys, segment=segment) for every, keys in _PLACES
    )
    return heapq.merge(*both, key=_place)


_PLACES = (
    ("SELECT * FROM snapshots", ("snapshots.offset", "snapshots.n")),
    ("SELECT * FROM events", ("events.offset", "events.n")),
)


def _place(row: Row) -> tuple[int, int]:
    # SQLite keeps any type in any column.
    offset = row["offset"]
    return (0, offset) if type(offset) is int else (1, 0)


def _key(row: Row) -> _Key:
    return row["site"], row["slug"], row["sequence"], row["format"]


def _newest(rows: dict[Any, Row], key: object, row: Row) -> None:
    known = rows.get(key)
    if known is None or row["seen_at"] >= known["seen_at"]:
        rows[key] = row


def _at_least(found: Row, wanted: Row) -> bool:
    seen = found["seen_at"]
    return type(seen) is int and seen >= wanted["seen_at"]


def _of(row: Row, why: str) -> Problem:
    """Return what is wrong with the index in the article of a row."""
    url = str(row.get("url", ""))
    return in_index(why, site=str(row["site"]), slug=str(row["slug"]), url=url)
