"""A child's questions to its run, and what it does with the answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import msgspec

from crawler.readers import messages as said
from crawler.readers.channel import Channel, connect
from crawler.readers.child import Line
from crawler.readers.starting import Sockets


class Run:
    """The other end. Mutable state: what it was told, whether anything came, whether it ended."""

    def __init__(self, sockets: Sockets) -> None:
        self.told: list[said.ToRun] = []
        self.heard, self.gone = asyncio.Event(), asyncio.Event()
        self.channel: Channel[said.ToChild, said.ToRun] = Channel(
            sockets.files, msgspec.msgpack.Decoder(list[said.ToRun]), self._hear, self.gone.set
        )

    def _hear(self, message: said.ToRun) -> None:
        self.told.append(message)
        self.heard.set()


def question(line: Line) -> said.AskRules:
    return said.AskRules(line.number(), "https://news.example/a")


def test_no_number_is_given_twice() -> None:
    line = Line()
    assert len({line.number() for _ in range(9)}) == 9


async def test_each_answer_goes_to_the_one_who_asked_for_it() -> None:
    line, loop = Line(), asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    line.expect(1, first)
    line.expect(2, second)
    line.answered(said.Answer(2, yes=True))
    assert not first.done()
    assert second.result() == said.Answer(2, yes=True)


async def test_an_answer_that_nobody_waits_for_any_more_is_passed_over() -> None:
    line = Line()
    waiter = asyncio.get_running_loop().create_future()
    line.expect(1, waiter)
    waiter.cancel()
    with suppress(asyncio.CancelledError):
        await waiter
    line.answered(said.Answer(1))
    line.answered(said.Answer(9))


async def test_a_question_is_put_to_the_run_and_waits_for_its_answer() -> None:
    ours, theirs = Sockets.pair()
    line, run, gone = Line(), Run(theirs), asyncio.Event()

    def hear(message: said.ToChild) -> None:
        assert isinstance(message, said.Answer)
        line.answered(message)

    line.channel = Channel(ours.files, msgspec.msgpack.Decoder(list[said.ToChild]), hear, gone.set)
    await connect(ours, line.channel)
    await connect(theirs, run.channel)
    asking = asyncio.ensure_future(line.ask(question(line)))
    async with asyncio.timeout(10):
        await run.heard.wait()
        (asked,) = run.told
        assert isinstance(asked, said.AskRules)
        run.channel.say(said.Answer(asked.number, yes=True))
        assert (await asking).yes
        line.channel.close()
        await gone.wait()
        await run.gone.wait()
