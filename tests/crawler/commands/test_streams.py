"""Whatever becomes of the standard streams, a command says so, and a run goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.archive import Archive
from tests.crawler.small_site import SmallSite, article

COMMAND = [sys.executable, "-c", "from crawler.cli import main; main()"]


def shell(redirected: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command with its streams ``redirected`` as a shell writes it."""
    words = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirected}', "sh", *words],
        capture_output=True,
        text=True,
        check=False,
    )


async def test_a_run_goes_on_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    async with SmallSite({"/one": article("One"), "/two": article("Two")}) as site:
        site.list("/one", "/two")
        reader, writer = os.pipe()
        os.close(reader)
        command = [*COMMAND, "mirror", f"{site.base}/", "--into", str(tmp_path), "--rate", "0"]
        done = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=writer
        )
        os.close(writer)
        out, _ = await done.communicate()
    assert done.returncode == 0
    assert b"2 articles" in out
    with Archive.open(tmp_path) as archive:
        assert len(list(archive.newest_all())) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_behind_stdout_is_said(mirror: Path) -> None:
    done = shell(">/dev/full", "list", "--mirror", mirror)
    assert done.returncode == 1
    assert done.stderr == "slugline: the output could not be written: No space left on device\n"


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_nobodys_bug(mirror: Path, closed: str) -> None:
    done = shell(closed, "list", "--mirror", mirror)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))
