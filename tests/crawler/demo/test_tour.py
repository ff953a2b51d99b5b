"""The demo: two mirrors, a history, a difference, and commands that work on what it leaves."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

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


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    screen = io.StringIO()
    (tmp_path / "mine").write_text("x")
    assert asyncio.run(run_demo(tmp_path, Console(file=screen, width=200, _environ={}))) == 2
    assert "is not empty" in screen.getvalue()
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
