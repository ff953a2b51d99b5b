"""Starting the processes that read: ahead of a run that may not come, and none left behind."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from crawler.readers.starting import MOST, Started, ahead, start, started

#: Where Linux lists the files that this process has open.
OPEN = Path("/proc/self/fd")


def gone(early: Started) -> bool:
    """Say whether no process of the session that was started lives."""
    try:
        os.killpg(early.first.pid, 0)
    except ProcessLookupError:
        return True
    return False


def open_sockets() -> set[str]:
    """Return the sockets of this process, each by its own number."""
    found = set()
    for each in OPEN.iterdir():
        with suppress(FileNotFoundError):  # the listing's own descriptor is closed by now
            found.add(str(each.readlink()))
    return {name for name in found if name.startswith("socket:")}


@pytest.mark.parametrize("processes", [None, 0, 1, MOST + 1])
def test_one_process_or_a_number_that_settings_refuse_starts_nothing(processes: int | None) -> None:
    with ahead(processes) as early:
        assert early is None


def test_a_run_takes_what_is_on_its_way_and_has_it_to_itself() -> None:
    async def run() -> Started:
        return started(2)

    with ahead(2) as early:
        assert asyncio.run(run()) is early
        others = started(2)
        assert others is not early
        others.kill()
        for line in others.lines:
            line.close()


def test_processes_that_no_run_came_to_use_are_gone() -> None:
    with ahead(2) as early:
        assert early is not None
        assert len(early.lines) == 2
        assert not gone(early)
    assert gone(early)
    assert all(line.talk.fileno() < 0 for line in early.lines)


def test_they_are_gone_where_what_stands_within_fails() -> None:
    seen: list[Started | None] = []
    with pytest.raises(ValueError, match="no such option"):
        _fail_within(seen)
    assert seen[0] is not None
    assert gone(seen[0])


def _fail_within(seen: list[Started | None]) -> None:
    with ahead(2) as early:
        seen.append(early)
        raise ValueError("no such option")


@pytest.mark.skipif(not OPEN.exists(), reason="open files are counted in /proc")
def test_where_the_system_starts_none_no_socket_stays_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "nothing"))
    before = open_sockets()
    with ahead(2) as early:
        assert early is None
    with pytest.raises(FileNotFoundError):
        start(2)
    # Not as many as before: those of earlier tests may be collected meanwhile.
    assert open_sockets() <= before
