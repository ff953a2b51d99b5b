"""worker, schedule and enqueue at the command line, with a real queue."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.cluster.heart import machine
from tests.crawler.cluster.fleet import config, serving
from tests.crawler.commands.calling import complaint, lines, slugline

SITES = ("https://example.org/", "https://example.net/news/")


@pytest.fixture
def file(tmp_path: Path, database: str) -> Path:
    """Give a config.toml over two sites, with a queue of its own."""
    path = tmp_path / "news.toml"
    path.write_text(config(SITES, "https://example.org/bot", rate=2, queue=database))
    return path


def test_a_site_is_queued_once_by_name_or_url(file: Path) -> None:
    first = slugline("enqueue", "example.org", "--config", file)
    assert first.stdout == "https://example.org/ is queued\n"
    again = slugline("enqueue", SITES[0], "--config", file)
    assert again.stdout == "https://example.org/ was in the queue already, and comes first now\n"


def test_an_unknown_site_is_named_and_nothing_is_queued(file: Path) -> None:
    assert "'example.com' is no site of" in complaint(
        slugline("enqueue", "example.com", "--config", file)
    )


def test_the_schedule_shows_every_site_before_any_worker_has_come(file: Path) -> None:
    slugline("enqueue", "example.org", "--config", file)
    shown = lines(slugline("schedule", "--config", file, "--json"))
    assert [(each["site"], each["state"]) for each in shown] == [
        ("example.org", "queued"),
        ("example.net~news", ""),
    ]
    assert str(shown[0]["next_at"]).endswith("-01-01T00:00:00Z")


def test_the_schedule_is_a_table_for_people(file: Path) -> None:
    shown = slugline("schedule", "--config", file)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0].split("\t")[:4] == ["site", "schedule", "next", "state"]
    assert shown.stderr == "0 workers, 0 jobs running, 0 queued\n"


def test_the_fleets_numbers_are_prometheus_text(file: Path) -> None:
    slugline("enqueue", "example.org", "--config", file)
    shown = slugline("schedule", "--config", file, "--metrics").stdout.splitlines()
    assert "slugline_fleet_jobs_queued 1" in shown
    assert "# TYPE slugline_fleet_articles_total counter" in shown


@pytest.mark.parametrize("command", ["worker", "schedule", "enqueue example.org"])
def test_without_a_queue_it_is_said_what_to_write(command: str, tmp_path: Path) -> None:
    path = tmp_path / "news.toml"
    path.write_text(config(SITES, "bot", rate=2))
    told = complaint(slugline(*command.split(), "--config", path))
    assert '[cluster] queue = "postgresql://HOST/DATABASE"' in told
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", ["worker", "schedule", "enqueue example.org"])
def test_without_the_extra_it_is_said_what_to_install(command: str, file: Path) -> None:
    code = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'procrastinate' else find(name, *rest)\n"
        "from crawler.cli import main; main()"
    )
    asked = [sys.executable, "-c", code, *command.split(), "--config", str(file)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    name = command.partition(" ")[0]
    assert done.stderr == (
        f"slugline: slugline {name} needs procrastinate: pip install 'slugline[cluster]'\n"
    )
    assert done.returncode == 2


def test_a_database_that_is_not_there_is_one_sentence_and_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "news.toml"
    path.write_text(config(SITES, "bot", rate=2, queue=f"postgresql:///db?host={tmp_path}"))
    assert "can't be used" in complaint(slugline("schedule", "--config", path), code=1)


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
