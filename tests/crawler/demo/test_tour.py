"""The demo: two mirrors, a history, a difference, and commands that work on what it leaves."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from crawler.demo import run_demo
from storage.archive import Archive


async def test_the_tour_shows_both_edits_and_leaves_a_mirror(tmp_path: Path) -> None:
    screen = io.StringIO()
    root = tmp_path / "demo mirror"
    code = await run_demo(root, Console(file=screen, width=120, _environ={}))
    told = screen.getvalue()
    assert code == 0, told
    assert "12 new snapshots, 0 unchanged" in told
    assert "2 new snapshots, 10 unchanged" in told
    assert "silent-edit" in told
    assert "+**Correction 1**" in told
    assert f"--mirror '{root}'" in told
    with Archive.open(root) as archive:
        reasons = sorted(row.reason for row in archive.all_history())
    assert reasons == ["edit", *["first"] * 12, "silent-edit"]


class Interrupting(io.StringIO):
    """A screen at whose words ``at`` the reader has had enough. State: ``task``, what is ended."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at
        self.task: asyncio.Task[int] | None = None

    def write(self, text: str) -> int:
        if self.task is not None and self.at in text:
            self.task.cancel()
        return super().write(text)


@pytest.mark.parametrize("there", [True, False])
async def test_a_tour_that_was_interrupted_is_not_in_the_next_ones_way(
    there: bool, tmp_path: Path
) -> None:
    root = tmp_path / "demo"
    if there:
        root.mkdir()
    screen = Interrupting("Now the newsroom edits")
    console = Console(file=screen, width=120, _environ={})
    screen.task = asyncio.create_task(run_demo(root, console))
    with pytest.raises(asyncio.CancelledError):
        await screen.task
    assert "12 new snapshots" in screen.getvalue()
    assert root.exists() is there
    assert await run_demo(root, Console(file=io.StringIO(), width=120, _environ={})) == 0


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    screen = io.StringIO()
    (tmp_path / "mine").write_text("x")
    assert asyncio.run(run_demo(tmp_path, Console(file=screen, width=200, _environ={}))) == 2
    assert "is not empty" in screen.getvalue()
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
