"""Questions to the index file: every row once, and only what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import layout
from storage.errors import IndexUnusable, ReadOnly
from storage.index.index import Index
from storage.index.reader import Reader, rows_by

MANY = 2_345


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Reader]:
    layout.make(tmp_path)
    writer = Index.to_write(tmp_path)
    rows = [
        {"site": f"site-{number % 7}", "key": f"{number:05}", "value": str(number)}
        for number in range(MANY)
    ]
    writer.replace("memory", rows)
    writer.close()
    reader = Reader.to_read(tmp_path)
    yield reader
    reader.close()


def test_a_walk_over_many_pages_gives_each_row_once_in_order(index: Reader) -> None:
    rows = list(index.walk("SELECT * FROM memory", [], ("site", "key")))
    assert len(rows) == MANY
    places = [(row["site"], row["key"]) for row in rows]
    assert places == sorted(set(places))


def test_a_walk_gives_only_what_is_wanted(index: Reader) -> None:
    wanted = ["site = :site", "key > :key"]
    rows = index.walk("SELECT * FROM memory", wanted, ("key",), site="site-3", key="01000")
    assert [row["value"] for row in rows] == [str(n) for n in range(1001, MANY) if n % 7 == 3]


def test_a_question_for_one_row_or_number_may_find_none(index: Reader) -> None:
    nothing = "FROM memory WHERE site = 'nowhere'"
    assert index.ask_one("SELECT *", nothing) is None
    assert index.number("SELECT max(length(value))", nothing) == 0
    assert index.number("SELECT count(*) FROM memory") == MANY
    assert index.note("nothing") is None


def test_a_reader_cannot_write(index: Reader) -> None:
    with pytest.raises(ReadOnly, match="while reading the index"):
        index.ask("DELETE FROM memory")


def test_a_question_to_what_is_not_there_says_what_to_run(index: Reader) -> None:
    with pytest.raises(IndexUnusable, match="slugline reindex"):
        index.ask("SELECT * FROM nothing")


pairs = st.tuples(st.sampled_from("abc'\""), st.integers(0, 3))


@given(among=st.lists(pairs, min_size=1, max_size=9), kept=st.lists(pairs, max_size=9))
def test_rows_are_found_by_several_columns_at_once(
    among: list[tuple[str, int]], kept: list[tuple[str, int]]
) -> None:
    index = Index.empty(Path("nowhere"))
    index.replace("memory", [{"site": a, "key": str(b), "value": ""} for a, b in kept])
    asked = {(site, str(key)) for site, key in among}
    rows = index.matching("memory", ("site", "key"), asked, ("site", "key"))
    places = [(row["site"], int(row["key"])) for row in rows]
    assert sorted(places) == sorted(set(kept) & set(among))
    values = index.matching_values("memory", ("site", "key"), asked, ("key", "site"))
    assert sorted((site, int(key)) for key, site in values) == sorted(places)
    index.close()


@pytest.mark.index_file("SQLite's plan of a question")
def test_rows_are_found_by_several_columns_without_a_walk_through_the_table(index: Reader) -> None:
    asked, found = rows_by("memory", ("site", "key"), 2)
    plan = index.ask("EXPLAIN QUERY PLAN", asked.replace("?", "'a'"), "SELECT site", found)
    assert any(row["detail"].startswith("SEARCH memory USING") for row in plan)
