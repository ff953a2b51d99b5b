"""The line to PostgreSQL: lost, cut, refused, and waited for with patience."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from storage import layout
from storage.errors import StoreFailed
from storage.files import Names
from storage.groups import Builder
from storage.index.deriving import Rows, rows_of
from storage.index.index import Batch, Index
from storage.index.reader import Reader
from storage.index.rows import Place
from storage.index.standing import standings
from storage.model import Draft
from tests.postgres import own_server
from tests.storage.cutting import Line, line_to
from tests.storage.drafts import article

SEGMENT = "{site}/s-1.warc.gz"


def mirror(root: Path, url: str, **more: object) -> Path:
    """Make a mirror with its index in the schema ``news`` of a database."""
    asked = "&".join(f"{name}={value}" for name, value in {"schema": "news", **more}.items())
    layout.make(root, index=f"{url}{'&' if '?' in url else '?'}{asked}")
    return root


def numbered(index: Index, drafts: Sequence[Draft]) -> tuple[Rows, ...]:
    """Return the rows of drafts, numbered as the index then stands."""
    builder = Builder(standings(index, drafts), Names())
    made = []
    for draft in drafts:
        group = builder.build(draft)
        segment = SEGMENT.format(site=draft.manifest.site)
        place = Place(id=group.id, segment=segment, offset=0, length=len(group.blob))
        made.append(rows_of(group.manifest, place))
    return tuple(made)


def write(root: Path, sites: Sequence[str], times: int, name: str) -> None:
    index = Index.to_write(root)
    for number in range(times):
        drafts = [article(site=site, edition=f" {name} {number}") for site in sites]
        with index.holding(sites):
            index.apply(Batch(rows=numbered(index, drafts)))
    index.close()


def sequences(root: Path) -> dict[str, list[int]]:
    index = Reader.to_read(root)
    found: dict[str, list[int]] = {}
    for row in index.ask("SELECT site, sequence FROM snapshots ORDER BY n"):
        found.setdefault(row["site"], []).append(row["sequence"])
    index.close()
    return found


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
