"""One writer: the second is told at once who is at work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storage.errors import LockHeld, NotAMirror
from storage.lock import WriterLock, read_holder
from tests.storage.drafts import SEEN

HOLD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from storage.lock import WriterLock
with WriterLock(Path(sys.argv[1]), datetime(2026, 6, 19, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_the_first_ones_process_and_start(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockHeld) as caught:
            WriterLock(tmp_path, SEEN).take()
        assert caught.value.pid == holder.pid
        assert caught.value.started == "2026-06-19T00:00:00Z"
        # A killed holder needs no takeover: the system has released its lock.
        holder.kill()
        holder.wait()
    with WriterLock(tmp_path, SEEN):
        found = read_holder(tmp_path)
        assert found is not None
        assert found.pid == os.getpid()


def test_the_lock_is_free_again_after_release(tmp_path: Path) -> None:
    for _ in range(2):
        with WriterLock(tmp_path, SEEN), pytest.raises(LockHeld):
            WriterLock(tmp_path, SEEN).take()


def test_an_empty_lock_file_names_nobody(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    assert read_holder(tmp_path) is None


def test_a_folder_that_is_not_there_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotAMirror, match="no such folder"):
        WriterLock(tmp_path / "nowhere", SEEN).take()
    assert list(tmp_path.iterdir()) == []
