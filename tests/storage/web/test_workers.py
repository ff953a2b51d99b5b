"""Answers off the event loop: each thread's own archive, heavy ones one by one, not too many."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from storage.errors import DamageFound
from storage.web.answer import Answer
from storage.web.request import Refusal, Request
from storage.web.workers import MOST_WAITING, THREADS, Workers
from tests.storage.drafts import SEEN

ASKED = Request(parts={}, query={}, base="", now=SEEN)
GIVEN = Answer(body=b"given")


class Opened:
    """An archive of one thread's. Mutable: how often it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Opening:
    """Opens one for each who asks. Mutable: those that were made."""

    def __init__(self) -> None:
        self.made: list[Opened] = []

    def __call__(self) -> Any:
        self.made.append(Opened())
        return self.made[-1]


@pytest.fixture
def opened() -> Opening:
    return Opening()


async def test_each_thread_has_an_archive_of_its_own_and_all_are_closed(opened: Opening) -> None:
    workers = Workers(opened)
    together = threading.Barrier(THREADS)

    def answering(reading: Any, _: Request) -> Answer:
        together.wait(20)
        return GIVEN

    for _ in range(2):
        asked = [workers.answer(answering, ASKED, heavy=False) for _ in range(THREADS)]
        assert await asyncio.gather(*asked) == [GIVEN] * THREADS
    workers.close()
    assert [each.closed for each in opened.made] == [1] * THREADS


async def test_heavy_answers_leave_the_other_threads_free(opened: Opening) -> None:
    workers, end = Workers(opened), threading.Event()
    running: list[int] = []

    def heavy(_: Any, __: Request) -> Answer:
        running.append(1)
        assert end.wait(20)
        return GIVEN

    slow = [asyncio.ensure_future(workers.answer(heavy, ASKED, heavy=True)) for _ in range(5)]
    for _ in range(20):
        assert await workers.answer(lambda *_: GIVEN, ASKED, heavy=False) == GIVEN
    assert len(running) == 1
    end.set()
    await asyncio.gather(*slow)
    assert len(running) == 5
    workers.close()


async def test_who_comes_when_too_many_wait_is_told_to_come_again(opened: Opening) -> None:
    workers, end = Workers(opened), threading.Event()

    def held(_: Any, __: Request) -> Answer:
        assert end.wait(20)
        return GIVEN

    waiting = [
        asyncio.ensure_future(workers.answer(held, ASKED, heavy=False)) for _ in range(MOST_WAITING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Refusal, match="Too many requests wait") as refused:
        await workers.answer(held, ASKED, heavy=False)
    assert refused.value.status == 503
    end.set()
    await asyncio.gather(*waiting)
    workers.close()


async def test_damage_is_looked_at_again_once(opened: Opening) -> None:
    workers = Workers(opened)

    def damaged_once(reading: Any, _: Request) -> Answer:
        if not reading.closed:
            raise DamageFound("a/1", "another segment is there now")
        return GIVEN

    def damaged(_: Any, __: Request) -> Answer:
        raise DamageFound("a/1", "it is damaged")

    assert await workers.answer(damaged_once, ASKED, heavy=False) == GIVEN
    with pytest.raises(DamageFound, match="it is damaged"):
        await workers.answer(damaged, ASKED, heavy=False)
    workers.close()
