"""worker: its signals, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from crawler.cluster.heart import machine
from tests.crawler.cluster.fleet import config, serving
from tests.crawler.commands.calling import lines, slugline


async def test_a_worker_ends_well_at_sigterm_and_says_what_it_did(
    tmp_path: Path, database: str
) -> None:
    async with serving(articles=2) as hosts:
        path = tmp_path / "news.toml"
        path.write_text(config([hosts.site(0)], "bot", rate=0, queue=database))
        name = f"127.0.1.1+{hosts.port}"
        queued = await asyncio.to_thread(slugline, "enqueue", name, "--config", path)
        assert queued.exit_code == 0
        worker = await asyncio.create_subprocess_exec(
            Path(sys.executable).parent / "slugline",
            "worker",
            "--config",
            path,
            stderr=asyncio.subprocess.PIPE,
        )
        assert worker.stderr is not None
        said = [(await worker.stderr.readline()).decode() for _ in range(2)]
        worker.send_signal(signal.SIGTERM)
        rest = (await worker.stderr.read()).decode()
    assert await worker.wait() == 0
    assert "takes up to 16 jobs" in said[0]
    assert f"{hosts.site(0)} done, 2 articles, 2 new snapshots" in said[1]
    assert rest.startswith("slugline: stopping")
    shown = lines(await asyncio.to_thread(slugline, "schedule", "--config", path, "--json"))
    assert (shown[0]["state"], shown[0]["articles"]) == ("done", 2)


async def test_a_second_signal_ends_a_worker_at_once(tmp_path: Path, database: str) -> None:
    async with serving(articles=60) as hosts:
        path = tmp_path / "news.toml"
        path.write_text(config([hosts.site(0)], "bot", rate=5, queue=database))
        name = f"127.0.1.1+{hosts.port}"
        await asyncio.to_thread(slugline, "enqueue", name, "--config", path)
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from crawler.cli import main; main()", "worker",
            "--config", path, stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"SLUGLINE_DEBUG": "1"},
        )  # fmt: skip
        assert worker.stderr is not None
        while b"takes up to 16 jobs" not in await worker.stderr.readline():
            pass
        shown = await asyncio.to_thread(slugline, "schedule", "--config", path, "--workers")
        worker.send_signal(signal.SIGTERM)
        while b"stopping: " not in await worker.stderr.readline():
            pass
        worker.send_signal(signal.SIGTERM)
        rest = (await worker.stderr.read()).decode()
    assert await worker.wait() == 130
    assert "stopped at once; others take its sites up" in rest
    columns, *rows = [line.split("\t") for line in shown.stdout.splitlines()]
    assert columns[:5] == ["worker", "where", "since", "beat", "running"]
    assert [row[1] for row in rows] == [f"{machine()}:{worker.pid}"]
