"""reindex: an archive's index back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.crawler.commands.archives import fill
from tests.crawler.commands.calling import complaint, lines, slugline


def test_reindex_brings_the_index_back(tmp_path: Path) -> None:
    root = tmp_path / "m"
    asyncio.run(fill(root))
    before = slugline("list", "--json", "--canonicals", "--mirror", root).stdout
    for path in root.glob("index.sqlite*"):
        path.unlink()
    assert "reindex" in complaint(slugline("list", "--mirror", root))
    assert slugline("reindex", "--mirror", root).exit_code == 0
    assert slugline("list", "--json", "--canonicals", "--mirror", root).stdout == before


def test_reindex_tells_a_program_what_it_found(tmp_path: Path) -> None:
    root = tmp_path / "m"
    asyncio.run(fill(root))
    (report,) = lines(slugline("reindex", "--mirror", root, "--json"))
    assert report["snapshots"] == 6
