"""The index's rows beside the manifests they were made of: what is missing, wrong or too much.

Rows come in the order of the segment, a page of them in memory. What a run noted of its own (a
later sighting of a name, a validator that came with an answer judged equal) is in no manifest, and
passes.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from storage.index.columns import COLUMNS
from storage.index.deriving import Rows
from storage.index.reader import Reader
from storage.index.rows import Row, Values
from storage.segments.names import place_of
from storage.verify.found import Problem, Problems, in_index

#: Groups whose side tables are asked for at once.
_PAGE = 200

_Key = tuple[Any, ...]
#: By site, the scopes that manifests give, each with whether it is a captured original's.
Scopes = dict[str, set[tuple[str, bool]]]


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
        self._waiting: list[Rows] = []

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
        name, scope, implicit = wanted.site
        self._scopes.setdefault(name, set()).add((scope, implicit))
        self._waiting.append(wanted)
        if len(self._waiting) >= _PAGE:
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
            where = place_of(row["segment"], row["offset"])
            article = (row["site"], row["slug"], row["url"])
            yield _of(article, f"it has a row of {where}, where no group begins")
        self._passed.clear()

    def _compare_side(self) -> Problems:
        """Compare what stands in tables beside those of groups; all of it is right, nearly always.

        Hence each is first compared as a whole, and looked at row by row where that fails.
        """
        some, self._waiting = self._waiting, []
        numbers = self._numbers({one.article[:_URL] for one in some})
        yield from self._compare_bodies(some, numbers)
        yield from self._compare_urls(some, numbers)
        yield from self._compare_files(dict(row for one in some for row in one.files))
        yield from self._compare_names(some)
        yield from self._compare_validators(some)

    def _numbers(self, articles: set[_Key]) -> dict[_Key, int]:
        """Return the articles' numbers; one that is not there is told of with the tables."""
        columns = ("n", "site", "slug")
        rows = self._index.matching_values("articles", columns[1:], articles, columns)
        return {(site, slug): number for number, site, slug in rows}

    def _rows(self, table: str, keys: Collection[_Key], by: int) -> Iterator[Values]:
        """Give the rows of a table, in the order of COLUMNS, whose first ``by`` are ``keys``."""
        columns = COLUMNS[table]
        return self._index.matching_values(table, columns[:by], keys, columns)

    def _compare_bodies(self, some: Sequence[Rows], numbers: Mapping[_Key, int]) -> Problems:
        keys = {
            (numbers.get(one.article[:_URL]), one.article[_LAST]): one
            for one in some
            if one.snapshot
        }
        found = list(self._rows("representations", [key for key in keys if key[0] is not None], 2))
        right = {(key[0], *row) for key, one in keys.items() for row in one.representations}
        if len(found) == len(right) and right.issuperset(found):
            return
        wanted = {
            key: {row[_FORMAT]: (key[0], *row) for row in one.representations}
            for key, one in keys.items()
        }
        for row in found:
            article, values = keys[row[:2]].article, wanted[row[:2]].pop(row[2], None)
            if values is None:
                yield _of(article, f"it has a row of a {row[2]} that its manifest has not")
            elif row != values:
                other = _first_other("representations", row, values)
                yield _of(article, f"its row of this {row[2]} has another {other}")
        for key, left in wanted.items():
            for name in left:
                yield _of(keys[key].article, f"it has no row of this {name}")

    def _compare_urls(self, some: Sequence[Rows], numbers: Mapping[_Key, int]) -> Problems:
        asked = {
            (number, row[0], row[1]): (row[2], one.article)
            for one in some
            if (number := numbers.get(one.article[:_URL])) is not None
            for row in one.urls
        }
        found = set(self._rows("urls", asked.keys(), 3))
        if found.issuperset([(*place, file) for place, (file, _) in asked.items()]):
            return
        files = {row[:3]: row[3] for row in found}
        for place, (file, article) in asked.items():
            if place not in files:
                yield _of(article, f"it has no row of the URL of its {place[2]}")
            elif files[place] != file and (file or not isinstance(files[place], str)):
                yield _of(article, f"its row of the URL of its {place[2]} has another file")

    def _compare_files(self, wanted: Mapping[int, bool]) -> Problems:
        found: dict[int, object] = dict(self._rows("files", [(mark,) for mark in wanted], 1))
        if found == wanted:
            return
        for mark, folder in wanted.items():
            if mark not in found:
                yield in_index("it has no row of a name under files/")
            elif found[mark] != folder:
                yield in_index("its row of a name under files/ is no file's, or no folder's")

    def _compare_names(self, some: Sequence[Rows]) -> Problems:
        wanted = _newest((row[:3], row) for one in some for row in one.names)
        found = {row[:3]: row for row in self._rows("names", wanted.keys(), 3)}
        if found == wanted:
            return
        for key, values in wanted.items():
            site, name, slug = key
            row = found.get(key, ())
            if not row:
                yield _of((site, slug), f"it has no row of the name {name!r}")
            elif row != values and (not _at_least(row[-1], values[-1]) or row[3] != values[3]):
                yield _of((site, slug), f"its row of the name {name!r} is another")

    def _compare_validators(self, some: Sequence[Rows]) -> Problems:
        wanted = _newest((row[0], row) for one in some for row in one.validators)
        for row in self._rows("validators", [(mark,) for mark in wanted], 1):
            values = wanted[row[0]]
            if row != values and not (_at_least(row[-1], values[-1]) and row[-1] > values[-1]):
                yield in_index("its validators of a URL are not those of the newest answer")


#: Where in a row's values its parts stand: of articles, of representations.
_URL, _LAST = 2, 3
_FORMAT = 1


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


def _newest(told: Iterable[tuple[Any, Values]]) -> dict[Any, Values]:
    """Return the row of each key that was seen last, of these in the order of the segment."""
    rows: dict[Any, Values] = {}
    for key, row in told:
        known = rows.get(key)
        if known is None or row[-1] >= known[-1]:
            rows[key] = row
    return rows


def _at_least(seen: object, seen_at: int) -> bool:
    return type(seen) is int and seen >= seen_at


def _of(article: Sequence[Any], why: str) -> Problem:
    """Return what is wrong with the index in an article, given as site, slug and maybe its URL."""
    site, slug, url, *_ = (*article, "", "")
    return in_index(why, site=str(site), slug=str(slug), url=url if isinstance(url, str) else "")
