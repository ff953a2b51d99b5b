"""What the next run finds of one that was killed: indexed, cut and kept, or damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storage.errors import (
    DamageFound,
)
from storage.index.opening import is_there
from storage.layout import INDEX as FILE_NAME
from tests.storage.drafts import (
    article,
    event,
    hour,
    keep,
    lines,
    open_store,
    segments_of,
    stored,
    tree,
    words,
)
from tests.storage.indexes import kept, lose


@pytest.mark.segment_files("what is safe and not seen is in the spool: test_bucket.py")
def test_what_was_safe_and_not_visible_is_indexed_by_the_next_run(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    set_back = kept(tmp_path)
    stored(tmp_path, article("b"), article("a", edition=" 2", seen=hour(1)), now=hour(1))
    expected = lines(tmp_path)
    set_back(tmp_path)
    shutil.rmtree(tmp_path / "files")
    store = open_store(tmp_path)
    notes = " ".join(store.notes)
    store.close()
    assert "groups that a run had stored" in notes
    assert "plain files" in notes
    assert lines(tmp_path) == expected
    assert tree(tmp_path)["news.example/news/a.html"] == words("a", "html", " 2")


@pytest.mark.segment_files("an object is put whole: no run looks at it, and nothing tears it")
def test_a_torn_write_is_cut_and_kept(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    expected = lines(tmp_path)
    (segment,) = segments_of(tmp_path)
    whole = segment.read_bytes()
    segment.write_bytes(whole + whole[:200])
    store = open_store(tmp_path)
    store.close()
    assert any("went to" in note for note in store.notes)
    assert segment.read_bytes() == whole
    (lost,) = [path for path in (tmp_path / "lost").rglob("*") if path.is_file()]
    assert lost.read_bytes() == whole[:200]
    assert lines(tmp_path) == expected


@pytest.mark.segment_files("an object is put whole: no run looks at it, and nothing tears it")
def test_an_index_that_reaches_past_its_segment_is_made_anew_for_it(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    (segment,) = segments_of(tmp_path)
    older = segment.read_bytes()
    expected = lines(tmp_path)
    store = open_store(tmp_path)
    keep(store, article("b"))
    store.close()
    if len(segments_of(tmp_path)) == 1:
        segment.write_bytes(older)
    else:
        segments_of(tmp_path)[1].unlink()
    store = open_store(tmp_path)
    store.close()
    assert store.notes
    assert lines(tmp_path) == expected


@pytest.mark.segment_files("an object is put whole: no run looks at it, and nothing tears it")
def test_another_segment_in_the_place_of_one_is_indexed_anew(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    stored(one, article("a"))
    stored(two, article("b"))
    expected = lines(two)
    segments_of(one)[0].write_bytes(segments_of(two)[0].read_bytes())
    store = open_store(one)
    store.close()
    assert any("was not as the index had it" in note for note in store.notes)
    assert lines(one) == expected


def test_a_missing_index_is_made_again_and_said(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"), event("gone", "b", seen=hour(1)))
    expected = lines(tmp_path)
    files = tree(tmp_path)
    lose(tmp_path)
    store = open_store(tmp_path)
    store.close()
    assert "missing beside segments" in store.notes[0]
    assert "indexed 2 snapshots and 1 events" in store.notes[1]
    assert lines(tmp_path) == expected
    assert tree(tmp_path) == files


@pytest.mark.index_file("a broken file")
def test_a_broken_index_is_made_again_and_said(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    expected = lines(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"no database at all, not by any means" * 50)
    store = open_store(tmp_path)
    store.close()
    assert "broken" in store.notes[0]
    assert lines(tmp_path) == expected


def test_damage_stops_the_run_and_not_a_byte_is_cut(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"), article("c"))
    (segment,) = segments_of(tmp_path)
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    lose(tmp_path)
    for _ in range(2):
        with pytest.raises(DamageFound):
            open_store(tmp_path)
    assert segment.read_bytes() == data
    assert not (tmp_path / "lost").exists()
    assert not is_there(tmp_path)


@pytest.mark.segment_files("an object is put whole: no run looks at it, and nothing tears it")
def test_a_torn_end_is_not_cut_while_another_segment_is_damaged(tmp_path: Path) -> None:
    stored(tmp_path, article("a", site="a.example"), article("b", site="b.example"))
    first, second = segments_of(tmp_path)
    torn = first.read_bytes() + first.read_bytes()[:100]
    first.write_bytes(torn)
    second.write_bytes(second.read_bytes() + b"not a record" + first.read_bytes())
    with pytest.raises(DamageFound):
        open_store(tmp_path)
    assert first.read_bytes() == torn
