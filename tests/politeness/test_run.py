"""A small run by the servers' own log: the proofs, without the clocks that a busy machine bends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.politeness.hosts import Hosted
from tests.politeness.judging import most_open
from tests.politeness.running import Asked, run

#: Two hosts with rates of their own, and one whose robots.txt asks for half of it.
ASKED = (
    Asked(hosted=Hosted(articles=70, latency=0.03), rate=80.0, concurrency=4),
    Asked(hosted=Hosted(articles=50, latency=0.03), rate=60.0, concurrency=2),
    Asked(hosted=Hosted(articles=30, latency=0.01, crawl_delay=0.025), rate=80.0, concurrency=3),
)
PACES = (80.0, 60.0, 40.0)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_host_is_read_whole_at_its_own_pace_and_width(tmp_path: Path, processes: int) -> None:
    outcome = run(ASKED, tmp_path, processes=processes)
    assert outcome.code == 0, outcome.said
    assert outcome.summary["articles"] == 150
    assert outcome.summary["failed"] == 0
    for asked, pace, visits in zip(ASKED, PACES, outcome.visits, strict=True):
        paths = [visit.path for visit in visits]
        assert len(paths) == len(set(paths))
        assert sum(path.startswith("/news/") for path in paths) == 2 * asked.hosted.articles
        assert most_open(visits) <= asked.concurrency
        # half of what the pace takes: only a run that keeps none can be so quick
        assert visits[-1].came - visits[0].came > (len(visits) - 1) / pace / 2


@pytest.mark.parametrize("processes", [1, 2])
def test_a_host_that_is_busy_throughout_costs_the_others_nothing(
    tmp_path: Path, processes: int
) -> None:
    busy = Asked(hosted=Hosted(articles=1, busy=600), rate=80.0, concurrency=2)
    outcome = run([ASKED[0], busy], tmp_path, processes=processes)
    assert outcome.code == 1
    assert outcome.summary["articles"] == 70
    # the first answer tells the wait, which is longer than a run waits: its turn is over
    assert len(outcome.visits[1]) == 1
    assert "errors" in outcome.summary
