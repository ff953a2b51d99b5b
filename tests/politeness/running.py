"""Runs ``slugline sync`` over the hosts of a plan, and gives back what these wrote down."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.politeness.hosts import LOOPBACK, Hosted, Visit

_CONFIG = """\
[defaults]
probe = false
follow_canonical = false
discovery = ["sitemap"]
[fetch]
workers = {workers}
connections = {connections}
processes = {processes}
[store]
mirror = "mirror"
files = false
"""
_SITE = """\
[[site]]
url = "http://{host}:{port}/"
rate = {rate}
concurrency = {concurrency}
"""
#: The console script, found without a PATH.
_SLUGLINE = [sys.executable, "-c", "from crawler.cli import main; main()"]


class Asked(Struct, frozen=True, kw_only=True):
    """A host, and the pace that the configuration sets for it."""

    hosted: Hosted
    rate: float
    concurrency: int


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a run: each host's log, the summary, the exit code and what was said."""

    visits: list[list[Visit]]
    summary: Mapping[str, object]
    code: int
    said: str


def run(
    asked: Sequence[Asked],
    folder: Path,
    *,
    workers: int = 16,
    connections: int = 256,
    processes: int = 1,
) -> Outcome:
    """Mirror every host of the plan into ``folder`` in one run of the real command."""
    plan = msgspec.json.encode([each.hosted for each in asked])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.politeness.hosts"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(plan + b"\n")
        server.stdin.flush()
        ports = msgspec.json.decode(server.stdout.readline(), type=list[int])
        config = folder / "config.toml"
        config.write_text(
            _CONFIG.format(workers=workers, connections=connections, processes=processes)
            + "".join(
                _SITE.format(host=LOOPBACK, port=port, rate=each.rate, concurrency=each.concurrency)
                for each, port in zip(asked, ports, strict=True)
            )
        )
        done = subprocess.run(
            [*_SLUGLINE, "sync", "--config", str(config), "--json", "--quiet"],
            capture_output=True,
            text=True,
            check=False,
        )
        log, _ = server.communicate()
    lines = done.stdout.splitlines()
    return Outcome(
        visits=msgspec.json.decode(log, type=list[list[Visit]]),
        summary=msgspec.json.decode(lines[-1]) if lines else {},
        code=done.returncode,
        said=done.stderr,
    )
