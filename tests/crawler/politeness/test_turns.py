"""Who waits for whom: slots, pace and rest of several hosts at once."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import Any

import pytest

from crawler.politeness.pace import LONGEST_WAIT
from crawler.politeness.turns import Politeness
from crawler.transport.faults import HostResting, Kind
from tests.crawler.fetching import NOW, settings

A, B, C = "a.example:80", "b.example:80", "c.example:80"


def politeness(**values: Any) -> Politeness:
    return Politeness(settings(**values), lambda: NOW)


class Holder:
    """Takes slots in tasks of its own and gives them back on request."""

    def __init__(self, polite: Politeness) -> None:
        self.polite = polite
        self.got: list[str] = []
        self.release = asyncio.Event()

    async def hold(self, host: str, name: str = "", *, ahead: bool = False) -> None:
        async with self.polite.slot(host, ahead=ahead):
            self.got.append(name or host)
            await self.release.wait()

    def start(self, host: str, name: str = "", *, ahead: bool = False) -> asyncio.Task[None]:
        return asyncio.create_task(self.hold(host, name, ahead=ahead))


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_host_has_no_more_connections_than_allowed() -> None:
    holder = Holder(politeness(concurrency=2))
    tasks = [holder.start(A, str(n)) for n in range(5)]
    await settle()
    assert holder.got == ["0", "1"]
    (view,) = holder.polite.state()
    assert (view.active, view.waiting) == (2, 3)
    holder.release.set()
    await asyncio.gather(*tasks)
    assert holder.got == ["0", "1", "2", "3", "4"]
    assert holder.polite.state()[0].active == 0


@pytest.mark.parametrize(("rate", "order"), [(0, "0312"), (10_000, "0123")])
async def test_what_goes_ahead_is_before_all_who_wait_but_for_a_pace(
    rate: float, order: str
) -> None:
    holder = Holder(politeness(concurrency=1, rate=rate))
    tasks = [holder.start(A, str(n), ahead=n == 3) for n in range(4)]
    await settle()
    holder.release.set()
    await asyncio.gather(*tasks)
    assert "".join(holder.got) == order


async def test_the_total_is_shared_in_turns() -> None:
    holder = Holder(politeness(concurrency=9, connections=2))
    tasks = [holder.start(host) for host in (A, A, A, B, B, C)]
    await settle()
    assert holder.got == [A, A]
    holder.release.set()
    await asyncio.gather(*tasks)
    assert sorted(holder.got) == [A, A, A, B, B, C]


async def test_a_waiting_host_holds_no_place_on_the_wire() -> None:
    polite = politeness(connections=1)
    polite.answered(polite._host(A), 0.0, 429, "60", 0.1)  # noqa: SLF001  - as a slot would tell
    holder = Holder(polite)
    waiting = holder.start(A)
    await settle()
    going = holder.start(B)
    await settle()
    assert holder.got == [B]
    assert 59 < polite.wait_seconds(A) <= 60
    waiting.cancel()
    holder.release.set()
    await asyncio.gather(waiting, going, return_exceptions=True)


async def test_a_cancelled_wait_leaves_no_place_taken() -> None:
    holder = Holder(politeness(concurrency=1))
    first, second, third = (holder.start(A, name) for name in "123")
    await settle()
    second.cancel()
    await settle()
    holder.release.set()
    await asyncio.gather(first, third)
    assert second.cancelled()
    assert holder.got == ["1", "3"]
    (view,) = holder.polite.state()
    assert (view.active, view.waiting) == (0, 0)


async def test_waits_that_are_given_up_as_the_wire_comes_free_end_as_cancelled() -> None:
    holder = Holder(politeness(concurrency=1))
    first, second, third = (holder.start(A, name) for name in "123")
    await settle()
    holder.release.set()
    second.cancel()
    third.cancel()
    results = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [type(each) for each in results[1:]] == [asyncio.CancelledError] * 2
    (view,) = holder.polite.state()
    assert (view.active, view.waiting) == (0, 0)


async def test_a_place_given_to_a_task_that_is_cancelled_at_once_goes_on() -> None:
    holder = Holder(politeness(concurrency=1))
    first, second, third = (holder.start(A, name) for name in "123")
    await settle()
    holder.release.set()
    first.cancel()
    await asyncio.sleep(0)  # first gives its place to second …
    second.cancel()  # … which never gets to use it
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert holder.got[-1] == "3"
    assert holder.polite.state()[0].active == 0


async def test_a_waiter_starts_when_its_pace_comes() -> None:
    polite = politeness(rate=200)
    for _ in range(5):
        async with polite.slot(A):
            pass
    assert polite.state()[0].requests == 5


async def test_a_host_whose_turn_ends_sends_its_waiters_away() -> None:
    polite = politeness(concurrency=1, retry_after_cap=120)
    holder = Holder(polite)
    waiter: asyncio.Task[None]
    async with polite.slot(A, "http://a.example/1") as slot:
        waiter = holder.start(A)
        await settle()
        slot.answered(429, "3600", 0.1)
        resting = await slot.ended()
    assert resting is not None
    assert resting.until == NOW + timedelta(hours=1)
    with pytest.raises(HostResting, match="asked to be left alone until 2026-06-19 09:09:44 UTC"):
        await waiter
    assert polite.resting(A)
    assert polite.wait_seconds(A) == math.inf
    assert not polite.resting(B)


async def test_what_a_host_asked_for_outlives_the_run() -> None:
    polite = politeness(retry_after_cap=120)
    async with polite.slot(A) as slot:
        slot.answered(503, "3600", 0.1)
    async with polite.slot(B) as slot:
        slot.answered(429, "60", 0.1)
    stored = polite.not_before()
    assert stored == {A: NOW + timedelta(hours=1), B: NOW + timedelta(minutes=1)}
    later = Politeness(settings(retry_after_cap=120), lambda: NOW, stored)
    with pytest.raises(HostResting):
        async with later.slot(A):
            pytest.fail("a resting host was asked")
    assert 59 < later.wait_seconds(B) <= 60
    much_later = Politeness(settings(), lambda: NOW + timedelta(days=1), stored)
    assert not much_later.resting(A)
    assert much_later.not_before() == {}


@pytest.mark.parametrize("kind", ["connect", "dns", "tls", "proxy", "reset", "timeout"])
async def test_failed_connections_end_the_turn_for_this_run_only(kind: Kind) -> None:
    polite = politeness()
    for _ in range(5):
        async with polite.slot(A) as slot:
            slot.failed(kind, "the host is dead")
    with pytest.raises(HostResting, match="the host is dead") as caught:
        async with polite.slot(A, "http://a.example/6"):
            pytest.fail("a resting host was asked")
    assert caught.value.until is None
    assert polite.not_before() == {}


async def test_answers_that_are_no_refusal_do_not_end_it() -> None:
    polite = politeness()
    for status in (500, 404, 502, 200, 500, 403, 500, 500):
        async with polite.slot(A) as slot:
            slot.answered(status, None, 0.1)
    assert not polite.resting(A)


async def test_a_crawl_delay_longer_than_ours_is_kept_up_to_a_cap_and_said() -> None:
    said: list[tuple[str, float, str]] = []
    polite = Politeness(
        settings(rate=2, max_crawl_delay=30),
        lambda: NOW,
        on_wait=lambda host, seconds, why: said.append((host, seconds, why)),
    )
    assert polite.crawl_delay(A, 0.1) == 0.5
    assert polite.crawl_delay(A, 10) == 10
    assert said == []
    assert polite.crawl_delay(A, 86_400) == 30
    assert said[0][0] == A
    assert "86400 s" in said[0][2]
    for nonsense in (math.nan, math.inf, -1.0):
        assert polite.crawl_delay(B, nonsense) == 0.5


async def test_the_next_request_keeps_its_distance_from_where_the_last_one_went_out() -> None:
    seconds = [0.0]
    polite = Politeness(settings(rate=2), lambda: NOW, monotonic=lambda: seconds[0])
    async with polite.slot(A) as slot:
        seconds[0] = 0.4
        slot.sent()
    assert polite.wait_seconds(A) == pytest.approx(0.25)


async def test_a_wait_that_a_host_asked_for_is_said() -> None:
    said: list[tuple[str, float, str]] = []
    polite = Politeness(settings(), lambda: NOW, on_wait=lambda *words: said.append(words))
    async with polite.slot(A) as slot:
        slot.answered(429, "7", 0.1)
    ((host, seconds, why),) = said
    assert (host, seconds) == (A, 7.0)
    assert "left alone until" in why
    (view,) = polite.state()
    assert view.why == why
    assert not view.resting


@pytest.mark.parametrize("value", ["9" * 12, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_wait_past_all_dates_is_a_month(value: str) -> None:
    said: list[tuple[str, float, str]] = []
    polite = Politeness(settings(), lambda: NOW, on_wait=lambda *words: said.append(words))
    async with polite.slot(A) as slot:
        slot.answered(503, value, 0.1)
    ((_, seconds, why),) = said
    assert seconds == LONGEST_WAIT
    assert f"until {NOW + timedelta(seconds=LONGEST_WAIT):%Y-%m-%d}" in why
    assert polite.resting(A)


async def test_a_site_may_have_a_pace_of_its_own() -> None:
    polite = politeness(rate=0)
    polite.limit(A, rate=0.5, concurrency=1)
    async with polite.slot(A):
        assert 1.9 < polite.wait_seconds(A) <= 2.0
    assert polite.state()[0].delay == 2.0


async def test_a_new_pace_reaches_those_who_wait() -> None:
    polite = politeness(rate=0.001)
    async with polite.slot(A):
        pass
    holder = Holder(polite)
    task = holder.start(A)
    await settle()
    assert holder.got == []
    polite._host(A).pace.next_at = -math.inf  # noqa: SLF001  - as if the long wait were over
    polite.limit(A, rate=1000)
    holder.release.set()
    await task
    assert holder.got == [A]


async def asked(polite: Politeness, url: str) -> None:
    async with polite.slot(A, url):
        pass


async def test_who_is_sent_away_is_told_which_url_and_host() -> None:
    polite = politeness(concurrency=1)
    for _ in range(4):
        async with polite.slot(A) as slot:
            slot.failed("connect", "the host is dead")
    async with polite.slot(A, "http://a.example/1") as slot:
        waiting = asyncio.create_task(asked(polite, "http://a.example/2"))
        await settle()
        slot.failed("connect", "the host is dead")
        ended = await slot.ended()
    assert ended is not None
    assert (ended.url, ended.host, ended.until) == ("http://a.example/1", A, None)
    with pytest.raises(HostResting) as caught:
        await waiting
    assert (caught.value.url, caught.value.host) == ("http://a.example/2", A)


async def test_a_moment_that_has_come_is_not_waited_for_any_more() -> None:
    polite = Politeness(settings(), lambda: NOW, {A: NOW, B: NOW + timedelta(seconds=1)})
    assert (polite.wait_seconds(A), polite.resting(B)) == (0.0, False)
    assert polite.not_before().keys() == {B}
    assert polite.wait_seconds(C) == 0.0
    clock = [NOW]
    patient = Politeness(settings(retry_after_cap=1), lambda: clock[0])
    async with patient.slot(A) as slot:
        slot.answered(503, "60", 0.1)
        clock[0] = NOW + timedelta(seconds=60)
        ended = await slot.ended()
    assert ended is not None
    assert ended.until is None
    assert patient.not_before() == {}


async def test_a_site_that_sets_one_part_of_its_pace_keeps_the_other() -> None:
    polite = politeness(rate=0, concurrency=3)
    polite.limit(A, rate=0.5)
    polite.limit(B, concurrency=1)
    paces = [polite._host(host).pace for host in (A, B)]  # noqa: SLF001  - what both parts became
    assert [(each.rate, each.concurrency) for each in paces] == [(0.5, 3), (0.0, 1)]


async def test_a_crawl_delay_at_the_cap_is_kept_and_nothing_said() -> None:
    said: list[tuple[str, float, str]] = []
    polite = Politeness(
        settings(rate=2, max_crawl_delay=30), lambda: NOW, on_wait=lambda *words: said.append(words)
    )
    assert (polite.crawl_delay(A, 30), said) == (30, [])
    assert polite.crawl_delay(A, 31) == 30
    assert [(host, seconds) for host, seconds, _ in said] == [(A, 30)]
    assert polite.crawl_delay(B, 0.75) == 0.75


async def test_lent_places_count_until_they_are_restored() -> None:
    polite = politeness(concurrency=4, connections=4)
    recalled: list[str] = []
    polite.recall = recalled.append
    assert [polite.lend(A, 2, lent) for lent in (0, 1, 2)] == [2, 2, 0]
    assert polite.state()[0].active == 2
    holder = Holder(polite)
    tasks = [holder.start(B, str(number)) for number in range(3)]
    await settle()
    assert (holder.got, recalled) == (["0", "1"], [A])
    assert polite.lend(A, 2, 0) == 0
    polite.restore(A, 2)
    await settle()
    assert (holder.got, polite.state()[0].active) == (["0", "1", "2"], 0)
    polite.limit(A, rate=0.5)
    assert recalled == [A]
    holder.release.set()
    await asyncio.gather(*tasks)


async def test_nothing_is_lent_of_a_host_that_somebody_else_waits_for() -> None:
    polite = politeness(concurrency=2)
    holder = Holder(polite)
    child = asyncio.create_task(holder.hold(A))
    tasks = [child, *(holder.start(A) for _ in range(2))]
    await settle()
    assert polite.lend(A, 1, 0) == 0
    tasks[-1].cancel()
    await settle()
    assert polite.lend(A, 1, 0) == 2
    polite.restore(A, 1)
    holder.release.set()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_host_with_a_pace_or_in_trouble_lends_nothing() -> None:
    polite = politeness()
    polite.limit(A, rate=1)
    async with polite.slot(B) as slot:
        slot.failed("reset", "cut")
    async with polite.slot(C) as slot:
        slot.answered(503, "5", 0.1)
    assert [polite.lend(host, 1, 0) for host in (A, B, C)] == [0, 0, 0]


@pytest.mark.parametrize(("status", "slower"), [(429, True), (503, True), (200, False)])
async def test_a_busy_server_is_asked_more_slowly(status: int, *, slower: bool) -> None:
    polite = politeness(rate=10)
    async with polite.slot(A) as slot:
        slot.answered(status, None, 0.0)
    view = polite.state()[0]
    assert (view.delay > 0.1) is slower
    assert polite._host(A).pace.strikes == slower  # noqa: SLF001  - counted, and not shown


async def test_a_wait_is_only_taken_from_an_answer_that_asks_for_one() -> None:
    polite = politeness()
    async with polite.slot(A) as slot:
        slot.answered(200, "60", 0.1)
        slot.answered(404, "60", 0.1)
    assert polite.wait_seconds(A) == 0.0


async def test_a_request_sent_at_a_moment_counts_from_there() -> None:
    seconds = [0.0]
    polite = Politeness(settings(rate=2), lambda: NOW, monotonic=lambda: seconds[0])
    async with polite.slot(A) as slot:
        seconds[0] = 0.5
        slot.sent(0.4)
    assert polite.wait_seconds(A) == pytest.approx(0.15)
    async with politeness().slot(B) as slot:
        assert slot.started > 1.0


async def test_a_turn_that_was_given_up_does_not_hold_up_those_behind_it() -> None:
    holder = Holder(politeness(concurrency=1))
    tasks = [holder.start(A, name) for name in "1234"]
    await settle()
    tasks[1].cancel()
    tasks[2].cancel()
    holder.release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert holder.got == ["1", "4"]
