"""schedule: what runs when and where, for people, programs and Prometheus."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crawler.commands.calling import lines, slugline
from tests.crawler.commands.queues import written


@pytest.fixture
def file(tmp_path: Path, database: str) -> Path:
    return written(tmp_path, database)


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
