"""The commit and the promise: what is safe, what is visible, what a crash leaves."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from storage.archive import Archive
from storage.errors import (
    BadDraft,
    BadPlace,
    DiskFull,
    LockHeld,
    NewerFormat,
    NotAMirror,
)
from storage.layout import INDEX as FILE_NAME
from storage.model import EntryState, Validator
from storage.notes import Notes
from tests.storage.conftest import ON_POSTGRES
from tests.storage.drafts import (
    SEEN,
    SITE,
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


def test_a_batch_is_visible_with_its_bytes_and_files(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b", coding="gzip"))
    with Archive.open(tmp_path) as archive:
        for slug in ("a", "b"):
            manifest = archive.newest(SITE, slug)
            assert manifest is not None
            assert archive.body(manifest, "html").decoded == words(slug, "html", "")
    assert tree(tmp_path) == {
        "news.example/news/a.html": words("a", "html", ""),
        "news.example/news/a.md": words("a", "markdown", ""),
        "news.example/news/b.html": words("b", "html", ""),
        "news.example/news/b.md": words("b", "markdown", ""),
    }


def test_numbers_go_on_in_the_next_run(tmp_path: Path) -> None:
    stored(tmp_path, article())
    stored(tmp_path, event("gone-seen", seen=hour(1)))
    (made,) = stored(tmp_path, article(edition=" 2", seen=hour(2), reason="silent-edit"))
    assert (made.sequence, made.revision) == (3, 1)
    (again,) = stored(tmp_path, article(seen=hour(3), reason="reverted"))
    assert {ref.type for ref in again.records} == {"revisit"}


def test_a_bad_draft_fails_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    done = store.commit([article("a"), article("b", key=None), article("c")], Notes(at=SEEN))
    store.close()
    assert [isinstance(one, BadDraft) for one in done.outcomes] == [False, True, False]
    assert [line["slug"] for line in lines(tmp_path)] == ["a", "c"]


def test_a_run_that_stores_nothing_writes_no_segment(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.begin_run("mirror", ("https://news.example/",), SEEN)
    store.close()
    assert segments_of(tmp_path) == []
    with Archive.open(tmp_path) as archive:
        assert list(archive.all_history()) == []


def test_notes_are_kept_with_the_batch(tmp_path: Path) -> None:
    entry = EntryState(
        site=SITE,
        url="https://news.example/x",
        verdict="page",
        why="links only",
        lastmod="2026-06-19",
        checked_at=SEEN,
        run="a-run",
    )
    validator = Validator(url=entry.url, etag='"1"', digest="0" * 64)
    store = open_store(tmp_path)
    store.commit([], Notes(at=SEEN, entries=(entry,), validators=(validator,)))
    store.commit([], Notes(at=SEEN, entries=(structs.replace(entry, attempts=2),)))
    store.close()
    with Archive.open(tmp_path) as archive:
        assert archive.entries(SITE) == {entry.url: structs.replace(entry, attempts=2)}
        assert archive.validators([entry.url, "https://nowhere/"]) == {entry.url: validator}


def test_a_second_store_is_refused_and_the_first_one_goes_on(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(LockHeld):
        open_store(tmp_path)
    keep(store, article())
    store.close()
    assert len(lines(tmp_path)) == 1


def test_what_is_no_mirror_is_refused_without_a_file(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(NotAMirror):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_place_where_no_folder_can_be_is_the_users_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadPlace, match="file/m can't be written: no folder can be made there"):
        open_store(tmp_path / "file" / "m")


def test_a_newer_mirror_is_refused_and_its_lock_given_back(tmp_path: Path) -> None:
    (tmp_path / "mirror.json").write_text('{"format": 99}')
    for _ in range(2):
        with pytest.raises(NewerFormat):
            open_store(tmp_path)


def test_a_run_continues_the_unfinished_ones_of_its_scopes(tmp_path: Path) -> None:
    scopes = ("https://a.example/", "https://b.example/")
    found = []
    for number, finished in enumerate([None, False, True, True]):
        store = open_store(tmp_path)
        store.begin_run("mirror", ("https://other.example/",), hour(number + 50))
        run = store.begin_run("mirror", scopes[::-1] if number == 1 else scopes, hour(number))
        found.append(run.continues_since)
        if finished is not None:
            store.finish_run(run, {"snapshots": 1}, finished=finished, now=hour(number + 1))
        store.close()
    assert found == [None, hour(0), hour(0), None]
    with Archive.open(tmp_path) as archive:
        newest = next(run for run in archive.runs() if run.scopes == scopes)
    assert newest.finished
    assert newest.finished_at == hour(4)
    assert newest.summary == {"snapshots": 1}


def test_two_runs_at_one_moment_have_two_names(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    first = store.begin_run("sync", (), SEEN)
    second = store.begin_run("sync", (), SEEN)
    store.close()
    assert first.id == "20260620T120000000000Z"
    assert second.id == "20260620T120000000001Z"
    assert second.started_at == SEEN + timedelta(microseconds=1)


# crashes, as the disk shows them afterwards


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file of this process grow past ``size`` bytes: as a full disk, for large writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_fails_the_batch_and_loses_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path, files=False)
    keep(store, article("a"))
    (segment,) = segments_of(tmp_path)
    before = segment.read_bytes()
    # Coded bodies are stored as they are: 40,000 fit into no 20,000 bytes.
    large = article("large")
    payload = structs.replace(large.payloads[0], body=bytes(range(256)) * 4000)
    payload = structs.replace(payload, headers=(("Content-Encoding", "br"),))
    large = structs.replace(large, payloads=(payload, large.payloads[1]))
    with room_for(500_000), pytest.raises(DiskFull):
        store.commit([article("b"), large], Notes(at=SEEN))
    assert segment.read_bytes() == before
    keep(store, article("b"))
    store.close()
    assert [line["slug"] for line in lines(tmp_path)] == ["a", "b"]
    assert open_close_notes(tmp_path) == ()


def open_close_notes(root: Path) -> tuple[str, ...]:
    store = open_store(root, files=False)
    store.close()
    return store.notes


def test_files_left_out_are_written_by_the_first_run_that_wants_them(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), files=False)
    assert not (tmp_path / "files").exists()
    stored(tmp_path, files=True)
    assert list(tree(tmp_path)) == ["news.example/news/a.html", "news.example/news/a.md"]


@pytest.mark.segment_files("the folder of a mirror that is all in it")
def test_a_clean_close_leaves_the_layout_of_the_contract(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    assert {path.name for path in tmp_path.iterdir()} == {
        "segments",
        *([] if ON_POSTGRES else [FILE_NAME]),
        "files",
        "mirror.json",
        ".lock",
    }


def test_of_what_runs_remember_the_last_word_stands_and_an_empty_one_is_none(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path)
    for memory in (
        ((SITE, "a", "1"), (SITE, "b", "1"), (SITE, "c", "1")),
        ((SITE, "a", "2"), (SITE, "b", "")),
        ((SITE, "c", ""), (SITE, "d", "1"), (SITE, "d", ""), (SITE, "e", ""), (SITE, "e", "1")),
    ):
        store.commit([], Notes(at=SEEN, memory=memory))
    store.close()
    with Archive.open(tmp_path) as archive:
        assert archive.memory(SITE) == {"a": "2", "e": "1"}
