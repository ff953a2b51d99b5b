"""move: there and back, its words, its JSON, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.crawler.commands.calling import complaint, slugline
from tests.storage.drafts import article, segment_files, stored


def test_segments_move_there_and_back(tmp_path: Path) -> None:
    root, place = tmp_path / "m", f"file://{tmp_path}/objects"
    stored(root, article())
    before = [path.read_bytes() for path in segment_files(root)]
    done = slugline("move", "--segments", place, "--mirror", root)
    assert done.stdout.startswith("1 segment, ")
    assert done.stdout.endswith(f", moved to {place}\n")
    assert segment_files(root) == []
    shown = slugline("show", "story", "--format", "markdown", "--mirror", root)
    assert shown.stdout.startswith("story as markdown")
    assert slugline("verify", "--mirror", root).exit_code == 0
    back = slugline("move", "--segments", "here", "--mirror", root, "--json")
    assert msgspec.json.decode(back.stdout)["to"] is None
    assert [path.read_bytes() for path in segment_files(root)] == before


def test_where_to_has_to_be_said(tmp_path: Path) -> None:
    stored(tmp_path, article())
    assert "where to?" in complaint(slugline("move", "--mirror", tmp_path))


def test_a_url_with_a_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    stored(tmp_path, article())
    wanted = ("--segments", "s3://key:secret@bucket/x")
    said = complaint(slugline("move", *wanted, "--mirror", tmp_path))
    assert "no password may stand in it" in said
    assert "secret" not in said.replace("no password", "")


def test_the_index_moves_there_and_back(tmp_path: Path, database: str) -> None:
    stored(tmp_path, article())
    before = slugline("log", "story", "--json", "--mirror", tmp_path).stdout
    done = slugline("move", "--index", f"{database}&schema=news", "--mirror", tmp_path)
    moved = "the index of 1 snapshot and 0 events, moved to postgresql://"
    assert done.stdout.startswith(moved)
    assert not (tmp_path / "index.sqlite").exists()
    assert slugline("log", "story", "--json", "--mirror", tmp_path).stdout == before
    assert slugline("verify", "--mirror", tmp_path).exit_code == 0
    back = slugline("move", "--index", "here", "--mirror", tmp_path, "--json")
    assert msgspec.json.decode(back.stdout) == {"to": None, "snapshots": 1, "events": 0}
    assert (tmp_path / "index.sqlite").exists()
    assert slugline("log", "story", "--json", "--mirror", tmp_path).stdout == before
