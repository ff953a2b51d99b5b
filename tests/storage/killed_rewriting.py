"""Run a command that rewrites segments in a process of its own, killed at a line of ours.

Run as a program: ROOT, the command (``prune``, ``forget``, ``compact``, ``repair``, ``reindex``, or
``move``: the segments, to the folder that ``bucket`` names) and after how many lines of the modules
that rewrite it is killed; 0: never. Prints how many lines there were.
"""

# ruff: noqa: PLC0415  - only what is run is imported
from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = (
    "upkeep.py",
    "rewriting.py",
    "replacing.py",
    "prune.py",
    "forget.py",
    "compact.py",
    "scrub.py",
    "repair.py",
    "salvage.py",
    "moving.py",
    "leftovers.py",
    "reindex.py",
    "taking_out.py",
)


def bucket(root: Path) -> Path:
    """Return the folder of objects beside a mirror that ``move`` puts its segments into."""
    return root.with_name(f"{root.name}-bucket")


def killed(root: Path, command: str, after: int, now: datetime) -> int:
    """Run ``command`` and return how many lines it ran, or -1 where it was killed."""
    code = [sys.executable, "-m", __name__, str(root), command, str(after), now.isoformat()]
    done = subprocess.run(code, capture_output=True, text=True, check=False)
    if after:
        assert done.returncode == -signal.SIGKILL, done.stderr
        return -1
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[-1])


class _Counter:
    """Counts the lines that run, and kills the process at one of them."""

    def __init__(self, after: int) -> None:
        self.count = 0
        self._after = after

    def __call__(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "call" and Path(frame.f_code.co_filename).name not in _OURS:
            return None
        if event == "line":
            self.count += 1
            if self.count == self._after:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def _run(root: Path, command: str, now: datetime) -> None:
    if command == "prune":
        from storage.upkeep.prune import Policy, prune

        prune(root, Policy(keep_all=timedelta(0), weekly=timedelta(0)), now)
    elif command == "repair":
        from storage.upkeep.repair import repair

        repair(root, now)
    elif command == "compact":
        from storage.upkeep.compact import compact

        compact(root, now)
    elif command == "reindex":
        from storage.reindex import reindex

        reindex(root, now)
    elif command == "move":
        from storage.upkeep.moving import move_segments

        move_segments(root, f"file://{bucket(root)}", now)
    else:
        from storage.upkeep.forget import forget

        forget(root, "a1", reason="a court asked", now=now)


if __name__ == "__main__":
    root, command, after, moment = sys.argv[1:]
    counter = _Counter(int(after))
    sys.settrace(counter)
    _run(Path(root), command, datetime.fromisoformat(moment))
    sys.settrace(None)
    sys.stdout.write(f"{counter.count}\n")
