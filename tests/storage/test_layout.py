"""A folder is a mirror or is not, and says which format it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from storage import layout
from storage.errors import InTheWay, NewerFormat, NotAMirror, UnusablePlace
from storage.layout import Places

DATABASE = "postgresql://db.example/news?schema=news"
BUCKET = "s3://news/archive"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, elsewhere: None) -> None:
    for name in ("SLUGLINE_INDEX", "SLUGLINE_SEGMENTS"):
        monkeypatch.delenv(name, raising=False)


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


def test_an_index_alone_is_told_to_lack_the_rest(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").touch()
    with pytest.raises(NotAMirror, match="from a backup"):
        layout.check(tmp_path)
    with pytest.raises(NotAMirror, match="from a backup"):
        layout.make(tmp_path)


def test_a_lost_mark_is_not_written_where_a_link_leads_elsewhere(tmp_path: Path) -> None:
    root, outside = tmp_path / "m", tmp_path / "outside"
    (outside / "site").mkdir(parents=True)
    (outside / "site" / "a.warc.gz").touch()
    root.mkdir()
    (root / "segments").symlink_to(outside)
    with pytest.raises(InTheWay):
        layout.lost_mark(root)


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


def test_a_mirror_says_where_what_is_not_in_its_folder_is(tmp_path: Path) -> None:
    there = layout.make(tmp_path, DATABASE, BUCKET)
    assert (there.index, there.segments) == (DATABASE, BUCKET)
    assert layout.check(tmp_path) == there
    assert layout.make(tmp_path) == there  # as one that is there


@pytest.mark.segment_files("the folder of a mirror that is all in it")
def test_a_mirror_of_a_folder_alone_names_nothing_else(tmp_path: Path) -> None:
    assert layout.make(tmp_path) == Places(root=tmp_path)
    assert layout.check(tmp_path).local
    assert (tmp_path / "mirror.json").read_text() == '{"format":3,"made_by":"slugline"}'


def test_a_mirror_with_parts_elsewhere_is_refused_by_who_knows_folders_alone(
    tmp_path: Path,
) -> None:
    layout.make(tmp_path, index=DATABASE)
    assert '"format":3' in (tmp_path / "mirror.json").read_text()


def test_a_mirror_is_not_moved_by_making_it(tmp_path: Path) -> None:
    layout.make(tmp_path, index=DATABASE)
    with pytest.raises(UnusablePlace, match="slugline move --index"):
        layout.make(tmp_path, index="postgresql://other.example/news?schema=news")
    layout.move(Places(root=tmp_path, segments=BUCKET))
    assert layout.check(tmp_path) == Places(root=tmp_path, segments=BUCKET)


def test_folders_that_share_an_index_are_told_apart(tmp_path: Path) -> None:
    one, two = (layout.make(tmp_path / name, index=DATABASE) for name in ("one", "two"))
    assert one.folder != two.folder
    assert layout.check(tmp_path / "one").folder == one.folder


def test_a_place_of_ones_own_is_the_same_at_each_try(tmp_path: Path) -> None:
    places = Places(root=tmp_path)
    begun = layout.chosen("segments", "s3://news/", places)
    left = layout.Leftover(what="segments", url=begun)
    assert layout.chosen("segments", "s3://news/", structs.replace(places, left=left)) == begun
    there = structs.replace(places, segments=begun)
    assert layout.chosen("segments", "s3://news/", there) == begun
    assert layout.chosen("segments", "s3://news/", places) != begun
    url = "postgresql://db/news"
    left = layout.Leftover(what="index", url=layout.chosen("index", url, places))
    assert layout.chosen("index", url, structs.replace(places, left=left)) == left.url


def test_a_port_that_is_none_is_said_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(UnusablePlace, match="0-65535") as refused:
        layout.make(tmp_path, index="postgresql://me:hunter2@db.example:99999/news")
    assert "hunter2" not in str(refused.value)


def test_an_index_that_names_no_schema_has_one_of_its_own(tmp_path: Path) -> None:
    url = "postgresql://db.example/news?sslmode=require"
    one, two = (layout.make(tmp_path / name, index=url).index for name in ("one", "two"))
    assert one is not None
    assert one.startswith(f"{url}&schema=mirror_")
    assert one != two
    assert layout.check(tmp_path / "one").index == one


@pytest.mark.segment_files("the folder of a mirror that is all in it")
def test_a_mirror_that_is_there_may_be_asked_for_as_it_was_made(tmp_path: Path) -> None:
    asked = {"index": "postgresql://db.example/news", "segments": "s3://news/all/"}
    made = layout.make(tmp_path, **asked)
    assert layout.make(tmp_path, **asked) == made
    assert layout.make(tmp_path, segments=made.segments) == made
    with pytest.raises(UnusablePlace, match="slugline move --segments"):
        layout.make(tmp_path, segments="s3://news/other/")


@pytest.mark.segment_files("the folder of a mirror that is all in it")
def test_a_new_mirror_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.make(tmp_path / "old")
    monkeypatch.setenv("SLUGLINE_INDEX", DATABASE)
    monkeypatch.setenv("SLUGLINE_SEGMENTS", BUCKET)
    there = layout.make(tmp_path / "new")
    assert (there.index, there.segments) == (DATABASE, BUCKET)
    assert layout.make(tmp_path / "old").local


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://news:hunter2@db.example/news",
        "postgresql://db.example/news?password=hunter2",
        "postgresql://news:@db.example/news",
        "postgresql://db.example/news?sslpassword=hunter2",
    ],
)
def test_no_password_stands_in_a_mirror(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnusablePlace, match="PGPASSWORD") as refused:
        layout.make(tmp_path, index=url)
    assert "hunter2" not in str(refused.value)
    (tmp_path / "mirror.json").write_text(f'{{"format": 2, "index": "{url}"}}')
    with pytest.raises(UnusablePlace, match="PGPASSWORD"):
        layout.check(tmp_path)


@pytest.mark.parametrize("url", ["mysql://db.example/news", "index.sqlite", "postgresql://[::1"])
def test_an_index_of_another_kind_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnusablePlace, match="index"):
        layout.make(tmp_path, index=url)


@pytest.mark.parametrize("url", ["https://bucket.example", "s3://key:secret@bucket", "/segments"])
def test_segments_of_another_kind_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnusablePlace, match="segments") as refused:
        layout.make(tmp_path, segments=url)
    assert "secret" not in str(refused.value)
