"""The tables: what may stand in them once, and what every question is answered by."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, insert, inspect
from sqlalchemy.exc import IntegrityError

from storage.files import Names
from storage.groups import Builder
from storage.index.index import KEYS
from storage.index.rows import Place, rows_of
from storage.index.schema import (
    entries,
    events,
    metadata,
    names,
    representations,
    snapshots,
    validators,
)
from tests.storage.drafts import article, event

PLACE = Place(id="urn:uuid:1", segment="news.example/s-1.warc.gz", offset=0, length=10_000)


@pytest.fixture
def tables() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_rows_of_a_manifest_fill_their_tables_column_by_column() -> None:
    snapshot = rows_of(Builder({}, Names()).build(article()).manifest, PLACE)
    happened = rows_of(Builder({}, Names()).build(event("gone")).manifest, PLACE)
    assert snapshot.snapshot is not None
    assert happened.event is not None
    filled = {
        snapshots: snapshot.snapshot,
        events: happened.event,
        representations: snapshot.representations[0],
        names: snapshot.names[0],
        validators: snapshot.validators[0],
    }
    for table, row in filled.items():
        assert set(row) == {column.name for column in table.columns} - {"n"}


def test_rows_are_written_by_the_primary_keys_of_their_tables() -> None:
    for table, keys in KEYS.items():
        assert keys == tuple(column.name for column in metadata.tables[table].primary_key)


def test_an_articles_sequence_numbers_are_never_given_twice(tables: Connection) -> None:
    snapshot = rows_of(Builder({}, Names()).build(article()).manifest, PLACE).snapshot
    assert snapshot is not None
    tables.execute(insert(snapshots), [snapshot])
    with pytest.raises(IntegrityError):
        tables.execute(insert(snapshots), [snapshot | {"id": "urn:uuid:2"}])


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
    snapshot = rows_of(Builder({}, Names()).build(article()).manifest, PLACE).snapshot
    assert snapshot is not None
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
        ("representations", ["site", "slug", "format", "sequence"]),
        ("representations", ["record_id"]),
        ("representations", ["url", "fetched_at"]),
        ("names", ["name"]),
    ],
)
def test_what_is_looked_up_by_has_an_index(
    tables: Connection, table: str, columns: list[str]
) -> None:
    assert columns in [each["column_names"] for each in inspect(tables).get_indexes(table)]
