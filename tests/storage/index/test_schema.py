"""The tables: what may stand in them once, and what every question is answered by."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, insert, inspect
from sqlalchemy.exc import IntegrityError

from storage.files import Names
from storage.groups import Builder
from storage.index.columns import COLUMNS
from storage.index.deriving import rows_of
from storage.index.index import KEYS
from storage.index.rows import Place, Row
from storage.index.schema import entries, metadata, snapshots, statements
from storage.index.tables import LATER, TABLES
from tests.storage.drafts import article, event

PLACE = Place(id="urn:uuid:1", segment="news.example/s-1.warc.gz", offset=0, length=10_000)


@pytest.fixture
def tables() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def snapshot_of_an_article() -> Row:
    values = rows_of(Builder({}, Names()).build(article()).manifest, PLACE).snapshot
    assert values is not None
    return dict(zip(COLUMNS["snapshots"], values, strict=True)) | {"id": b"1"}


def test_rows_of_a_manifest_fill_their_tables_column_by_column() -> None:
    snapshot = rows_of(Builder({}, Names()).build(article()).manifest, PLACE)
    happened = rows_of(Builder({}, Names()).build(event("gone")).manifest, PLACE)
    assert snapshot.snapshot is not None
    assert happened.event is not None
    number = (1,)
    filled = {
        "articles": snapshot.article,
        "events": happened.event,
        "files": snapshot.files[0],
        "names": snapshot.names[0],
        "representations": number + snapshot.representations[0],
        "sites": snapshot.site,
        "snapshots": snapshot.snapshot,
        "urls": number + snapshot.urls[0],
        "validators": snapshot.validators[0],
    }
    assert filled.keys() == COLUMNS.keys()
    for name, row in filled.items():
        assert len(row) == len(COLUMNS[name])
        table = metadata.tables[name]
        assert set(COLUMNS[name]) == {column.name for column in table.columns} - {"n"}


def test_an_index_is_made_by_the_statements_that_the_schema_gives() -> None:
    made, later = statements()
    assert [_words(each) for each in TABLES] == [_words(each) for each in made]
    assert [_words(each) for each in LATER] == [_words(each) for each in later]


def _words(statement: str) -> list[str]:
    return re.findall(r"[^\s(),]+|[(),]", statement)


def test_rows_are_written_by_the_primary_keys_of_their_tables() -> None:
    for table, keys in KEYS.items():
        assert keys == tuple(column.name for column in metadata.tables[table].primary_key)


def test_an_articles_sequence_numbers_are_never_given_twice(tables: Connection) -> None:
    snapshot = snapshot_of_an_article()
    tables.execute(insert(snapshots), [snapshot])
    with pytest.raises(IntegrityError):
        tables.execute(insert(snapshots), [snapshot | {"id": b"2"}])


def test_two_sites_may_have_one_slug_and_one_url_of_entries(tables: Connection) -> None:
    row = {
        "site": "a",
        "url": "http://h/x",
        "verdict": "article",
        "slug": "x",
        "why": "",
        "lastmod": "",
        "checked_at": 0,
        "run": "r",
        "attempts": 0,
    }
    tables.execute(insert(entries), [row, row | {"site": "b"}])
    with pytest.raises(IntegrityError):
        tables.execute(insert(entries), [row])


def test_a_moment_far_away_fits_its_column(tables: Connection) -> None:
    snapshot = snapshot_of_an_article()
    # The last microsecond that Python's calendar has, in the year 9999.
    last = 253_402_300_799_999_999
    tables.execute(insert(snapshots), [snapshot | {"updated_at": last}])
    assert tables.execute(snapshots.select()).one().updated_at == last


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("snapshots", ["site", "slug", "sequence"]),
        ("snapshots", ["segment", "offset"]),
        ("snapshots", ["observed_at"]),
        ("events", ["site", "slug", "sequence"]),
        ("articles", ["site", "slug"]),
        ("representations", ["article", "sequence"]),
        ("representations", ["article", "digest"]),
        ("representations", ["record_id"]),
    ],
)
def test_what_is_looked_up_by_has_an_index(
    tables: Connection, table: str, columns: list[str]
) -> None:
    assert columns in [each["column_names"] for each in inspect(tables).get_indexes(table)]
