"""A host as progress shows it."""

from __future__ import annotations

import math

from crawler.politeness.hosts import Host
from crawler.politeness.pace import Pace
from tests.crawler.fetching import NOW, settings


def host() -> Host:
    return Host("news.example", Pace.new(settings(rate=2.0)))


def test_a_host_that_nobody_asked_may_be_asked_at_once() -> None:
    seen = host().view(100.0)
    assert (seen.host, seen.active, seen.requests) == ("news.example", 0, 0)
    assert (seen.wait, seen.why, seen.resting) == (0.0, "", False)


def test_the_wait_is_until_the_next_request_may_start() -> None:
    one = host()
    one.pace.start(100.0)
    seen = one.view(100.2)
    assert (seen.active, seen.requests, seen.delay) == (1, 1, 0.5)
    assert 0 < seen.wait < seen.delay


def test_a_reason_is_told_only_while_the_host_is_left_alone_for_it() -> None:
    one = host()
    one.pace.asked(100.0, NOW, 30.0)
    assert one.view(110.0).why.startswith("the server asked to be left alone until")
    assert one.view(140.0).why == ""


def test_a_host_whose_turn_is_over_rests_without_end() -> None:
    one = host()
    one.pace.over = True
    seen = one.view(100.0)
    assert seen.resting
    assert math.isinf(seen.wait)
