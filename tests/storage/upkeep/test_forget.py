"""Forgetting: no byte of the article's text is left, all else stands, and it can be killed."""

from __future__ import annotations

from collections.abc import Iterator
from gzip import decompress
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.errors import ArchiveError, BadDraft, NoSuchArticle, StoreFailed
from storage.index.reader import Reader
from storage.notes import Notes
from storage.reindex import reindex
from storage.segments.opening import open_segments
from storage.segments.recovery import Group
from storage.upkeep.forget import forget
from storage.warc_read import read_member
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    copied,
    event,
    hour,
    open_store,
    segments_of,
    stored,
    tree,
)
from tests.storage.killed_rewriting import killed
from tests.storage.upkeep.test_prune import readable
from tests.storage.verify.harming import problems
from tests.storage.verify.mirrors import filled

URL = f"https://{SITE}/news/a1"
#: What is the article's own: its bodies' words, its title.
TEXT = (b"a1 as ", b"The a1")


def bytes_of(root: Path) -> Iterator[tuple[str, bytes]]:
    """Give every byte of a mirror: each file as it is, and what records and bodies decode to."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()
    segments = open_segments(root)
    for name in segments.names():
        data = segments.read(name, 0, segments.size(name) or 0)
        yield name, decompress(data)
        for group in segments.walk(name):
            if isinstance(group, Group):
                yield from ((name, body) for body in bodies(data, group))


def bodies(data: bytes, group: Group) -> Iterator[bytes]:
    records = group.manifest.records
    at = group.offset + group.length - sum(ref.length for ref in records)
    for ref in records:
        body = read_member(data[at : at + ref.length]).body
        yield decompress(body) if body[:2] == b"\x1f\x8b" else body
        at += ref.length


def places_of(root: Path, *texts: bytes) -> list[str]:
    return [name for name, data in bytes_of(root) if any(text in data for text in texts)]


def mirror(root: Path) -> Path:
    filled(root, segment_bytes=6_000)
    (root / "runs").mkdir(exist_ok=True)
    lines = (f'{{"url":"{URL}"}}\n', f'{{"url":"{URL}0"}}\n', '{"message":"The a1 was odd"}\n')
    (root / "runs" / "r.jsonl").write_text("".join(lines))
    (root / "lost" / SITE).mkdir(parents=True)
    segments = open_segments(root)
    name, *_ = segments.names(SITE)
    for group in segments.walk(name):
        if isinstance(group, Group) and group.manifest.slug in ("a0", "a1"):
            torn = segments.read(name, group.offset, group.length - 20)
            (root / "lost" / SITE / f"x.{group.manifest.slug}").write_bytes(torn)
    store = open_store(root, now=hour(6))
    memory = ((SITE, "body https://news.example/feed", '"The a1"'),)
    store.commit([], Notes(at=SEEN, memory=memory))
    store.close()
    return root


def test_no_byte_of_its_text_is_left_anywhere(tmp_path: Path) -> None:
    mirror(tmp_path)
    assert len(places_of(tmp_path, *TEXT)) > 8
    done = forget(tmp_path, "a1", reason="a court asked", now=hour(9))
    assert places_of(tmp_path, *TEXT) == []
    assert (done.groups, done.files, done.lines, done.lost) == (3, 2, 2, 1)


def test_all_else_stands_and_verifies(tmp_path: Path) -> None:
    mirror(tmp_path)
    before, files = readable(tmp_path), tree(tmp_path)
    forget(tmp_path, URL, reason="a court asked", now=hour(9))
    assert readable(tmp_path) == {key: body for key, body in before.items() if key[0] != "a1"}
    assert tree(tmp_path) == {name: body for name, body in files.items() if "/a1" not in name}
    assert problems(tmp_path, deep=True) == []
    reindex(tmp_path, hour(10))
    assert problems(tmp_path) == []
    assert list((tmp_path / "lost" / SITE).iterdir()) == [tmp_path / "lost" / SITE / "x.a0"]
    assert (tmp_path / "runs" / "r.jsonl").read_text() == f'{{"url":"{URL}0"}}\n'


def test_a_tombstone_says_why_and_which_urls_must_not_come_back(tmp_path: Path) -> None:
    mirror(tmp_path)
    forget(tmp_path, "a1", reason="a court asked", now=hour(9))
    for again in range(2):
        with Archive.open(tmp_path) as archive:
            (event,) = archive.events(SITE, "a1")
            assert (event.event, event.detail) == ("forgotten", {"reason": "a court asked"})
            assert event.sequence == 4
            forgotten = archive.forgotten(SITE)
            assert forgotten.keys() >= {URL, f"{URL}.md", "https://news.example/old"}
            assert set(forgotten.values()) == {"a1"}
            assert "a1" not in [row.slug for row in archive.newest_all()]
        if not again:
            reindex(tmp_path, hour(10))


def test_its_sequence_goes_on_behind_the_tombstone(tmp_path: Path) -> None:
    mirror(tmp_path)
    forget(tmp_path, "a1", reason="x", now=hour(9))
    (manifest,) = stored(tmp_path, event("gone-seen", "a1", seen=hour(20)))
    assert manifest.sequence == 5


def test_what_a_run_hands_over_that_had_begun_before_is_refused(tmp_path: Path) -> None:
    mirror(tmp_path)
    forget(tmp_path, "a1", reason="x", now=hour(9))
    with pytest.raises(BadDraft, match="a1 was forgotten"):
        stored(tmp_path, article("a1", seen=hour(20)))
    assert places_of(tmp_path, *TEXT) == []


def test_forgetting_again_does_nothing_more(tmp_path: Path) -> None:
    mirror(tmp_path)
    forget(tmp_path, "a1", reason="a court asked", now=hour(9))
    size = sum(len(path.read_bytes()) for path in segments_of(tmp_path))
    assert forget(tmp_path, "a1", reason="again", now=hour(10)).groups == 0
    assert sum(len(path.read_bytes()) for path in segments_of(tmp_path)) == size


def test_an_article_that_is_not_there_is_the_users_fault(tmp_path: Path) -> None:
    mirror(tmp_path)
    with pytest.raises(NoSuchArticle):
        forget(tmp_path, "nobody", reason="x", now=hour(9))


def test_it_is_not_said_to_be_done_while_somebody_reads_the_index(tmp_path: Path) -> None:
    mirror(tmp_path)
    reader = Reader.to_read(tmp_path)
    reader.hold()
    reader.ask("SELECT count(*) FROM snapshots")
    with pytest.raises(StoreFailed, match="somebody reads the index"):
        forget(tmp_path, "a1", reason="x", now=hour(9))
    reader.close()
    forget(tmp_path, "a1", reason="x", now=hour(9))
    assert places_of(tmp_path, *TEXT) == []


def test_what_others_have_too_is_owed_before_the_first_file_goes(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    kept = {name: body for name, body in tree(tmp_path).items() if "/a." not in name}
    # b's files stand for what bears a's names: they went, and then the command was killed.
    in_the_way = next((tmp_path / "files").rglob("a.md"))
    in_the_way.unlink()
    (in_the_way / "x").mkdir(parents=True)
    for name in kept:
        (tmp_path / "files" / name).unlink()
    with pytest.raises(ArchiveError):
        forget(tmp_path, "a", reason="a court asked", now=hour(9))
    (in_the_way / "x").rmdir()
    in_the_way.rmdir()
    forget(tmp_path, "a", reason="a court asked", now=hour(9))
    open_store(tmp_path).close()
    assert tree(tmp_path) == kept


@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_instant_it_goes_on_when_started_again(part: int, tmp_path: Path) -> None:
    source = mirror(tmp_path / "source")
    whole = copied(source, tmp_path / "whole")
    lines = killed(whole, "forget", 0, hour(9))
    wanted = readable(whole)
    for after in range(1 + part * lines // 4, (part + 1) * lines // 4, max(lines // 12, 1)):
        root = copied(source, tmp_path / str(after))
        killed(root, "forget", after, hour(9))
        stored(root)
        assert problems(root) == [], after
        forget(root, "a1", reason="a court asked", now=hour(10))
        assert readable(root) == wanted
        assert places_of(root, *TEXT) == []
