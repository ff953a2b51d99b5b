"""What runs remember in the index: entries, validators, runs; and what is no such value."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage.errors import IndexLies
from storage.index.remembered import all_runs, site_entries, stored_validators
from storage.model import EntryState, Validator
from storage.notes import Notes
from tests.storage.drafts import (
    SEEN,
    SITE,
    hour,
    open_store,
)
from tests.storage.index.made import asking

URL = f"https://{SITE}/news/story"


def test_entries_and_validators_come_back_as_they_were_noted(tmp_path: Path) -> None:
    entry = EntryState(
        site=SITE,
        url=URL,
        verdict="failed",
        slug="story",
        why="no answer",
        lastmod="2026-06",
        checked_at=hour(1),
        run="r",
        attempts=2,
    )
    urls = [f"https://{SITE}/{number}" for number in range(600)]
    validators = tuple(Validator(url=url, etag=f'"{url}"', digest="d") for url in urls)
    store = open_store(tmp_path)
    store.commit([], Notes(at=SEEN, entries=(entry,), validators=validators))
    store.close()
    with asking(tmp_path) as index:
        assert site_entries(index, SITE) == {URL: entry}
        found = stored_validators(index, [*urls, "https://x/"])
    assert found == {one.url: one for one in validators}


def test_runs_are_listed_newest_first_with_how_they_ended(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    first = store.begin_run("mirror", ("a",), hour(0))
    store.finish_run(first, {"snapshots": 3}, finished=True, now=hour(1))
    store.begin_run("sync", ("b",), hour(2))
    store.close()
    with asking(tmp_path) as index:
        newest, oldest = all_runs(index)
    assert (newest.command, newest.finished, newest.finished_at) == ("sync", False, None)
    assert (oldest.scopes, oldest.finished, oldest.summary) == (("a",), True, {"snapshots": 3})


@pytest.mark.index_file("SQLite keeps any value in any column")
@pytest.mark.parametrize("column", ["scopes", "started_at", "finished_at", "summary"])
def test_a_run_that_is_no_value_is_the_indexs_lie(column: str, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.begin_run("sync", (SITE,), SEEN)
    store.close()
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute(f"UPDATE runs SET {column} = 'zz{{'")
    connection.close()
    with asking(tmp_path) as index, pytest.raises(IndexLies, match="its runs"):
        all_runs(index)


@pytest.mark.index_file("SQLite keeps any value in any column")
@pytest.mark.parametrize("column", ["checked_at", "verified_at", "attempts", "verdict"])
def test_an_entry_that_is_no_value_is_the_indexs_lie(column: str, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    entry = EntryState(
        site=SITE, url=URL, verdict="article", checked_at=SEEN, run="a-run", verified_at=SEEN
    )
    store.commit([], Notes(at=SEEN, entries=(entry,)))
    store.close()
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute(f"UPDATE entries SET {column} = 'zz{{'")
    connection.close()
    with asking(tmp_path) as index, pytest.raises(IndexLies, match="its entries"):
        site_entries(index, SITE)
