"""Pruning: what a policy keeps, what stays whatever it says, and that killing it harms nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.index.reader import Reader
from storage.reindex import reindex
from storage.upkeep.prune import Policy, prunable, prune
from tests.storage.drafts import (
    SEEN,
    article,
    copied,
    event,
    hour,
    keep,
    open_store,
    segments_of,
    stored,
)
from tests.storage.killed_rewriting import killed
from tests.storage.verify.harming import problems

NOW = SEEN + timedelta(days=1000)
NOTHING_KEPT = Policy(keep_all=timedelta(0), weekly=timedelta(0))


def history(root: Path, days: list[float], *, segment_bytes: int = 3_000) -> Path:
    """Store an article's edits on these days, all but the second's html another each time."""
    for number, day in enumerate(days):
        store = open_store(root, now=SEEN + timedelta(days=day), segment_bytes=segment_bytes)
        when = SEEN + timedelta(days=day)
        keep(store, article(edition=f" {number}", seen=when, updated=when, formats=("markdown",)))
        store.close()
    return root


def left(root: Path, slug: str = "story") -> list[int]:
    with Archive.open(root) as archive:
        ((site, name),) = archive.resolve(slug)
        return [row.sequence for row in archive.history(site, name)]


def readable(root: Path) -> dict[tuple[str, int, str], bytes]:
    """Return every stored body by article, sequence and format."""
    with Archive.open(root) as archive:
        return {
            (row.slug, row.sequence, name): archive.body(archive.manifest(row), name).decoded
            for row in archive.all_history(canonicals=True)
            for name in row.formats
        }


def test_all_of_the_last_days_then_one_a_week_then_one_a_month(tmp_path: Path) -> None:
    # 1,000 days on: two within 10 days, three within 100 in two weeks, the others older.
    history(tmp_path, [0, 1, 2, 40, 905, 906, 920, 995, 996])
    policy = Policy(keep_all=timedelta(days=10), weekly=timedelta(days=100))
    before = readable(tmp_path)
    done = prune(tmp_path, policy, NOW)
    # The first stays as the archive's own, the last of each week or month as its own.
    assert left(tmp_path) == [1, 3, 4, 6, 7, 8, 9]
    assert done.snapshots == 2
    after = readable(tmp_path)
    assert after == {key: body for key, body in before.items() if key in after}
    assert problems(tmp_path) == []


def test_a_dry_look_changes_nothing(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3])
    index = Reader.to_read(tmp_path)
    assert [row.sequence for row in prunable(index, NOTHING_KEPT, NOW)] == [2, 3]
    index.close()
    assert left(tmp_path) == [1, 2, 3, 4]


def test_the_newest_stays_and_so_does_a_body_that_is_referred_to(tmp_path: Path) -> None:
    stored(tmp_path, article("other"))
    stored(tmp_path, article("story"))
    stored(tmp_path, article("story", updated=hour(1), seen=hour(800), reason="edit"))
    stored(tmp_path, article("story", edition=" 2", updated=hour(2), seen=hour(801), reason="edit"))
    late = article("story", edition=" 2", updated=hour(3), seen=hour(1600), reason="edit")
    stored(tmp_path, late)
    prune(tmp_path, NOTHING_KEPT, NOW)
    # A month's last and the newest are kept: the first for its month, the third for its month and
    # for the newest, which has no bodies of its own; the second goes.
    assert left(tmp_path) == [1, 3, 4]
    assert problems(tmp_path, deep=True) == []


def test_events_stay(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2])
    store = open_store(tmp_path, now=hour(99))
    keep(store, event("gone-seen", seen=hour(99)), event("gone", seen=hour(199)))
    store.close()
    prune(tmp_path, NOTHING_KEPT, NOW)
    with Archive.open(tmp_path) as archive:
        assert [one.event for one in archive.events("news.example", "story")] == [
            "gone-seen",
            "gone",
        ]
    assert left(tmp_path) == [1, 3]


def test_a_pruned_index_is_the_one_that_a_reindex_makes(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 40, 41])
    prune(tmp_path, NOTHING_KEPT, NOW)
    before = left(tmp_path)
    reindex(tmp_path, NOW)
    assert left(tmp_path) == before
    assert problems(tmp_path) == []


def test_a_segment_left_without_a_group_is_gone(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3], segment_bytes=1)
    assert len(segments_of(tmp_path)) == 4
    prune(tmp_path, NOTHING_KEPT, NOW)
    assert len(segments_of(tmp_path)) == 2


def test_revisions_go_on_counting_after_some_were_pruned(tmp_path: Path) -> None:
    for number in range(4):
        stored(tmp_path, article(edition=str(number), seen=hour(number), reason="silent-edit"))
    prune(tmp_path, NOTHING_KEPT, NOW)
    (manifest,) = stored(tmp_path, article(edition="9", seen=hour(9), reason="silent-edit"))
    assert (manifest.revision, manifest.sequence) == (4, 5)


def test_pruning_twice_does_nothing_more(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3])
    prune(tmp_path, NOTHING_KEPT, NOW)
    assert prune(tmp_path, NOTHING_KEPT, NOW).snapshots == 0


@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_instant_nothing_kept_is_lost_and_it_can_be_started_again(
    part: int, tmp_path: Path
) -> None:
    source = history(tmp_path / "source", [0, 1, 2, 40, 41], segment_bytes=6_000)
    whole = copied(source, tmp_path / "whole")
    lines = killed(whole, "prune", 0, NOW)
    wanted = readable(whole)
    for after in range(1 + part * lines // 4, (part + 1) * lines // 4, max(lines // 12, 1)):
        root = copied(source, tmp_path / str(after))
        killed(root, "prune", after, NOW)
        stored(root)  # what the next run does first
        assert problems(root) == [], after
        assert readable(root).items() >= wanted.items()
        prune(root, NOTHING_KEPT, NOW)
        assert readable(root) == wanted
        assert not list((root / "segments").glob("*/.*"))
