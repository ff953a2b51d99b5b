"""The index's rows beside the manifests they were made of: what is missing, wrong or too much.

Rows come in the order of the segment, a page of them in memory. What a run noted of its own (a
later sighting of a name, a validator that came with an answer judged equal) is in no manifest, and
passes.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from operator import itemgetter
from typing import Any

from msgspec import Struct, field

from storage.index.columns import COLUMNS
from storage.index.deriving import Rows
from storage.index.reader import Reader
from storage.index.rows import Row, Values
from storage.verify.found import Problem, Problems, in_index

#: Groups whose side tables are asked for at once.
_PAGE = 200

_Key = tuple[Any, ...]
#: By site, the scopes that manifests give, each with whether it is a captured original's.
Scopes = dict[str, set[tuple[str, bool]]]


class _Side(Struct):
    """What the manifests since the last look say of tables beside those of groups.

    ``bodies`` and ``urls`` are by article; the others are shared by all.
    """

    groups: int = 0
    bodies: dict[_Key, dict[_Key, Values]] = field(default_factory=dict)
    urls: dict[_Key, Values] = field(default_factory=dict)
    files: dict[int, bool] = field(default_factory=dict)
    names: dict[_Key, Values] = field(default_factory=dict)
    validators: dict[int, Values] = field(default_factory=dict)


class SegmentRows:
    """One segment's rows. State: how far the walk has come, and what is not compared yet."""

    def __init__(
        self, index: Reader, segment: str, scopes: Scopes, part: tuple[int, int] | None = None
    ) -> None:
        """``scopes`` gathers what manifests say of each site; ``part``: these bytes alone."""
        self._index = index
        self._segment = segment
        self._scopes = scopes
        self._groups = _groups(index, segment, part)
        self._next = next(self._groups, None)
        self._current: Row | None = None
        self._passed: list[Row] = []
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
        table = "snapshots" if wanted.snapshot else "events"
        what = "snapshot" if wanted.snapshot else "event"
        if self._current is None:
            yield _of(wanted.article, f"it has no row of this {what}")
        elif other := unlike(table, self._current, wanted.snapshot or wanted.event or ()):
            yield _of(wanted.article, f"its row of this {what} has another {other}")
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
        yield from self._compare_side()

    def _pass(self, offset: int) -> None:
        while self._next is not None and _place(self._next) < (0, offset):
            self._passed.append(self._next)
            self._next = next(self._groups, None)

    def _no_groups(self) -> Problems:
        for row in self._passed:
            where = f"{row['segment']} at byte {row['offset']}"
            article = (row["site"], row["slug"], row["url"])
            yield _of(article, f"it has a row of {where}, where no group begins")
        self._passed.clear()

    def _note(self, wanted: Rows) -> None:
        side = self._side
        side.groups += 1
        name, *said = wanted.site
        self._scopes.setdefault(name, set()).add((said[0], said[1]))
        article = wanted.article[:_URL]
        if wanted.snapshot:
            sequence = wanted.article[_LAST]
            side.bodies[*article, sequence] = {row[_FORMAT]: row for row in wanted.representations}
        for row in wanted.urls:
            side.urls[*article, *row[:_FILE]] = row
        for mark, folder in wanted.files:
            side.files[mark] = folder
        for row in wanted.names:
            _newest(side.names, row[:3], row)
        for row in wanted.validators:
            _newest(side.validators, row[0], row)

    def _compare_side(self) -> Problems:
        side, self._side = self._side, _Side()
        numbers = self._numbers({key[:_URL] for key in side.bodies})
        yield from self._compare_bodies(side.bodies, numbers)
        yield from self._compare_urls(side.urls, numbers)
        yield from self._compare_files(side.files)
        yield from self._compare_names(side.names)
        yield from self._compare_validators(side.validators)

    def _numbers(self, articles: set[_Key]) -> dict[_Key, int]:
        """Return the articles' numbers; one that is not there is told of with the tables."""
        columns = ("n", "site", "slug")
        rows = self._index.matching_values("articles", columns[1:], articles, columns)
        return {(site, slug): number for number, site, slug in rows}

    def _rows(self, table: str, keys: Collection[_Key], by: int) -> Iterator[Values]:
        """Give the rows of a table, in the order of COLUMNS, whose first ``by`` are ``keys``."""
        columns = COLUMNS[table]
        return self._index.matching_values(table, columns[:by], keys, columns)

    def _compare_bodies(
        self, wanted: dict[_Key, dict[_Key, Values]], numbers: dict[_Key, int]
    ) -> Problems:
        keys = {(numbers.get(key[:_URL]), key[_URL]): key for key in wanted}
        asked = [key for key in keys if key[0] is not None]
        for row in self._rows("representations", asked, 2):
            key = keys[row[:2]]
            values = wanted[key].pop(row[2], None)
            if values is None:
                yield _of(key, f"it has a row of a {row[2]} that its manifest has not")
            elif row[1:] != values:
                other = _first_other("representations", row, (row[0], *values))
                yield _of(key, f"its row of this {row[2]} has another {other}")
        for key, left in wanted.items():
            for name in left:
                yield _of(key, f"it has no row of this {name}")

    def _compare_urls(self, wanted: dict[_Key, Values], numbers: dict[_Key, int]) -> Problems:
        asked = {
            (numbers[key[:_URL]], key[2], key[3]): key for key in wanted if key[:_URL] in numbers
        }
        found = {row[:3]: row[3] for row in self._rows("urls", asked.keys(), 3)}
        for place, key in asked.items():
            file = wanted[key][_FILE]
            if place not in found:
                yield _of(key, f"it has no row of the URL of its {key[3]}")
            elif found[place] != file and (file or not isinstance(found[place], str)):
                yield _of(key, f"its row of the URL of its {key[3]} has another file")

    def _compare_files(self, wanted: dict[int, bool]) -> Problems:
        found: dict[int, object] = dict(self._rows("files", [(mark,) for mark in wanted], 1))
        for mark, folder in wanted.items():
            if mark not in found:
                yield in_index("it has no row of a name under files/")
            elif found[mark] != folder:
                yield in_index("its row of a name under files/ is no file's, or no folder's")

    def _compare_names(self, wanted: dict[_Key, Values]) -> Problems:
        found = {row[:3]: row for row in self._rows("names", wanted.keys(), 3)}
        for key, values in wanted.items():
            site, name, slug = key
            row = found.get(key)
            if row is None:
                yield _of((site, slug), f"it has no row of the name {name!r}")
            elif row != values and (not _at_least(row[-1], values[-1]) or row[3] != values[3]):
                yield _of((site, slug), f"its row of the name {name!r} is another")

    def _compare_validators(self, wanted: dict[int, Values]) -> Problems:
        for row in self._rows("validators", [(mark,) for mark in wanted], 1):
            values = wanted[row[0]]
            if row != values and not (_at_least(row[-1], values[-1]) and row[-1] > values[-1]):
                yield in_index("its validators of a URL are not those of the newest answer")


#: Where in a row's values its parts stand: of articles, of representations, of URLs.
_URL, _LAST = 2, 3
_FORMAT = 1
_FILE = 2


def unlike(table: str, found: Row, wanted: Values) -> str | None:
    """Return the first column in which a row of the index is not as it should be."""
    if _VALUES[table](found) == wanted:
        return None
    return _first_other(table, _VALUES[table](found), wanted)


def _first_other(table: str, found: Values, wanted: Values) -> str:
    both = zip(COLUMNS[table], found, wanted, strict=True)
    return next((name for name, value, right in both if value != right), "value")


_VALUES = {table: itemgetter(*columns) for table, columns in COLUMNS.items()}


def _groups(index: Reader, segment: str, part: tuple[int, int] | None) -> Iterator[Row]:
    """Give the rows of a segment's groups by offset; what is no number comes last."""
    wanted, named = _of_part(segment, part)
    both = (index.walk(every, wanted, keys, **named) for every, keys in _PLACES)
    return heapq.merge(*both, key=_place)


def _of_part(segment: str, part: tuple[int, int] | None) -> tuple[list[str], dict[str, object]]:
    if part is None:
        return ["segment = :segment"], {"segment": segment}
    named = {"segment": segment, "from": part[0], "to": part[1]}
    return ["segment = :segment", '"offset" >= :from', '"offset" < :to'], named


_PLACES = (
    ("SELECT * FROM snapshots", ("snapshots.offset", "snapshots.n")),
    ("SELECT * FROM events", ("events.offset", "events.n")),
)


def _place(row: Row) -> tuple[int, int]:
    # SQLite keeps any type in any column.
    offset = row["offset"]
    return (0, offset) if type(offset) is int else (1, 0)


def _newest(rows: dict[Any, Values], key: object, row: Values) -> None:
    known = rows.get(key)
    if known is None or row[-1] >= known[-1]:
        rows[key] = row


def _at_least(seen: object, seen_at: int) -> bool:
    return type(seen) is int and seen >= seen_at


def _of(article: Sequence[Any], why: str) -> Problem:
    """Return what is wrong with the index in an article, given as site, slug and maybe its URL."""
    site, slug, url, *_ = (*article, "", "")
    return in_index(why, site=str(site), slug=str(slug), url=url if isinstance(url, str) else "")
