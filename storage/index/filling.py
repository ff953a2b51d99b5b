"""An index that is filled from segments, before anybody reads it.

What many groups of an article tell again (its standing, URLs, files, names, validators) waits in
memory, told once, and goes into its table in the order of the table's keys. What comes out is what
index.py writes group by group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from msgspec import Struct, field, structs

from storage.index.columns import COLUMNS
from storage.index.database import Insert
from storage.index.deriving import Rows
from storage.index.index import (
    ARTICLE_STANDS,
    IF_NAMED,
    IF_NEW,
    Batch,
    Index,
    add,
    add_groups,
    add_sites,
    keep_newest,
)
from storage.index.rows import Values

_ADD_NUMBERED = Insert("articles", ("n", *COLUMNS["articles"]), ARTICLE_STANDS)
#: Where in a row of an article its number, and what its standing is made of, are.
_NUMBER, _URL, _LAST, _NEWEST, _PLACED = 0, 3, 4, 5, 6
#: Where in a row of a URL its file is.
_FILE = 3


class _Waiting(Struct):
    """Rows by what is told once; all are gathered here, so that all is mutable.

    ``articles`` have their number first, and are by site and slug; ``urls`` by all but the file.
    """

    articles: dict[Values, Values] = field(default_factory=dict)
    urls: dict[Values, Values] = field(default_factory=dict)
    files: dict[int, Values] = field(default_factory=dict)
    names: dict[Values, Values] = field(default_factory=dict)
    validators: dict[int, Values] = field(default_factory=dict)

    def count(self) -> int:
        """Return how many rows wait."""
        shared = len(self.files) + len(self.names) + len(self.validators)
        return len(self.articles) + len(self.urls) + shared

    def take(self, one: Rows, number: int) -> None:
        """Add what a group tells of its article, which has this number."""
        key = one.article[:2]
        known = self.articles.get(key)
        told = (number, *one.article)
        self.articles[key] = told if known is None else _standing(known, told)
        urls, files = self.urls, self.files
        for mark, name, file in one.urls:
            url = (mark, name, number)
            told_before = urls.get(url)
            if told_before is None or not told_before[_FILE]:
                urls[url] = (number, mark, name, file)
        for row in one.files:
            if row[0] not in files:
                files[row[0]] = row
        for row in one.names:
            _keep_newer(self.names, row[:3], row)
        for row in one.validators:
            _keep_newer(self.validators, row[0], row)


class Filling(Index):
    """An index to be filled. State: what waits, the last number that an article was given.

    ``_written`` tells that something has waited long enough: there are articles in the table.
    """

    #: What one statement takes of their snapshots, and so few that their rows are still in the
    #: processor's cache when they are written.
    page = 64
    #: Rows that wait, what ten thousand articles with four formats tell: some 60 MB.
    most_waiting = 200_000

    def __init__(self, *args: Any) -> None:
        """Use ``to_fill`` instead."""
        super().__init__(*args)
        self._waiting = _Waiting()
        self._last = 0
        self._written = False

    def apply(self, batch: Batch) -> None:
        """Add a batch: its groups at once, what is told again and again when all of it is known."""
        numbers = list(self._numbers(batch.rows))
        with self.begin("writing the index") as connection:
            add_sites(connection, batch.rows)
            add_groups(connection, batch.rows, numbers)
        if self._waiting.count() > self.most_waiting:
            self.write()
        super().apply(structs.replace(batch, rows=()))

    def put_in_place(self) -> None:
        """Write what waits, close the index and have it be the mirror's."""
        self.write()
        super().put_in_place()

    def _numbers(self, rows: Sequence[Rows]) -> Iterator[int]:
        """Take what groups tell of their articles, and give each one's number."""
        known = self._stored(rows)
        for one in rows:
            key = one.article[:2]
            waits = self._waiting.articles.get(key)
            number = waits[_NUMBER] if waits else known.get(key)
            if number is None:
                number = self._last = self._last + 1
            self._waiting.take(one, number)
            yield number

    def _stored(self, rows: Sequence[Rows]) -> dict[Values, int]:
        """Return the numbers of articles that do not wait and were written before."""
        if not self._written:
            return {}
        asked = {one.article[:2] for one in rows} - self._waiting.articles.keys()
        found = self.matching("articles", ("site", "slug"), asked, ("n", "site", "slug"))
        return {(row["site"], row["slug"]): row["n"] for row in found}

    def write(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, _Waiting()
        with self.begin("writing the index") as connection:
            connection.insert(_ADD_NUMBERED, sorted(waiting.articles.values(), key=_BY_NAME))
            add(connection, "urls", sorted(waiting.urls.values(), key=_BY_MARK), IF_NAMED)
            add(connection, "files", sorted(waiting.files.values(), key=_BY_FIRST), IF_NEW)
            keep_newest(connection, "names", sorted(waiting.names.values()))
            validators = sorted(waiting.validators.values(), key=_BY_FIRST)
            keep_newest(connection, "validators", validators)
        self._written = True


def _standing(known: Values, told: Values) -> Values:
    """Return an article's row after one more group, as ARTICLE_STANDS makes it."""
    number, site, slug, url, last, newest, placed = known
    if told[_PLACED] > placed or (not told[_PLACED] and not placed and told[_LAST] >= last):
        url = told[_URL]
    return (
        number,
        site,
        slug,
        url,
        max(last, told[_LAST]),
        max(newest, told[_NEWEST]),
        max(placed, told[_PLACED]),
    )


def _keep_newer(rows: dict[Any, Values], key: object, row: Values) -> None:
    known = rows.get(key)
    if known is None or row[-1] >= known[-1]:
        rows[key] = row


#: The order of a table's key, as far as it decides where a row goes: of articles (site and slug),
#: of URLs, and of what has its mark first.
_BY_NAME, _BY_MARK, _BY_FIRST = itemgetter(1, 2), itemgetter(1), itemgetter(0)
