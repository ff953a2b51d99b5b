"""Starts ``slugline`` again and again: a process that has everything imported, and forks.

A run is a process of its own with its own memory, working directory, environment and output, as a
user's is; only the second that Python takes to import is paid once, not 150 times. Read: a JSON
line a job on stdin. Written on stdout: the run's process id, then, at its end, its exit code and
its peak memory in MiB (wait4(2)), a JSON line each.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
import tempfile
from typing import Any

import crawler.commands.mirror
import crawler.commands.request
import crawler.commands.running  # noqa: F401  - these three are imported when a command begins
from crawler.cli import main

#: ``ru_maxrss`` is in bytes on macOS and in KiB elsewhere (getrusage(2)).
_UNITS_A_MIB = 1 << 20 if sys.platform == "darwin" else 1 << 10


def serve() -> None:
    """Do every job that comes, until stdin ends."""
    gc.freeze()
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(job)
        _say(pid=pid)
        _, status, usage = os.wait4(pid, 0)
        _say(code=os.waitstatus_to_exitcode(status), peak=usage.ru_maxrss / _UNITS_A_MIB)


def _run(job: dict[str, Any]) -> None:
    """Become the run; never comes back."""
    os.setsid()
    os.chdir(job["cwd"])
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, job["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, job["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(name, flags, 0o600), number)
    os.environ.clear()
    os.environ.update(job["env"])
    tempfile.tempdir = None
    sys.argv = ["slugline", *job["arguments"]]
    try:
        if job["script"]:
            runpy.run_path(job["script"], run_name="__main__")
        else:
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  - what Python itself does with an error nobody caught
        sys.excepthook(*sys.exc_info())
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _say(**figures: float) -> None:
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
