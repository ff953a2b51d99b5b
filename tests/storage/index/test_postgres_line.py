"""The line to PostgreSQL: lost, cut, refused, and waited for with patience."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from storage.errors import StoreFailed
from storage.index.index import Batch, Index
from storage.index.opening import places_of
from storage.index.reader import Reader
from tests.postgres import own_server
from tests.storage.cutting import Line, line_to
from tests.storage.drafts import article
from tests.storage.index.postgres_mirrors import mirror, numbered, sequences, write


@pytest.fixture
def line(database: str) -> Iterator[Line]:
    with line_to(database) as line:
        yield line


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("at", [b"BEGIN", b"INSERT INTO snapshots", b"COMMIT"])
def test_a_batch_whose_connection_is_lost_stands_once(
    tmp_path: Path, line: Line, at: bytes, *, told: bool
) -> None:
    root = mirror(tmp_path, line.url)
    index = Index.to_write(root)
    with index.holding(["a.example"]):
        rows = numbered(index, [article(site="a.example"), article("other", site="a.example")])
        line.cut_at, line.told = at, told
        index.apply(Batch(rows=rows, segments={"a.example/s-1.warc.gz": ("a.example", 9)}))
    assert line.cuts == 1
    index.apply(Batch(rows=numbered(index, [article(site="a.example", edition=" 2")])))
    index.close()
    assert sequences(root) == {"a.example": [1, 1, 2]}


def test_a_question_whose_connection_is_lost_is_asked_again(tmp_path: Path, line: Line) -> None:
    root = mirror(tmp_path, line.url)
    write(root, ["a.example"], 3, "")
    index = Reader.to_read(root)
    line.cut_at = b"count"
    assert index.number("SELECT count(*) FROM snapshots") == 3
    assert line.cuts == 1
    index.close()


def test_a_server_that_restarts_is_waited_for(tmp_path: Path) -> None:
    with own_server() as server:
        root = mirror(tmp_path, server.url())
        index = Index.to_write(root)
        server.stop(kill=True)
        starting = threading.Thread(target=server.start)
        starting.start()
        with index.holding(["a.example"]):
            index.apply(Batch(rows=numbered(index, [article(site="a.example")])))
        starting.join()
        index.close()
        assert sequences(root) == {"a.example": [1]}


def test_patience_ends_and_names_the_database(tmp_path: Path) -> None:
    with own_server() as server:
        root = mirror(tmp_path, server.url(), patience=0.2)
        index = Index.to_write(root)
        rows = numbered(index, [article()])
        server.stop()
        with pytest.raises(StoreFailed, match="schema=news failed while writing the index"):
            index.apply(Batch(rows=rows))
        with pytest.raises(StoreFailed, match="connecting"):
            Reader.to_read(root)
        server.start()
        index.apply(Batch(rows=rows))
        index.close()
        assert sequences(root) == {"news.example": [1]}


def test_a_reader_goes_on_once_a_server_is_back_that_was_away_for_long(tmp_path: Path) -> None:
    with own_server() as server:
        root = mirror(tmp_path, server.url(), patience=0.2)
        write(root, ["a.example"], 2, "")
        index = Reader.to_read(root)
        assert index.number("SELECT count(*) FROM snapshots") == 2
        server.stop()
        for _ in range(2):
            with pytest.raises(StoreFailed, match="failed while reading the index"):
                index.number("SELECT count(*) FROM snapshots")
        server.start()
        assert index.number("SELECT count(*) FROM snapshots") == 2
        index.close()


def test_a_writer_whose_locks_others_took_meanwhile_waits_for_them(tmp_path: Path) -> None:
    with own_server() as server:
        one = Index.to_write(mirror(tmp_path / "one", server.url(), patience=0.2))
        with one.holding(["a.example"]):
            server.stop(kill=True)
            server.start()
            two = Index.to_write(mirror(tmp_path / "two", server.url()))
            with two.holding(["a.example"]):
                for _ in range(2):
                    with pytest.raises(StoreFailed):
                        one.set_note("a", "1")
            one.set_note("a", "2")
            two.close()
        one.close()
        assert sequences(tmp_path / "one") == {}


def test_a_database_that_is_not_there_is_said_at_once(tmp_path: Path, database: str) -> None:
    root = mirror(tmp_path, database.replace("/test_", "/none_"))
    with pytest.raises(StoreFailed, match="does not exist"):
        Index.to_write(root)


_LONG = """
import sys
from pathlib import Path
from storage.index.index import Index
Index.to_write(Path(sys.argv[1])).ask("SELECT 1 AS one FROM pg_sleep(60)")
"""
_ASLEEP = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event = 'PgSleep' AND datname = current_database()
"""


def test_who_is_killed_in_a_long_statement_keeps_no_lock(tmp_path: Path, database: str) -> None:
    root = mirror(tmp_path, database)
    with (
        subprocess.Popen([sys.executable, "-c", _LONG, str(root)]) as process,
        psycopg.connect(database, autocommit=True) as look,
    ):
        while look.execute(_ASLEEP).fetchone() == (0,):
            assert process.poll() is None
        process.kill()
        process.wait()
        Index.to_fill(places_of(root)).abandon()
        assert look.execute(_ASLEEP).fetchone() == (0,)
