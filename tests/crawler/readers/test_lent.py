"""Places on the wire from a child's side: lent ones cost no word until there is trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from crawler.readers import messages as said
from crawler.readers.lent import LentPoliteness
from crawler.transport.faults import HostResting
from tests.crawler.fetching import NOW, settings

A = "a.example:443"
URL = "https://a.example/1"
RESTING = said.SentResting(URL, A, None, "left alone")


class Run:
    """The run, scripted. Mutable: what it was told, and whether it lets anybody in."""

    def __init__(self) -> None:
        self.told: list[said.ToRun] = []
        self.opens = True
        self.resting: said.SentResting | None = None
        self.waiters: dict[int, asyncio.Future[Any]] = {}
        self._numbers: Iterator[int] = count(1)

    def say(self, message: said.ToRun) -> None:
        self.told.append(message)
        if isinstance(message, said.Enter) and self.opens:
            asyncio.get_running_loop().call_soon(self.let_in, message.number)

    def number(self) -> int:
        return next(self._numbers)

    def expect(self, number: int, waiter: asyncio.Future[Any]) -> None:
        self.waiters[number] = waiter

    def let_in(self, number: int) -> None:
        waiter = self.waiters.pop(number)
        if waiter.done():
            return
        if self.resting is not None:
            waiter.set_result(said.Answer(number, resting=self.resting))
        else:
            waiter.set_result(said.Go(number, 12.5))

    async def ask(self, message: said.AskEnded | said.AskRetry) -> said.Answer:
        self.told.append(message)
        return said.Answer(message.number, yes=True, resting=self.resting)


def lend(polite: LentPoliteness, places: int, *, whole: bool = True) -> None:
    for number in range(places):
        polite.lent(A, whole=whole and number == places - 1)


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.fixture
def polite(run: Run) -> LentPoliteness:
    return LentPoliteness(settings(), lambda: NOW, run)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_every_request_asks_and_tells(polite: LentPoliteness, run: Run) -> None:
    async with polite.slot(A, URL) as slot:
        slot.sent(13.0)
        slot.answered(200, None, 0.25)
    assert run.told == [
        said.Enter(1, A, URL),
        said.Sent(1, 13.0),
        said.Answered(1, A, 12.5, 200, None, 0.25),
        said.Left(1),
    ]
    assert not polite.was_lent(A)


async def test_a_place_that_was_lent_costs_no_word(polite: LentPoliteness, run: Run) -> None:
    lend(polite, 2)
    async with polite.slot(A, URL) as one, polite.slot(A, URL) as other:
        for slot in (one, other):
            slot.sent()
            slot.answered(200, None, 0.25)
    assert run.told == []
    assert [polite.was_lent(A) for _ in range(3)] == [True, True, False]


async def test_no_more_places_are_used_than_were_lent(polite: LentPoliteness, run: Run) -> None:
    lend(polite, 1)
    entered = []

    async def use() -> None:
        async with polite.slot(A, URL):
            entered.append(1)

    async with polite.slot(A, URL):
        waiting = asyncio.ensure_future(use())
        given_up = asyncio.ensure_future(use())
        await settle()
        given_up.cancel()
        assert entered == []
    await waiting
    assert (entered, run.told) == ([1], [])
    polite.recalled(A)
    assert run.told == [said.Returned(A, 1)]


async def test_places_are_given_back_as_they_become_free(polite: LentPoliteness, run: Run) -> None:
    lend(polite, 3)
    async with polite.slot(A, URL) as slot:
        polite.recalled(A)
        assert run.told == [said.Returned(A, 2)]
        slot.answered(200, None, 0.25)
    # the run counts what happens to the host from now on
    assert isinstance(run.told[1], said.Answered)
    assert run.told[2:] == [said.Returned(A, 1)]
    async with polite.slot(A, URL):
        assert isinstance(run.told[3], said.Enter)


async def test_who_waits_for_a_lent_place_asks_when_it_is_recalled(
    polite: LentPoliteness, run: Run
) -> None:
    lend(polite, 1)

    async def use() -> None:
        async with polite.slot(A, URL):
            pass

    async with polite.slot(A, URL):
        waiting = asyncio.ensure_future(use())
        await settle()
        polite.recalled(A)
        await waiting
        assert run.told == [said.Enter(1, A, URL), said.Left(1)]
    assert run.told[2:] == [said.Returned(A, 1)]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_in_a_lent_place_ends_the_loan_and_is_told(
    polite: LentPoliteness, run: Run, status: int
) -> None:
    lend(polite, 2)
    async with polite.slot(A, URL) as slot:
        slot.answered(status, "7", 0.25)
        idle, told = run.told
        assert idle == said.Returned(A, 1)
        assert told == said.Answered(0, A, slot.started, status, "7", 0.25)
    assert run.told[2:] == [said.Returned(A, 1)]


async def test_a_failure_in_a_lent_place_ends_the_loan_and_is_told(
    polite: LentPoliteness, run: Run
) -> None:
    lend(polite, 1)
    async with polite.slot(A, URL) as slot:
        slot.failed("timeout", "no answer")
        assert run.told == [said.Failed(0, A, slot.started, "timeout", "no answer")]
    assert run.told[1:] == [said.Returned(A, 1)]


async def test_the_end_of_a_turn_is_the_runs_to_say(polite: LentPoliteness, run: Run) -> None:
    async with polite.slot(A, URL) as slot:
        assert await slot.ended() is None
        run.resting = RESTING
        resting = await slot.ended()
    assert resting is not None
    assert (resting.host, str(resting)) == (A, "left alone")
    with pytest.raises(HostResting, match="left alone"):
        async with polite.slot(A, URL):
            pass
    assert await polite.may_retry(A)
    assert isinstance(run.told[-1], said.AskRetry)


async def test_a_cancelled_wait_for_the_run_leaves_no_place(
    polite: LentPoliteness, run: Run
) -> None:
    run.opens = False

    async def use() -> None:
        async with polite.slot(A, URL):
            raise AssertionError("nobody let it in")

    waiting = asyncio.ensure_future(use())
    await settle()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert run.told == [said.Enter(1, A, URL), said.Left(1)]
    assert polite.crawl_delay(A, 5.0) == 5.0


async def test_where_more_may_be_lent_the_run_is_asked_and_the_first_place_taken(
    polite: LentPoliteness, run: Run
) -> None:
    lend(polite, 1, whole=False)
    run.opens = False
    entered: list[int] = []

    async def use(number: int) -> None:
        async with polite.slot(A, URL):
            entered.append(number)
            await asyncio.sleep(0)

    async with polite.slot(A, URL):
        waiting = [asyncio.ensure_future(use(number)) for number in range(3)]
        await settle()
        asks = [said.Enter(number, A, URL) for number in (1, 2, 3)]
        assert run.told == asks
        run.let_in(2)
        await settle()
        assert entered == [1]
        assert run.told[3:] == [said.Left(2)]
        polite.lent(A, whole=True)
        await settle()
        # the others go one after the other in the place that was lent, and ask no longer
        assert entered == [1, 0, 2]
        assert run.told[4:] == [said.Left(1), said.Left(3)]
    await asyncio.gather(*waiting)
    polite.recalled(A)
    assert run.told[6:] == [said.Returned(A, 2)]


async def test_a_place_that_comes_too_late_is_passed_on(polite: LentPoliteness, run: Run) -> None:
    run.opens = False

    async def use() -> None:
        async with polite.slot(A, URL):
            pass

    waiting = asyncio.ensure_future(use())
    await settle()
    polite.lent(A, whole=True)
    waiting.cancel()
    await asyncio.wait({waiting})
    polite.recalled(A)
    assert run.told == [said.Enter(1, A, URL), said.Left(1), said.Returned(A, 1)]
