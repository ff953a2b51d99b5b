"""Forgotten on one machine: the folders of the others are clean once their next run has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import layout
from storage.errors import ArchiveError
from storage.files import file_name, likely_names
from storage.layout import with_schema
from storage.runlog import path_of
from storage.segments.opening import open_segments
from storage.segments.recovery import Group, Tail
from storage.upkeep.forget import forget
from tests.s3 import BUCKET, S3Server
from tests.storage.drafts import SCOPE, SITE, article, hour, keep, open_store, stored, tree


@pytest.fixture
def machines(tmp_path: Path, database: str, s3: S3Server) -> tuple[Path, Path]:
    """Give the folders of two machines that write one archive."""
    del s3
    one, two = (tmp_path / name for name in ("one", "two"))
    for root in (one, two):
        layout.make(
            root, index=with_schema(database, "shared"), segments=f"s3://{BUCKET}/{tmp_path.name}"
        )
    return one, two


def lose(root: Path) -> Path:
    """Put into lost/ what a machine's recovery does with what others went on with."""
    segments = open_segments(root)
    (name,) = segments.names(SITE)
    with segments.source(name) as source:
        for group in segments.walk(name):
            if isinstance(group, Group):
                segments.keep(source, Tail(offset=group.offset, size=group.length))
    return root / layout.LOST / SITE


def test_files_lost_bytes_and_logs_of_the_other_machine_are_cleaned(
    machines: tuple[Path, Path],
) -> None:
    one, two = machines
    stored(one, article("a"), article("b"))
    stored(two)
    kept = {name: data for name, data in tree(two).items() if "/a." not in name}
    assert (len(tree(two)), len(kept)) == (4, 2)
    lost = lose(two)
    log = path_of(two, "r")
    log.parent.mkdir(exist_ok=True)
    log.write_text(f'{{"url":"{article("a").manifest.url}"}}\n')
    forget(one, "a", reason="a court asked", now=hour(1))
    assert len(tree(two)) == 4
    store = open_store(two)
    store.close()
    assert [note for note in store.notes if "forgotten on another machine" in note] != []
    assert tree(two) == kept
    assert len(list(lost.iterdir())) == 1
    assert log.read_text() == ""


def test_a_worker_that_goes_on_cleans_when_its_next_job_begins(
    machines: tuple[Path, Path],
) -> None:
    one, two = machines
    store = open_store(two)
    keep(store, article("a"), article("b"))
    forget(one, "a", reason="a court asked", now=hour(1))
    before = len(tree(two))
    store.begin_run("worker", (SCOPE,), hour(2))
    assert (before, len(tree(two))) == (4, 2)
    keep(store, article("c", seen=hour(3)))
    store.close()
    assert len(tree(two)) == 4


def test_what_others_have_too_is_owed_before_the_first_file_goes(
    machines: tuple[Path, Path],
) -> None:
    one, two = machines
    stored(one, article("a"), article("b"))
    stored(two)
    kept = {name: data for name, data in tree(two).items() if "/a." not in name}
    # b's files stand for what bears a's names: they went, and then the run was killed.
    forget(one, "a", reason="a court asked", now=hour(1))
    in_the_way = next((two / layout.FILES).rglob("a.md"))
    in_the_way.unlink()
    (in_the_way / "x").mkdir(parents=True)
    for name in kept:
        (two / layout.FILES / name).unlink()
    with pytest.raises(ArchiveError):
        open_store(two)
    (in_the_way / "x").rmdir()
    in_the_way.rmdir()
    open_store(two).close()
    assert tree(two) == kept


def test_what_a_url_may_be_called_has_what_it_is_called() -> None:
    for url in ("https://a.example/", "https://a.example/b/c.pdf", "https://a.example/b?c=1"):
        for name in ("html", "markdown", "text", "json", "jsonld"):
            assert file_name(url, name) in likely_names(url)
    assert file_name("https://a.example/c.pdf", "pdf") in likely_names("https://a.example/c.pdf")
    assert likely_names("no url") == []
