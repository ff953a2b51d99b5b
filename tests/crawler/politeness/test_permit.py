"""Leave to ask a host: asked for before each request, and told when it is done with."""

from __future__ import annotations

import pytest

from crawler.politeness.permit import Refused
from crawler.politeness.turns import Politeness
from crawler.transport.faults import HostResting
from tests.crawler.fetching import NOW, settings

A = "a.example:80"


class Given:
    """A permit that gives what it is made with, and remembers what it was told."""

    def __init__(self, wait: float = 0.0, *, refusal: str = "", stands: bool = True) -> None:
        self.asked: list[str] = []
        self.told: list[tuple[str, float]] = []
        self.users = 0
        self._wait = wait
        self._refusal = refusal
        self._stands = stands

    async def begin(self, host: str) -> float:
        if self._refusal:
            raise Refused(self._refusal)
        self.asked.append(host)
        self.users += 1
        return self._wait

    def stands(self) -> bool:
        return self._stands

    def end(self, host: str, wait: float) -> None:
        self.users -= 1
        self.told.append((host, wait))


def politeness(permit: Given, rate: float = 0) -> Politeness:
    return Politeness(settings(rate=rate), lambda: NOW, permit=permit, monotonic=lambda: 1000.0)


async def test_who_had_leave_says_how_long_the_host_waits_now() -> None:
    permit = Given()
    async with politeness(permit, rate=0.5).slot(A):
        assert (permit.asked, permit.users) == ([A], 1)
    assert permit.told == [(A, 2.0)]


async def test_what_the_server_asked_for_is_said_too() -> None:
    permit = Given()
    async with politeness(permit).slot(A) as slot:
        slot.answered(503, "120", 0.1)
    assert permit.told == [(A, 120.0)]


async def test_without_leave_the_host_rests_in_this_run_and_its_pace_is_as_before() -> None:
    polite = politeness(Given(refusal="another worker is reading from it"))
    with pytest.raises(HostResting, match=r"a\.example:80: another worker is reading from it"):
        async with polite.slot(A, "http://a.example/"):
            pass
    assert polite.state()[0].requests == 0
    assert not polite.resting(A)


async def test_leave_that_ran_out_while_the_request_waited_is_no_leave() -> None:
    permit = Given(stands=False)
    polite = politeness(permit)
    with pytest.raises(HostResting, match="has run out"):
        async with polite.slot(A):
            pass
    assert permit.users == 0
    assert polite.state()[0].active == 0


async def test_the_pace_of_whoever_asked_before_is_kept() -> None:
    polite = Politeness(settings(rate=1000), lambda: NOW, permit=Given(wait=0.02))
    async with polite.slot(A):
        pass
    assert polite.state()[0].requests == 1


async def test_who_is_refused_is_told_which_url_and_host() -> None:
    with pytest.raises(HostResting) as caught:
        async with politeness(Given(refusal="taken")).slot(A, "http://a.example/1"):
            pytest.fail("asked without leave")
    assert (caught.value.url, caught.value.host) == ("http://a.example/1", A)
    with pytest.raises(HostResting) as caught:
        async with politeness(Given(stands=False)).slot(A, "http://a.example/2"):
            pytest.fail("asked without leave")
    assert (caught.value.url, caught.value.host) == ("http://a.example/2", A)


async def test_a_host_that_is_left_alone_is_so_for_whoever_asks_next() -> None:
    permit = Given()
    polite = politeness(permit)
    async with polite.slot(A) as slot:
        for _ in range(5):
            slot.failed("connect", "the host is dead")
    async with polite.slot("b.example:80"):
        pass
    assert permit.told == [(A, settings().max_delay), ("b.example:80", 0.0)]
