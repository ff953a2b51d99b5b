"""Ten rounds of a site that edits, hides edits, reverts, deletes, moves and adds."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import NewsroomServer
from storage.archive import Archive
from storage.index.changes import Asked
from tests.crawler.runs import run

ARTICLES, ROUNDS, EDITS = 50, 10, 5
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)

#: What a round is expected to be told as: pairs of slug and reason or event.
Told = list[tuple[str, str]]


class Editor:
    """Moves a newsroom on, round by round. Mutable: the newsroom, and what it has touched."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        self._random = random.Random(5)
        self._used: set[str] = set()
        self._hidden: list[str] = []
        self._now = NEW_YEAR

    def next_round(self) -> Told:
        """Change the newsroom, and say what happened."""
        self._now += timedelta(days=1)
        room = self.newsroom
        *edited, silent, deleted, moved = self._pick(EDITS + 3)
        told = [(slug, "edit") for slug in edited]
        for number, slug in enumerate(edited):
            room = room.edit(slug, at=self._now + timedelta(seconds=number))
        room = room.edit_silently(silent)
        if self._hidden:
            reverted = self._hidden.pop()
            room = room.revert(reverted)
            told.append((reverted, "reverted"))
        self._hidden.append(silent)
        there = set(room.stories)
        room = room.add()
        (added,) = set(room.stories) - there
        self.newsroom = room.delete(deleted).move(moved, f"{moved}-moved")
        self._used |= {silent, deleted, moved, f"{moved}-moved", added}
        return [
            *told,
            (silent, "silent-edit"),
            (deleted, "gone"),
            (moved, "moved"),
            (added, "first"),
        ]

    def _pick(self, count: int) -> list[str]:
        living = [s for s, story in self.newsroom.stories.items() if story.status == 200]
        return self._random.sample([slug for slug in living if slug not in self._used], count)


def changes_since(root: Path, moment: datetime) -> Told:
    with Archive.open(root) as archive:
        return [(each.row.slug, each.what) for each in archive.changes(Asked(since=moment))]


@pytest.mark.slow
async def test_ten_rounds_are_told_exactly(tmp_path: Path) -> None:
    root = tmp_path / "m"
    async with NewsroomServer(lambda base: Newsroom.create(base, ARTICLES, seed=3)) as server:
        editor = Editor(server.newsroom)
        await run(f"{server.base}/", root)
        for _ in range(ROUNDS):
            expected = editor.next_round()
            server.newsroom = editor.newsroom
            since = datetime.now(UTC)
            # A 404 has to be seen twice: with gone_after = 0 by the very next run.
            await run(f"{server.base}/", root, gone_after=0)
            await run(f"{server.base}/", root, gone_after=0)
            assert sorted(changes_since(root, since)) == sorted(expected)
