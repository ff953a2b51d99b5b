"""What others count in the place of goes out of objects: last of all, and killed at any instant."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.archive import Archive
from storage.errors import SegmentsAway
from storage.index.opening import places_of
from storage.reindex import rebuild_at, reindex
from storage.taking_out import take_out
from tests.s3 import BUCKET, S3Server
from tests.storage.drafts import SEEN, SITE, article, copied, event, hour, segments_of, stored
from tests.storage.killed_rewriting import killed
from tests.storage.segments.spools import orphaned
from tests.storage.upkeep.test_prune import readable
from tests.storage.verify.harming import problems


@pytest.fixture(autouse=True)
def in_bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every mirror of these tests in a bucket."""
    del s3
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"s3://{BUCKET}/")


def overtaken(root: Path) -> Path:
    """Make a mirror in whose bucket a dead writer left what another one went on with.

    Between what is overtaken, and behind it, stands what counts.
    """
    stored(root, article("a"), files=False)
    drafts = [article("a", edition=f" lost {n}", seen=hour(n)) for n in (1, 2)]
    orphaned(root, drafts[0], article("b"), drafts[1], article("c", seen=hour(2)), article("d"))
    again = article("a", edition=" 2", seen=hour(3), reason="edit")
    stored(root, again, event("gone-seen", "c", seen=hour(3)), files=False, now=hour(-1))
    return root


def lists(root: Path) -> list[tuple[str, int]]:
    with Archive.open(root) as archive:
        return sorted((row.slug, row.sequence) for row in archive.all_history())


@pytest.mark.parametrize("part", range(2))
def test_killed_at_any_instant_nothing_is_lost_and_the_next_try_works(
    tmp_path: Path, part: int
) -> None:
    source = overtaken(tmp_path / "source")
    whole = copied(source, tmp_path / "whole")
    lines = killed(whole, "reindex", 0, hour(9))
    wanted, lost = readable(whole), lost_of(whole)
    assert lists(whole) == [("a", 1), ("a", 2), ("b", 1), ("d", 1)]
    assert len(lost) == 3
    for after in range(1 + part * lines // 2, (part + 1) * lines // 2, max(lines // 12, 1)):
        root = copied(source, tmp_path / str(after))
        killed(root, "reindex", after, hour(9))
        stored(root, files=False)
        assert readable(root).items() <= wanted.items()
        reindex(root, hour(9))
        assert (problems(root), lost_of(root)) == ([], lost), after
        assert (readable(root), lists(root)) == (wanted, lists(whole))


def lost_of(root: Path) -> set[str]:
    return {path.name for path in (root / "lost" / SITE).glob("*")}


def test_no_object_changes_before_an_index_stands_without_what_goes(tmp_path: Path) -> None:
    root = overtaken(tmp_path)
    before = {segment.name: segment.read_bytes() for segment in segments_of(root)}
    report = rebuild_at(places_of(root))
    assert len(report.left_out.lost) == 3
    assert {segment.name: segment.read_bytes() for segment in segments_of(root)} == before
    assert lists(root) == [("a", 1), ("a", 2), ("b", 1), ("d", 1)]
    readable(root)


def test_a_bucket_that_is_away_then_is_said_and_the_next_try_works(
    tmp_path: Path, s3: S3Server
) -> None:
    root = overtaken(tmp_path)
    report = rebuild_at(places_of(root))
    s3.stop()
    try:
        with pytest.raises(SegmentsAway):
            take_out(places_of(root), report.left_out)
    finally:
        s3.start()
    assert len(reindex(root, SEEN).overtaken) == 1
    assert (problems(root), len(lost_of(root))) == ([], 3)
