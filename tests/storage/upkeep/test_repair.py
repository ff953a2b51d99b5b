"""Repair: what is sound stays, what is not is set aside, told of, and owed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from storage.archive import Archive
from storage.model import EntryState, Validator
from storage.notes import Notes
from storage.upkeep.repair import back, repair
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    copied,
    hour,
    keep,
    open_store,
    segments_of,
    stored,
)
from tests.storage.indexes import change, lose, rows
from tests.storage.killed_rewriting import killed
from tests.storage.upkeep.test_prune import readable
from tests.storage.verify.harming import harmed, problems
from tests.storage.verify.mirrors import filled

NOW = hour(99)


def places(root: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Return where each article's first bodies stand, by slug and format, and manifests as ""."""
    bodies = """SELECT slug, format, "offset", length FROM representations
                JOIN articles ON articles.n = article WHERE sequence = 1"""
    groups = "SELECT slug, '' AS format, \"offset\", head FROM snapshots WHERE sequence = 1"
    found = [*rows(root, bodies), *rows(root, groups)]
    return {(slug, name): (offset, length) for slug, name, offset, length in found}


def harm(root: Path, *things: tuple[str, str]) -> None:
    path = segments_of(root)[0]
    data = bytearray(path.read_bytes())
    where = places(root)
    for thing in things:
        offset, length = where[thing]
        data[offset + length // 2] ^= 1
    path.write_bytes(data)


def test_a_sound_mirror_is_left_as_it_is(tmp_path: Path) -> None:
    filled(tmp_path)
    before = [path.read_bytes() for path in segments_of(tmp_path)]
    done = repair(tmp_path, NOW)
    assert (done.segments, done.lost, done.editions, done.left) == (0, (), (), ())
    assert [path.read_bytes() for path in segments_of(tmp_path)] == before
    assert problems(tmp_path) == []


def test_a_damaged_format_goes_missing_and_the_rest_of_its_snapshot_stays(tmp_path: Path) -> None:
    stored(tmp_path, article("one"), article("two"), article("three"))
    before = readable(tmp_path)
    harm(tmp_path, ("two", "html"))
    done = repair(tmp_path, NOW)
    assert problems(tmp_path, deep=True) == []
    del before["two", 1, "html"]
    assert readable(tmp_path) == before
    with Archive.open(tmp_path) as archive:
        (row,) = archive.history(SITE, "two")
        assert (row.state, row.missing) == ("partial", {"html": "its stored bytes were damaged"})
        assert row.title == "The two"
    (edition,) = done.editions
    assert (edition.slug, list(edition.bodies), edition.whole) == ("two", ["html"], False)
    assert done.owed == ((SITE, f"https://{SITE}/", f"https://{SITE}/news/two"),)


def test_a_snapshot_without_its_manifest_goes_and_its_neighbours_stay(tmp_path: Path) -> None:
    stored(tmp_path, article("one"), article("two"), article("three"))
    before = readable(tmp_path)
    harm(tmp_path, ("two", ""))
    done = repair(tmp_path, NOW)
    assert problems(tmp_path) == []
    assert readable(tmp_path) == {key: body for key, body in before.items() if key[0] != "two"}
    assert [(one.slug, one.whole) for one in done.editions] == [("two", True)]


def test_the_damaged_bytes_are_kept_under_lost(tmp_path: Path) -> None:
    stored(tmp_path, article("one"), article("two"))
    offset, length = places(tmp_path)["one", "html"]
    harm(tmp_path, ("one", "html"))
    (path,) = segments_of(tmp_path)
    damaged = path.read_bytes()[offset : offset + length]
    (name,) = repair(tmp_path, NOW).lost
    assert (tmp_path / name).read_bytes() == damaged


def test_what_refers_to_a_lost_body_lacks_it_too(tmp_path: Path) -> None:
    stored(tmp_path, article("one"))
    stored(tmp_path, article("one", seen=hour(1), updated=hour(1), reason="edit"), now=hour(1))
    harm(tmp_path, ("one", "html"))
    done = repair(tmp_path, NOW)
    assert problems(tmp_path) == []
    with Archive.open(tmp_path) as archive:
        assert [row.state for row in archive.history(SITE, "one")] == ["partial", "partial"]
    assert [one.sequence for one in done.editions] == [1, 2]


def test_only_the_index_is_made_again_where_only_it_is_wrong(tmp_path: Path) -> None:
    filled(tmp_path)
    before = readable(tmp_path)
    moved = 'UPDATE snapshots SET "offset" = "offset" + 1 WHERE slug = \'a2\''
    change(tmp_path, moved, "DELETE FROM events")
    done = repair(tmp_path, NOW)
    assert (done.segments, done.lost) == (0, ())
    assert problems(tmp_path) == []
    assert readable(tmp_path) == before


def test_a_segment_cut_short_loses_its_end_alone(tmp_path: Path) -> None:
    stored(tmp_path, article("one"), article("two"))
    (path,) = segments_of(tmp_path)
    path.write_bytes(path.read_bytes()[:-50])
    done = repair(tmp_path, NOW)
    assert problems(tmp_path) == []
    assert {key[0] for key in readable(tmp_path)} == {"one"}
    assert [one.slug for one in done.editions] == ["two"]


def test_a_segment_that_is_gone_is_told_of(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=4_000)
    gone = segments_of(tmp_path)[0]
    gone.unlink()
    done = repair(tmp_path, NOW)
    assert any(gone.name in sentence for sentence in done.left)
    assert done.editions
    assert problems(tmp_path) == []


def test_a_lost_head_is_written_again(tmp_path: Path) -> None:
    stored(tmp_path, article("one"))
    (path,) = segments_of(tmp_path)
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    repair(tmp_path, NOW)
    assert problems(tmp_path) == []
    assert {key[0] for key in readable(tmp_path)} == {"one"}


def test_what_lost_something_is_owed_and_nothing_else(tmp_path: Path) -> None:
    stored(tmp_path, article("one"), article("two"))
    urls = {slug: f"https://{SITE}/news/{slug}" for slug in ("one", "two")}
    entries = tuple(
        EntryState(site=SITE, url=url, verdict="article", slug=slug, checked_at=SEEN, run="r")
        for slug, url in urls.items()
    )
    store = open_store(tmp_path)
    store.commit([], Notes(at=NOW, entries=entries))
    store.close()
    harm(tmp_path, ("two", "markdown"))
    repair(tmp_path, NOW)
    with Archive.open(tmp_path) as archive:
        assert list(archive.entries(SITE)) == [urls["one"]]
        assert list(archive.validators(urls.values())) == [urls["one"]]
        assert all(isinstance(one, Validator) for one in archive.validators(urls.values()).values())


def test_it_is_told_what_came_back(tmp_path: Path) -> None:
    stored(tmp_path, article("one"), article("two"))
    harm(tmp_path, ("one", ""), ("two", ""))
    done = repair(tmp_path, NOW)
    store = open_store(tmp_path, now=NOW)
    keep(store, article("one", seen=NOW))
    store.close()
    again, still = back(tmp_path, done.editions)
    assert ([one.slug for one in again], [one.slug for one in still]) == (["one"], ["two"])


def test_without_an_index_what_is_sound_is_kept_all_the_same(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(5)))
    harm(tmp_path, ("a2", ""))
    lose(tmp_path)
    done = repair(tmp_path, NOW)
    assert done.unknown > 0
    assert {key[0] for key in readable(tmp_path)} == {"a0", "a1", "a3", "a4"}
    assert problems(tmp_path) == []


@pytest.mark.parametrize("seed", range(4))
def test_after_any_harm_the_mirror_is_sound_again(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    for number in range(4):
        root = filled(tmp_path / str(number), segment_bytes=6_000)
        before = readable(root)
        with harmed(root, random) as harm:
            repair(root, NOW)
            assert problems(root) == [], harm.said
            after = readable(root)
            assert after.items() <= before.items(), harm.said
            assert len(after) >= len(before) - 18, harm.said


@pytest.mark.parametrize("part", range(2))
def test_killed_at_any_instant_it_can_be_started_again(part: int, tmp_path: Path) -> None:
    source = tmp_path / "source"
    stored(source, *(article(f"a{n}") for n in range(4)))
    harm(source, ("a1", ""), ("a2", "html"))
    whole = copied(source, tmp_path / "whole")
    lines = killed(whole, "repair", 0, NOW)
    wanted = readable(whole)
    for after in range(1 + part * lines // 2, (part + 1) * lines // 2, max(lines // 10, 1)):
        root = copied(source, tmp_path / str(after))
        killed(root, "repair", after, NOW)
        repair(root, NOW)
        assert problems(root) == [], after
        assert readable(root) == wanted
        assert list((root / "lost").rglob("*.warc.gz.*"))
