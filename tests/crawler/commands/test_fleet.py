"""worker, schedule and enqueue at the command line, with a real queue."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crawler.cluster.fleet import config
from tests.crawler.commands.calling import complaint, slugline
from tests.crawler.commands.queues import SITES, written


@pytest.fixture
def file(tmp_path: Path, database: str) -> Path:
    return written(tmp_path, database)


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
