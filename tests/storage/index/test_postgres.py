"""The index in PostgreSQL: several writers at once, lost connections, values that come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from secrets import token_hex
from string import ascii_letters
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from storage import layout
from storage.archive import Archive
from storage.errors import (
    IndexUnusable,
    LockHeld,
    SegmentsGone,
    StoreFailed,
    TakesNoWrites,
    UnusablePlace,
)
from storage.index.database_url import DatabaseUrl
from storage.index.index import Index
from storage.index.packing import packed, unpacked
from storage.index.postgres_spelling import register
from storage.index.reader import Reader
from storage.reindex import reindex
from storage.verify.found import Problem
from storage.verify.whole import Asked, verify
from tests.postgres import Server, own_server
from tests.storage.drafts import SEEN, article, open_store, stored, tree
from tests.storage.index.postgres_mirrors import at_once, mirror, sequences, write


def test_writers_of_one_site_number_its_snapshots_without_gap_or_double(
    tmp_path: Path, database: str
) -> None:
    roots = [mirror(tmp_path / str(number), database) for number in range(4)]
    at_once(*(partial(write, root, ["a.example"], 6, root.name) for root in roots))
    assert sequences(roots[0]) == {"a.example": list(range(1, 25))}


def test_writers_of_several_sites_in_any_order_never_wait_for_ever(
    tmp_path: Path, database: str
) -> None:
    roots = [mirror(tmp_path / str(number), database) for number in range(4)]
    sites = ["a.example", "b.example", "c.example"]
    orders = [sites, sites[::-1], [*sites[1:], sites[0]], sites[:2]]
    each = zip(roots, orders, strict=True)
    at_once(*(partial(write, root, order, 5, root.name) for root, order in each))
    found = sequences(roots[0])
    assert {site: sorted(of) for site, of in found.items()} == {
        "a.example": list(range(1, 21)),
        "b.example": list(range(1, 21)),
        "c.example": list(range(1, 16)),
    }


def test_a_site_that_another_writer_has_is_waited_for_with_patience(
    tmp_path: Path, database: str
) -> None:
    one = Index.to_write(mirror(tmp_path / "one", database))
    two = Index.to_write(mirror(tmp_path / "two", database, patience=0.2))
    waits = pytest.raises(StoreFailed, match="waiting for another writer of the site")
    with one.holding(["a.example", "b.example"]), two.holding(["c.example"]), waits:
        two.holding(["b.example"]).__enter__()
    with two.holding(["b.example"]), one.holding(["a.example"]):
        pass
    one.close()
    two.close()


def test_row_numbers_rise_in_the_order_in_which_rows_are_seen(
    tmp_path: Path, database: str
) -> None:
    roots = [mirror(tmp_path / str(number), database) for number in range(3)]
    Index.to_write(roots[0]).close()
    over = threading.Event()
    seen: list[int] = []

    def follow() -> None:
        index = Reader.to_read(roots[0])
        while not over.is_set() or seen[-1:] != [index.number("SELECT max(n) FROM snapshots")]:
            after = seen[-1] if seen else 0
            rows = index.ask("SELECT n FROM snapshots WHERE n > :after ORDER BY n", after=after)
            seen.extend(row["n"] for row in rows)
        index.close()

    following = threading.Thread(target=follow)
    following.start()
    at_once(*(partial(write, root, [f"{root.name}.example"], 8, "") for root in roots))
    over.set()
    following.join()
    assert len(seen) == len(set(seen)) == 24


def test_a_reader_that_holds_the_index_as_it_was_sees_no_other_one(tmp_path: Path) -> None:
    with own_server() as server:
        root = mirror(tmp_path, server.url(), patience=0.2)
        write(root, ["a.example"], 1, "")
        index = Reader.to_read(root)
        index.hold()
        assert index.number("SELECT count(*) FROM snapshots") == 1
        server.stop(kill=True)
        server.start()
        write(root, ["a.example"], 1, "again")
        for _ in range(2):
            with pytest.raises(StoreFailed, match="failed while reading the index"):
                index.number("SELECT count(*) FROM snapshots")
        index.close()


def test_an_index_is_not_made_anew_while_others_write(tmp_path: Path, database: str) -> None:
    root = mirror(tmp_path / "one", database)
    stored(root, article())
    other = Index.to_write(mirror(tmp_path / "two", database))
    with pytest.raises(LockHeld):
        reindex(root, SEEN)
    other.close()
    assert reindex(root, SEEN).snapshots == 1


def test_readers_go_on_with_an_index_that_was_made_anew(tmp_path: Path, database: str) -> None:
    root = mirror(tmp_path, database)
    stored(root, article())
    index = Reader.to_read(root)
    for _ in range(8):  # often enough for psycopg to prepare it
        assert index.number("SELECT count(*) FROM snapshots") == 1
    reindex(root, SEEN)
    stored(root, article("other"))
    assert index.number("SELECT count(*) FROM snapshots") == 2
    index.close()


@pytest.mark.segment_files("two folders: a bucket is not asked what is in it at each start")
def test_the_index_of_another_folders_segments_is_left_alone(tmp_path: Path, database: str) -> None:
    stored(mirror(tmp_path / "one", database), article())
    with pytest.raises(SegmentsGone, match="lacks 1 of the 1 segments"):
        stored(mirror(tmp_path / "two", database), article("other"))
    assert sequences(tmp_path / "one") == {"news.example": [1]}


def test_a_reader_finds_no_index_where_nothing_was_made(tmp_path: Path, database: str) -> None:
    with pytest.raises(IndexUnusable, match="slugline reindex --mirror"):
        Reader.to_read(mirror(tmp_path, database))


def test_a_database_that_takes_no_writes_now_is_told_and_gone_on_with(
    tmp_path: Path, database: str
) -> None:
    root = mirror(tmp_path, database)
    stored(root, article("a"))
    order = f"ALTER DATABASE {urlsplit(database).path[1:]} SET default_transaction_read_only ="
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"{order} on".encode())
        with pytest.raises(TakesNoWrites, match="takes no writes now, while writing the index"):
            stored(root, article("b"))
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"{order} off".encode())
    stored(root, article("c"))
    with Archive.open(root) as archive:
        assert [row.slug for row in archive.all_history()] == ["a", "b", "c"]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_keeps_every_text_or_is_refused(
    tmp_path: Path, database: str, encoding: str
) -> None:
    name = f"test_{token_hex(8)}"
    with psycopg.connect(database, autocommit=True) as connection:
        made = f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        connection.execute(made.encode())
    parts = urlsplit(database)
    url = parts._replace(path=f"/{name}").geturl()
    try:
        if encoding == "LATIN1":
            with pytest.raises(UnusablePlace, match="its encoding is LATIN1"):
                Index.to_write(mirror(tmp_path, url))
            return
        index = Index.to_write(mirror(tmp_path, url))
        index.set_note("key", "\u0142\u00f3d\u017a \U0001f980")
        assert index.note("key") == "\u0142\u00f3d\u017a \U0001f980"
        index.close()
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_each_folder_that_shares_an_index_has_its_own_files(tmp_path: Path, database: str) -> None:
    one, two = (mirror(tmp_path / name, database) for name in ("one", "two"))
    for root in (one, two):
        place = layout.check(root)
        layout.move(structs.replace(place, segments=f"file://{tmp_path}/objects"))
    (tmp_path / "objects").mkdir()
    stored(one, article("a"))
    stored(two, article("b"))
    assert {name.rpartition("/")[2] for name in tree(two)} == {
        "a.html",
        "a.md",
        "b.html",
        "b.md",
    }
    stored(one)
    assert tree(one).keys() == tree(two).keys()


def test_verify_names_the_database(tmp_path: Path, database: str) -> None:
    root = mirror(tmp_path, database)
    stored(root, article())
    index = Index.to_write(root)
    with index.begin("harming it") as connection:
        connection.execute("UPDATE snapshots SET title = 'another'")
    index.close()
    found = [one for one in verify(root, Asked(since=SEEN)) if isinstance(one, Problem)]
    assert {one.file for one in found} == {DatabaseUrl.parse(layout.check(root).index or "").name}


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


@pytest.fixture(scope="module")
def raw(postgres: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        register(connection)
        yield connection


@given(text=texts | st.binary(min_size=32, max_size=32).map(bytes.hex))
def test_what_is_packed_comes_back(raw: psycopg.Connection[tuple[object, ...]], text: str) -> None:
    short = packed(text)
    row = raw.execute("SELECT x, x = %s FROM (VALUES (%s)) AS a (x)", (short, short)).fetchone()
    assert row is not None
    assert (unpacked(row[0]), row[1]) == (text, True)


def test_other_makes_ids_as_long_as_ours_are_told_apart(
    raw: psycopg.Connection[tuple[object, ...]],
) -> None:
    for length in (0, 14, 15, 16, 30, 31, 32, 33):
        row = raw.execute("SELECT %s", (packed("x" * length),)).fetchone()
        assert row is not None
        assert unpacked(row[0]) == "x" * length


def test_runs_that_begin_in_one_microsecond_have_names_of_their_own(
    tmp_path: Path, database: str
) -> None:
    roots = [mirror(tmp_path / str(number), database) for number in range(3)]
    names: list[str] = []

    def begin(root: Path) -> None:
        store = open_store(root, files=False)
        names.append(store.begin_run("sync", (f"https://{root.name}.example/",), SEEN).id)
        store.close()

    at_once(*(partial(begin, root) for root in roots))
    assert len(set(names)) == 3


def test_texts_and_urls_of_any_length_and_kind_are_kept(tmp_path: Path, database: str) -> None:
    index = Index.to_write(mirror(tmp_path, database))
    random = Random(1)
    url = "https://a.example/" + "".join(random.choices(ascii_letters, k=4_000))
    value = "100 % of :it? 'and' \\x00 \U0010ffff"
    rows = [{"site": "a", "key": key, "value": value} for key in (url, url[:-1])]
    index.replace("memory", rows)
    index.replace("memory", rows)
    found = index.ask("SELECT * FROM memory WHERE key LIKE 'https%' ORDER BY length(key) DESC")
    assert found == rows
    index.replace("memory", [{"site": "b", "key": "nul", "value": "a\0b"}])
    row = index.ask_one("SELECT value FROM memory WHERE site = 'b'")
    assert row == {"value": "a\ufffdb"}
    index.close()
