"""How many articles of a site are in hand at once."""

from __future__ import annotations

from crawler.config.settings import Config
from crawler.site.making import workers


def test_without_a_pace_there_are_two_a_connection_and_no_more_than_all() -> None:
    assert workers(Config().settings().changed(rate=0, workers=16, concurrency=2)) == 4
    assert workers(Config().settings().changed(rate=0, workers=16, concurrency=12)) == 16


def test_at_a_polite_pace_few_articles_are_in_hand() -> None:
    settings = Config().settings().changed(rate=2, workers=16, concurrency=2)
    assert workers(settings) == 4


def test_more_connections_than_workers_are_all_used() -> None:
    settings = Config().settings().changed(rate=0, workers=4, concurrency=32)
    assert workers(settings) == 32
