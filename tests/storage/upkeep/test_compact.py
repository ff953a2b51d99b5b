"""Compacting: fewer segments, the same archive, at any instant."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.reindex import reindex
from storage.upkeep.compact import compact, joinable
from tests.storage.drafts import copied, hour, segments_of, stored
from tests.storage.killed_rewriting import killed
from tests.storage.upkeep.test_prune import NOW, history, readable
from tests.storage.verify.harming import problems
from tests.storage.verify.mirrors import filled


def test_small_segments_become_one_and_the_newest_is_left(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=4_000)
    before, bodies = len(segments_of(tmp_path)), readable(tmp_path)
    done = compact(tmp_path, hour(9))
    assert (done.before, done.after) == (before, 3)
    assert len(segments_of(tmp_path)) == 3
    assert readable(tmp_path) == bodies
    assert problems(tmp_path) == []
    reindex(tmp_path, hour(10))
    assert readable(tmp_path) == bodies


def test_neighbours_are_joined_up_to_the_size_of_a_segment() -> None:
    sizes = {f"a/20260101T000000000000Z-{n}.warc.gz": 40 for n in range(1, 7)}
    assert [len(run) for run in joinable(sizes, 100)] == [2, 2]
    assert joinable(sizes, 50) == []
    assert joinable({}, 100) == []


@pytest.mark.parametrize("part", range(2))
def test_killed_at_any_instant_nothing_is_lost_or_double(part: int, tmp_path: Path) -> None:
    source = history(tmp_path / "source", [0, 1, 2, 40, 41], segment_bytes=1)
    whole = copied(source, tmp_path / "whole")
    lines = killed(whole, "compact", 0, NOW)
    wanted = readable(source)
    for after in range(1 + part * lines // 2, (part + 1) * lines // 2, max(lines // 10, 1)):
        root = copied(source, tmp_path / str(after))
        killed(root, "compact", after, NOW)
        stored(root)
        assert problems(root) == [], after
        assert readable(root) == wanted
        compact(root, NOW)
        assert len(segments_of(root)) == 2
