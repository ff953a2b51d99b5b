"""What rewrites segments: alone with the mirror, and only what the index knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from storage.archive import Archive
from storage.errors import DamageFound, LockHeld
from storage.index.replacing import Gap
from storage.upkeep.rewriting import Upkeep
from tests.storage.drafts import SITE, article, hour, keep, open_store, segments_of, stored
from tests.storage.indexes import lose
from tests.storage.verify.harming import problems


def gap_of(root: Path, slug: str) -> tuple[str, Gap]:
    """Return where an article's newest snapshot stands."""
    with Archive.open(root) as archive:
        *_, row = archive.history(SITE, slug)
    return row.segment, Gap(offset=row.offset, length=row.length)


def test_nobody_else_writes_meanwhile(tmp_path: Path) -> None:
    stored(tmp_path, article())
    with Upkeep(tmp_path, hour(1)), pytest.raises(LockHeld), Upkeep(tmp_path, hour(2)):
        pass


def test_an_index_that_is_lost_is_made_again_first(tmp_path: Path) -> None:
    stored(tmp_path, article())
    lose(tmp_path)
    with Upkeep(tmp_path, hour(1)) as upkeep:
        assert any("1 snapshot" in note for note in upkeep.notes)
    assert problems(tmp_path) == []


def test_a_group_is_taken_out_and_all_else_stays(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    name, gap = gap_of(tmp_path, "a")
    before = sum(len(each.read_bytes()) for each in segments_of(tmp_path))
    with Upkeep(tmp_path, hour(1)) as upkeep:
        assert upkeep.drop(name, [gap]) == gap.length
    assert sum(len(each.read_bytes()) for each in segments_of(tmp_path)) == before - gap.length
    with Archive.open(tmp_path) as archive:
        assert [row.slug for row in archive.newest_all()] == ["b"]
    assert problems(tmp_path) == []


def test_what_is_not_as_the_index_says_is_left_as_it_is(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    name, gap = gap_of(tmp_path, "a")
    before = [each.read_bytes() for each in segments_of(tmp_path)]
    with Upkeep(tmp_path, hour(1)) as upkeep:
        with pytest.raises(DamageFound, match="not as long as the index says"):
            upkeep.drop(f"{SITE}/20200101T000000000000Z-1.warc.gz", [gap])
        with pytest.raises(DamageFound, match="the index has another group"):
            upkeep.drop(name, [structs.replace(gap, length=gap.length - 1)])
        with pytest.raises(DamageFound, match="is not as the index says"):
            upkeep.join(name, [f"{SITE}/20200101T000000000000Z-1.warc.gz"])
    assert [each.read_bytes() for each in segments_of(tmp_path)] == before
    assert problems(tmp_path) == []


def test_joined_segments_are_one_behind_the_other(tmp_path: Path) -> None:
    for number, slug in enumerate("ab"):
        store = open_store(tmp_path, now=hour(number), segment_bytes=1)
        keep(store, article(slug))
        store.close()
    names = [gap_of(tmp_path, slug)[0] for slug in "ab"]
    data = b"".join(each.read_bytes() for each in segments_of(tmp_path))
    with Upkeep(tmp_path, hour(2)) as upkeep:
        upkeep.join(names[0], names[1:])
    (left,) = segments_of(tmp_path)
    assert left.read_bytes() == data
    assert problems(tmp_path) == []
