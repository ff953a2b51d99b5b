"""Segments that are gone: nobody makes an index that knows nothing of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.errors import SegmentsGone
from storage.index.index import Index
from storage.index.replacing import announce
from storage.reindex import reindex
from storage.upkeep.repair import repair
from tests.storage.drafts import SEEN, SITE, article, open_store, segments_of, stored
from tests.storage.indexes import lose, rows
from tests.storage.verify.mirrors import filled

_ROWS = "SELECT slug, sequence FROM snapshots ORDER BY n"
_of_a_folder = pytest.mark.segment_files("a bucket is not asked what is in it at each start")


@_of_a_folder
def test_neither_reader_nor_run_takes_a_lost_folder_for_an_empty_one(tmp_path: Path) -> None:
    stored(tmp_path, article())
    shutil.rmtree(tmp_path / "segments")
    with pytest.raises(SegmentsGone, match="lacks 1 of the 1 segments"):
        Archive.open(tmp_path)
    with pytest.raises(SegmentsGone):
        open_store(tmp_path)
    assert rows(tmp_path, _ROWS) == [("story", 1)]


def test_no_index_is_made_that_knows_nothing_of_a_segment_that_is_gone(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=4_000)
    before = rows(tmp_path, _ROWS)
    gone = segments_of(tmp_path)[0]
    gone.unlink()
    with pytest.raises(SegmentsGone, match=r"Nothing was changed.*verify --repair") as caught:
        reindex(tmp_path, SEEN)
    assert caught.value.gone == (f"{SITE}/{gone.name}",)
    assert caught.value.exit_code == 4
    assert rows(tmp_path, _ROWS) == before


def test_what_a_killed_command_was_taking_out_may_be_gone(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=4_000)
    gone = segments_of(tmp_path)[0]
    index = Index.to_write(tmp_path)
    announce(index, [f"{SITE}/{gone.name}"])
    index.close()
    gone.unlink()
    assert reindex(tmp_path, SEEN).segments == len(segments_of(tmp_path))


@pytest.mark.index_file("a database is no file that may be copied")
@_of_a_folder
def test_another_mirrors_index_is_made_again(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    stored(one, article())
    stored(two, article("other"), now=SEEN.replace(year=2030))
    lose(one)
    shutil.copy(two / "index.sqlite", one)
    assert reindex(one, SEEN).snapshots == 1
    assert rows(one, _ROWS) == [("story", 1)]


@_of_a_folder
def test_a_repair_asks_for_what_all_the_lost_segments_held(tmp_path: Path) -> None:
    stored(tmp_path, article())
    shutil.rmtree(tmp_path / "segments")
    done = repair(tmp_path, SEEN)
    assert done.owed == ((SITE, f"https://{SITE}/", f"https://{SITE}/news/story"),)
