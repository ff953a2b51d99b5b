"""Taking an article out of what lies beside the archive: files, run logs, lost bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs

from storage.scrub import pattern, scrub_files, scrub_lost, scrub_runs
from storage.upkeep.trace import Trace, trace
from tests.storage.drafts import SITE, article, stored
from tests.storage.segment_samples import group

URL = f"https://{SITE}/news/story"


@pytest.fixture
def gone(tmp_path: Path) -> Trace:
    """Return what there is of one of two articles."""
    stored(tmp_path, article(), article("other"))
    return trace(tmp_path, "story")


def test_the_articles_files_go_and_no_others(tmp_path: Path, gone: Trace) -> None:
    assert scrub_files(tmp_path, gone) == 2
    left = [path.name for path in (tmp_path / "files").rglob("*") if path.is_file()]
    assert sorted(left) == ["other.html", "other.md"]
    assert scrub_files(tmp_path, gone) == 0


def test_folders_that_are_left_empty_go_too(tmp_path: Path) -> None:
    stored(tmp_path, article())
    scrub_files(tmp_path, trace(tmp_path, "story"))
    assert list((tmp_path / "files").iterdir()) == []


def test_nothing_is_removed_where_a_link_leads_out_of_the_mirror(
    tmp_path: Path, gone: Trace
) -> None:
    folder = tmp_path / "files" / SITE / "news"
    outside = tmp_path / "outside"
    folder.rename(outside)
    folder.symlink_to(outside)
    assert scrub_files(tmp_path, gone) == 0
    assert len(list(outside.iterdir())) == 4


def test_lines_of_run_logs_that_tell_of_it_go(tmp_path: Path, gone: Trace) -> None:
    runs = tmp_path / "runs"
    runs.mkdir(exist_ok=True)
    lines = [
        {"type": "stored", "url": URL},
        {"type": "stored", "url": f"{URL}-two"},
        {"type": "note", "message": f"{URL}: it is odd"},
        {"type": "note", "message": "The story is told"},
        {"type": "note", "message": "nothing of it"},
    ]
    (runs / "1.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (runs / "2.jsonl").write_text("{}\n")
    assert scrub_runs(tmp_path, gone) == 3
    left = [json.loads(line) for line in (runs / "1.jsonl").read_text().splitlines()]
    assert left == [lines[1], lines[4]]
    assert sorted(path.name for path in runs.iterdir()) == ["1.jsonl", "2.jsonl"]


def test_lost_bytes_that_hold_it_go_whole_or_torn(tmp_path: Path, gone: Trace) -> None:
    lost = tmp_path / "lost" / SITE
    lost.mkdir(parents=True)
    ours = structs.replace(gone, urls=("https://example.org/a1",), words=())
    (lost / "whole").write_bytes(group(1))
    (lost / "torn").write_bytes(group(1)[:-20])
    (lost / "behind").write_bytes(b"rubbish" * 9 + group(1))
    (lost / "others").write_bytes(group(2))
    (lost / "link").symlink_to(lost / "others")
    assert scrub_lost(tmp_path, ours) == 3
    assert sorted(path.name for path in lost.iterdir()) == ["link", "others"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"see {URL}, there", True),
        (f'"{URL}"', True),
        (f"{URL}/more", False),
        (f"{URL}-two", False),
        (json.dumps({"title": "The story"}), True),
        ("another story", False),
    ],
)
def test_a_text_about_it_has_its_url_or_its_title(gone: Trace, text: str, found: bool) -> None:
    assert bool(pattern(gone).search(text.encode())) is found


def test_an_article_without_any_name_is_in_no_text(gone: Trace) -> None:
    nothing = structs.replace(gone, urls=(), words=())
    assert not pattern(nothing).search(b"anything at all")
