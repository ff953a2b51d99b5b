"""The index from the segments, whole: the same lines, no byte changed, and damage said."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from storage import layout
from storage.archive import Archive
from storage.errors import DamageFound, LockHeld, NotAMirror
from storage.index.reader import Reader
from storage.layout import INDEX as FILE_NAME
from storage.reindex import reindex
from tests.storage.conftest import ON_POSTGRES
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    event,
    hour,
    open_store,
    segments_of,
    stored,
    write_segment,
)
from tests.storage.indexes import lose, rows


def lines(root: Path) -> list[dict[str, object]]:
    with Archive.open(root) as archive:
        return [row.as_log() for row in (*archive.newest_all(), *archive.all_history())]


def test_lists_are_as_before_line_for_line(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"), article("a", edition=" 2", seen=hour(1)))
    # The clock was set back: a later segment has an earlier name.
    stored(tmp_path, article("b", edition=" 2", seen=hour(-3)), now=hour(-3))
    stored(tmp_path, event("gone", "b", seen=hour(2)), now=hour(2))
    expected = lines(tmp_path)
    assert [line.get("gone_at") for line in expected] == [
        None,
        "2026-06-20T14:00:00Z",
        None,
        None,
        None,
        None,
    ]
    before = [path.read_bytes() for path in segments_of(tmp_path)]
    lose(tmp_path)
    report = reindex(tmp_path, SEEN)
    assert (report.snapshots, report.events, report.torn) == (4, 1, ())
    assert lines(tmp_path) == expected
    assert [path.read_bytes() for path in segments_of(tmp_path)] == before


def test_what_runs_remember_is_taken_over_from_an_index_that_is_there(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.begin_run("mirror", ("https://news.example/",), SEEN)
    store.close()
    stored(tmp_path, article())
    assert reindex(tmp_path, SEEN).state_kept
    with Archive.open(tmp_path) as archive:
        assert [run.id for run in archive.runs()] == ["20260620T120000000000Z"]


def test_what_is_lost_with_the_index_is_said(tmp_path: Path) -> None:
    stored(tmp_path, article())
    lose(tmp_path)
    report = reindex(tmp_path, SEEN)
    assert not report.state_kept
    assert any("is lost" in sentence for sentence in report.sentences())


def test_aliases_of_events_come_back(tmp_path: Path) -> None:
    moved = event("moved", detail={"to": "https://news.example/new", "slug": "new"}, seen=hour(1))
    stored(tmp_path, article(), moved)
    lose(tmp_path)
    reindex(tmp_path, SEEN)
    with Archive.open(tmp_path) as archive:
        assert archive.find("new") == (SITE, "story")
        assert archive.find("https://news.example/new") == (SITE, "story")


@pytest.mark.parametrize("part", [4, 2])
def test_one_flipped_bit_is_damage_and_not_a_byte_is_cut(tmp_path: Path, part: int) -> None:
    stored(tmp_path, *(article(f"s{number}") for number in range(8)))
    (segment,) = segments_of(tmp_path)
    data = bytearray(segment.read_bytes())
    data[len(data) // part] ^= 0x10
    segment.write_bytes(data)
    old = rows(tmp_path, "SELECT * FROM snapshots ORDER BY n")
    with pytest.raises(DamageFound) as caught:
        reindex(tmp_path, SEEN)
    assert caught.value.exit_code == 4
    assert segment.read_bytes() == data
    assert rows(tmp_path, "SELECT * FROM snapshots ORDER BY n") == old
    assert {path.name for path in tmp_path.iterdir()} - {"segments", "spool"} == {
        *([] if ON_POSTGRES else [FILE_NAME]),
        "files",
        "mirror.json",
        ".lock",
    }


def test_a_torn_end_is_left_to_the_next_run_and_said(tmp_path: Path) -> None:
    stored(tmp_path, article())
    (segment,) = segments_of(tmp_path)
    torn = segment.read_bytes() + segment.read_bytes()[:64]
    segment.write_bytes(torn)
    report = reindex(tmp_path, SEEN)
    assert report.torn == (f"{SITE}/{segment.name}",)
    assert any("unfinished write" in sentence for sentence in report.sentences())
    assert segment.read_bytes() == torn


def test_a_segment_that_is_there_twice_is_damage(tmp_path: Path) -> None:
    stored(tmp_path, article())
    (segment,) = segments_of(tmp_path)
    again = segment.name.replace("-1", "-2", 1)
    write_segment(tmp_path, f"{SITE}/{again}", segment.read_bytes())
    with pytest.raises(DamageFound, match="twice") as caught:
        reindex(tmp_path, SEEN)
    assert "repair" not in str(caught.value)


def test_a_running_writer_keeps_reindex_out(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(LockHeld):
        reindex(tmp_path, SEEN)
    store.close()


def test_what_is_no_mirror_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotAMirror):
        reindex(tmp_path, SEEN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.segment_files("mirror.json alone names a bucket")
@pytest.mark.index_file("mirror.json alone names a database")
def test_a_lost_mark_is_written_anew_beside_segments(tmp_path: Path) -> None:
    stored(tmp_path, article())
    expected = lines(tmp_path)
    (tmp_path / layout.MARK).unlink()
    with pytest.raises(NotAMirror, match=r"beside segments: .*slugline reindex --mirror"):
        Archive.open(tmp_path)
    with pytest.raises(NotAMirror, match="slugline reindex"):
        open_store(tmp_path)
    report = reindex(tmp_path, SEEN)
    assert report.state_kept
    assert report.sentences()[0] == "mirror.json was gone, and is written anew"
    assert lines(tmp_path) == expected


@pytest.mark.segment_files("a bucket has none to be copied")
@pytest.mark.index_file("a database is no file that may be copied")
def test_a_backup_is_a_mirror(tmp_path: Path) -> None:
    """As the README has it."""
    root, copy = tmp_path / "m", tmp_path / "copy"
    stored(root, article())
    copy.mkdir()
    for name in ("mirror.json", "index.sqlite"):
        shutil.copy(root / name, copy)
    stored(root, article("later"), now=hour(1))
    shutil.copytree(root / "segments", copy / "segments")
    stored(copy)
    assert lines(copy) == lines(root)


# stopped before the new index stands

_REINDEX = """
import signal, sys
from datetime import datetime
from pathlib import Path
from storage.reindex import reindex
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
reindex(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
"""
_WAITS = """
    SELECT count(*) FROM pg_locks, pg_sleep(0.02) WHERE NOT granted
      AND relation = 'news.snapshots'::regclass
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'news%' ORDER BY nspname"


def in_postgres(root: Path, database: str) -> Path:
    layout.make(root, index=layout.with_schema(database, "news"))
    stored(root, article())
    return root


@contextmanager
def about_to_be_put_in_place(root: Path, database: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a reindex that has filled the new index, and waits for who reads the old one."""
    call = [sys.executable, "-c", _REINDEX, str(root), SEEN.isoformat()]
    with psycopg.connect(database) as reader, psycopg.connect(database, autocommit=True) as look:
        reader.execute("SELECT 1 FROM news.snapshots")
        with subprocess.Popen(call, stderr=subprocess.PIPE) as process:
            while look.execute(_WAITS).fetchone() == (0,):
                assert process.poll() is None
            yield process


def schemas(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        return [name for (name,) in connection.execute(_SCHEMAS)]


def test_interrupted_it_leaves_the_old_index_and_nothing_else(
    tmp_path: Path, database: str
) -> None:
    root = in_postgres(tmp_path, database)
    expected = lines(root)
    with about_to_be_put_in_place(root, database) as process:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert schemas(database) == ["news"]
    assert lines(root) == expected


def test_killed_it_leaves_what_the_next_one_drops(tmp_path: Path, database: str) -> None:
    root = in_postgres(tmp_path, database)
    expected = lines(root)
    with about_to_be_put_in_place(root, database) as process:
        process.kill()
    assert "news_new" in schemas(database)
    assert lines(root) == expected
    reindex(root, SEEN)
    assert schemas(database) == ["news"]
    assert lines(root) == expected


def test_a_run_begins_while_somebody_reads_the_new_index(tmp_path: Path) -> None:
    stored(tmp_path, article())
    reindex(tmp_path, SEEN)
    reader = Reader.to_read(tmp_path)
    try:
        reader.hold()
        assert reader.number("SELECT count(*) FROM snapshots") == 1
        stored(tmp_path, article("other"))
        assert reader.number("SELECT count(*) FROM snapshots") == 1
    finally:
        reader.close()
