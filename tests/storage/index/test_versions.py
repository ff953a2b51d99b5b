"""One article's snapshots, a part at a time."""

from __future__ import annotations

from pathlib import Path

from storage.archive import Archive
from storage.index import versions
from tests.storage.drafts import SITE, UPDATED, article, event, hour, stored


def test_a_history_is_read_in_parts_newest_first(tmp_path: Path) -> None:
    stored(tmp_path, *(article(edition=str(n), seen=hour(n)) for n in range(4)))
    with Archive.open(tmp_path) as archive:
        index, name = archive.index, (SITE, "story")
        rows = versions.latest(index, *name, 2, None, private=False)
        assert [row.sequence for row in rows] == [4, 3]
        rest = versions.latest(index, *name, 9, 3, private=False)
        assert [row.sequence for row in rest] == [2, 1]
        assert versions.count(index, *name, private=False) == 4
        before, after = versions.beside(index, rest[0], private=False)
        assert before is not None
        assert after is not None
        assert (before.sequence, after.sequence) == (1, 3)
        found = versions.by_key(index, *name, UPDATED, 2, private=False)
        assert found is not None
        assert found.sequence == 3
        assert versions.by_key(index, *name, UPDATED, 9, private=False) is None


def test_the_newest_of_some_articles_come_in_their_order_with_gone_at(tmp_path: Path) -> None:
    hidden = article("b", edition="!", seen=hour(1), private=True)
    stored(tmp_path, article("a"), article("b"), hidden, article("c", private=True))
    stored(tmp_path, event("gone", "a", seen=hour(2)))
    with Archive.open(tmp_path) as archive:
        names = [(SITE, slug) for slug in ("c", "b", "none", "a")]
        open_ones = versions.newest_of(archive.index, names, private=False)
        assert [(row.slug, row.sequence, row.gone_at) for row in open_ones] == [
            ("b", 1, None), ("a", 1, hour(2)),
        ]  # fmt: skip
        every = versions.newest_of(archive.index, names, private=True)
        assert [(row.slug, row.sequence) for row in every] == [("c", 1), ("b", 2), ("a", 1)]
