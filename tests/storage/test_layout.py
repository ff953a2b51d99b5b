"""A folder is a mirror or is not, and says which format it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import layout
from storage.errors import NewerFormat, NotAMirror


def test_a_new_folder_becomes_a_mirror(tmp_path: Path) -> None:
    root = tmp_path / "above" / "mirror"
    layout.make(root)
    layout.check(root)
    assert [path.name for path in root.iterdir()] == ["mirror.json"]


def test_making_a_mirror_twice_changes_nothing(tmp_path: Path) -> None:
    layout.make(tmp_path)
    before = (tmp_path / "mirror.json").stat()
    layout.make(tmp_path)
    assert (tmp_path / "mirror.json").stat() == before


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(NotAMirror, match="choose a new folder"):
        layout.make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_run_killed_at_its_start_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    (tmp_path / ".mirror.json.part").write_text("{")
    layout.make(tmp_path)
    layout.check(tmp_path)


def test_a_newer_format_is_refused_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "mirror.json").write_text('{"format": 99, "made_by": "slugline"}')
    with pytest.raises(NewerFormat, match="format version 99"):
        layout.check(tmp_path)
    with pytest.raises(NewerFormat):
        layout.make(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"format": "one"}', "\x00"])
def test_a_mark_that_is_none_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "mirror.json").write_text(text)
    with pytest.raises(NotAMirror, match="can't be read"):
        layout.check(tmp_path)


def test_a_folder_that_is_not_there_or_none_is_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(NotAMirror, match="no such folder"):
        layout.check(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(NotAMirror, match="not a folder"):
        layout.may_make(tmp_path / "file")
    with pytest.raises(NotAMirror, match=r"no mirror\.json"):
        layout.check(tmp_path)
