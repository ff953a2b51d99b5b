"""enqueue: one site into the queue, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crawler.commands.calling import complaint, slugline
from tests.crawler.commands.queues import SITES, written


@pytest.fixture
def file(tmp_path: Path, database: str) -> Path:
    return written(tmp_path, database)


def test_a_site_is_queued_once_by_name_or_url(file: Path) -> None:
    first = slugline("enqueue", "example.org", "--config", file)
    assert first.stdout == "https://example.org/ is queued\n"
    again = slugline("enqueue", SITES[0], "--config", file)
    assert again.stdout == "https://example.org/ was in the queue already, and comes first now\n"


def test_an_unknown_site_is_named_and_nothing_is_queued(file: Path) -> None:
    assert "'example.com' is no site of" in complaint(
        slugline("enqueue", "example.com", "--config", file)
    )
