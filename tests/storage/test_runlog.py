"""The run log: a line an event, all of them there after the end."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from storage.errors import StoreFailed
from storage.runlog import RunLog, path_of


class Seen(Struct, frozen=True, tag="seen"):
    url: str


async def test_every_event_is_a_line_in_order(tmp_path: Path) -> None:
    async with RunLog(tmp_path, "a-run") as log:
        for number in range(2_000):
            log.note(Seen(url=f"https://x/{number}"))
    lines = path_of(tmp_path, "a-run").read_bytes().splitlines()
    assert [msgspec.json.decode(line) for line in lines] == [
        {"type": "seen", "url": f"https://x/{number}"} for number in range(2_000)
    ]
    assert path_of(tmp_path, "a-run") == tmp_path / "runs" / "a-run.jsonl"


async def test_an_error_inside_still_leaves_its_lines(tmp_path: Path) -> None:
    async def run() -> None:
        async with RunLog(tmp_path, "a-run") as log:
            log.note(Seen(url="https://x/"))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await run()
    assert path_of(tmp_path, "a-run").read_bytes() == b'{"type":"seen","url":"https://x/"}\n'


async def test_a_log_that_can_not_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(StoreFailed, match="run log"):
        await RunLog(tmp_path, "a-run").__aenter__()
