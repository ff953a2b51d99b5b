"""The processes that read beside a run: started together, given orders, replaced by one another.

One that ends by itself is said, and its orders go to the others; an order that two of them did not
survive is a failure. They end with the run, however that ends: their line to it is closed then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Self, TypeAlias

import msgspec
from msgspec import structs

from crawler.article.copies import Copy, CopyFailed
from crawler.article.reading import NoArticle, Reading
from crawler.frontier import Entry
from crawler.readers import messages as said
from crawler.readers.channel import Channel, connect
from crawler.readers.desk import Desk, Service
from crawler.readers.packing import Unpacker, rested
from crawler.readers.starting import Sockets, Started, started
from crawler.transport.answer import FetchSettings
from crawler.transport.faults import HostResting
from storage.model import Manifest

#: Processes that an order may end before it is given up: the first may have been somebody's kill.
MOST_LOST = 2
#: Seconds that they have to end by themselves when their lines are closed: a few thousandths do.
PATIENCE = 2.0

#: What was made on the way of an article that is handed back, by format, URL and Accept.
Steps: TypeAlias = dict[tuple[str, str, str], Copy | CopyFailed | HostResting]
Result: TypeAlias = Copy | Reading | NoArticle | CopyFailed | HostResting | Steps


class NotStarted(RuntimeError):
    """The system gives no more processes; the message says how many were asked for."""

    exit_code: ClassVar[int] = 2


class NoneLeft(Exception):
    """Every reading process has ended."""


class Lost(Exception):
    """The process that had an order in hand has ended."""


class Broken(RuntimeError):
    """A fault of ours in a reading process; the message is its trace, the error itself first."""

    def __init__(self, trace: str) -> None:
        super().__init__(f"{trace.rstrip().rpartition(chr(10))[2]}\n{trace}")


class _Order:
    """An order in hand: what it was, and who waits for what comes of it."""

    __slots__ = ("message", "result")

    def __init__(
        self, message: said.ReadOrder | said.CopyOrder, result: asyncio.Future[Result]
    ) -> None:
        self.message = message
        self.result = result


class Child:
    """One process. Mutable state: orders in hand, and what it was told of sites."""

    def __init__(
        self,
        sockets: Sockets,
        service: Service,
        lost: Callable[[Child], None],
    ) -> None:
        self.pid = 0
        self.gone = asyncio.Event()
        self.orders: dict[int, _Order] = {}
        self.told: dict[int, said.SiteSetup] = {}
        self._lost = lost
        self._sockets = sockets
        self.channel: Channel[said.ToChild, said.ToRun] = Channel(
            sockets.files, msgspec.msgpack.Decoder(list[said.ToRun]), self._hear, self._ended
        )
        self._unpacker = Unpacker(self.channel.take_over)
        self.desk = Desk(service, self.channel.say, self._manifest_of, self._broke)

    async def connect(self, setup: said.Setup) -> None:
        """Open the line, and say how to fetch."""
        await connect(self._sockets, self.channel)
        self.channel.say(setup)

    async def order(self, message: said.ReadOrder | said.CopyOrder) -> Result:
        """Give an order, and wait for what comes of it. Raises Lost."""
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.orders[message.number] = _Order(message, result)
        self.channel.say(message)
        try:
            return await result
        except asyncio.CancelledError:
            self.channel.say(said.Cancel(message.number))
            raise
        finally:
            self.orders.pop(message.number, None)

    def _hear(self, message: said.ToRun) -> None:
        if isinstance(message, said.Here):
            self.pid = message.pid
            return
        if not isinstance(message, said.Done):
            self.desk.hear(message)
            return
        order = self.orders.get(message.number)
        # Unpacked even where nobody waits: its files come in the order in which they are spoken of.
        result = self._result(message.outcome, order.message if order is not None else None)
        if order is None or order.result.done():
            return
        if isinstance(result, Broken):
            order.result.set_exception(result)
        else:
            order.result.set_result(result)

    def _result(
        self, outcome: said.Outcome, order: said.ReadOrder | said.CopyOrder | None
    ) -> Result | Broken:
        unpack = self._unpacker
        entry = order.entry if isinstance(order, said.ReadOrder) else Entry(url="")
        match outcome:
            case said.SentReading():
                return unpack.reading(outcome, entry)
            case said.SentPage():
                return unpack.page(outcome, entry)
            case said.HandedBack():
                return {
                    (step.format, step.url, step.accept): self._one(step.result)
                    for step in outcome.steps
                }
            case said.Broke():
                return Broken(outcome.trace)
            case _:
                return self._one(outcome)

    def _one(
        self, outcome: said.SentCopy | said.SentFailure | said.SentResting
    ) -> Copy | CopyFailed | HostResting:
        if isinstance(outcome, said.SentCopy):
            return self._unpacker.copy(outcome)
        if isinstance(outcome, said.SentFailure):
            return self._unpacker.failure(outcome)
        return rested(outcome)

    def _manifest_of(self, number: int) -> Manifest | None:
        order = self.orders.get(number)
        if order is None:
            return None
        message = order.message
        return message.previous if isinstance(message, said.CopyOrder) else message.known.newest

    def _broke(self, error: BaseException) -> None:
        """Let every order fail with what failed here: the store, or ourselves."""
        for order in self.orders.values():
            if not order.result.done():
                order.result.set_exception(error)

    def _ended(self) -> None:
        self.desk.close()
        self.gone.set()
        self._lost(self)
        for order in self.orders.values():
            if not order.result.done():
                order.result.set_exception(Lost)


class Pool:
    """``async with`` it around a run. Mutable state: the processes that live, the last number.

    ``say`` is told a sentence where one of them ends by itself. Entering takes those that
    `starting.ahead` has on their way, and raises NotStarted.
    """

    def __init__(
        self,
        setup: said.Setup,
        service: Service,
        say: Callable[[str], None],
    ) -> None:
        self._setup = setup
        self._service = service
        self._say = say
        self._children: list[Child] = []
        self._number = 0
        self._started: Started | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        self._service.politeness.recall = self._recall
        try:
            await self._start()
        except OSError as error:
            await self._close()
            raise NotStarted(
                f"{self._service.children} reading processes can't be started "
                f"({error.strerror or error}): ask for fewer with --processes"
            ) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    async def run(
        self,
        order: Callable[[int], said.ReadOrder | said.CopyOrder],
        url: str,
        site: said.SiteSetup | None = None,
    ) -> Result:
        """Have an order done by one of the processes; ``site`` is what it must have been told.

        Raises NoneLeft where there is none; CopyFailed of ``url`` where MOST_LOST did not survive.
        """
        for _ in range(MOST_LOST):
            child = min(self._children, key=lambda each: len(each.orders), default=None)
            if child is None:
                raise NoneLeft
            if site is not None and child.told.get(site.number) is not site:
                child.told[site.number] = site
                child.channel.say(site)
            self._number += 1
            try:
                return await child.order(order(self._number))
            except Lost:
                continue
        why = f"{MOST_LOST} processes that read it ended before they were done"
        return CopyFailed(url, why)

    async def _start(self) -> None:
        self._started = started(self._service.children)
        for line in self._started.lines:
            child = Child(line, self._service, self._lost)
            await child.connect(self._setup)
            self._children.append(child)

    def _recall(self, host: str) -> None:
        for child in self._children:
            child.desk.recall(host)

    def _lost(self, child: Child) -> None:
        """Say that a process has ended, and who does its work."""
        if child in self._children:
            self._children.remove(child)
        if self._closing:
            return
        left = len(self._children)
        who = f"{left} others" if left > 1 else "the other one" if left else "the run itself"
        self._say(
            f"a reading process (pid {child.pid}) ended, {len(child.orders)} articles in hand: "
            f"{who} goes on with them"
        )

    async def _close(self) -> None:
        """Hang up, and see to it that every process is gone."""
        self._closing = True
        children = tuple(self._children)
        for child in children:
            child.channel.close()
        if self._started is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                for child in children:
                    await child.gone.wait()
        except TimeoutError:
            self._started.kill()
        await asyncio.to_thread(self._started.first.wait)


def set_up(
    fetching: FetchSettings, named: tuple[str, ...], *, max_body: int, ignore_robots: bool
) -> said.Setup:
    """Write down how a child is to fetch; the line it goes over is the run's own."""
    apart = {"resolve", "allow_address", "ca_bundle", "proxies", "headers"}
    plain = {name: value for name, value in structs.asdict(fetching).items() if name not in apart}
    return said.Setup(
        plain=plain,
        resolve=fetching.resolve,
        allow_address=tuple(map(str, fetching.allow_address)),
        ca_bundle=None if fetching.ca_bundle is None else str(fetching.ca_bundle.absolute()),
        proxies=fetching.proxies,
        headers=fetching.headers,
        named=named,
        max_body=max_body,
        ignore_robots=ignore_robots,
    )
