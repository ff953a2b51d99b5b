"""The run's side of one reading process: what that asks for, from what there is one of.

Places on the wire, retries, robots.txt and stored bodies. A process that is gone leaves no place
taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Struct

from crawler.article.copies import ReadStored
from crawler.events import Requested
from crawler.politeness.turns import Politeness, Slot
from crawler.readers import messages as said
from crawler.readers.packing import resting
from crawler.robots_cache import RobotsCache
from crawler.transport.faults import HostResting
from crawler.urls import host_key
from storage.model import Manifest


class Service(Struct, frozen=True, kw_only=True):
    """What the run has one of; ``observe`` is told of every exchange, ``children`` share it."""

    politeness: Politeness
    robots: RobotsCache
    read_stored: ReadStored
    observe: Callable[[Requested], None]
    children: int


class _Place:
    """A place on the wire that is given, and what tells that it is free again."""

    __slots__ = ("left", "slot")

    def __init__(self, slot: Slot, left: asyncio.Future[None]) -> None:
        self.slot = slot
        self.left = left


class Desk:
    """Serves one child. Mutable state: places given and waited for, places lent, what is asked."""

    def __init__(
        self,
        service: Service,
        say: Callable[[said.ToChild], None],
        manifest_of: Callable[[int], Manifest | None],
        broke: Callable[[BaseException], None],
    ) -> None:
        """``say`` reaches the child; ``manifest_of`` gives the known snapshot of an order.

        ``broke`` is told what the store raised, or a fault of ours.
        """
        self._service = service
        self._say = say
        self._manifest_of = manifest_of
        self._broke = broke
        self._places: dict[int, _Place] = {}
        self._waiting: dict[int, asyncio.Task[None]] = {}
        self._questions: set[asyncio.Task[None]] = set()
        self._lent: dict[str, int] = {}
        self._recalled: set[str] = set()

    def hear(self, message: said.ToRun) -> None:
        """Do what the child says."""
        match message:
            case said.Exchanged():
                if message.lent:
                    self._service.politeness.count_lent(host_key(message.request.url))
                self._service.observe(message.request)
            case said.Enter():
                task = self._start(self._place(message))
                self._waiting[message.number] = task
            case said.Sent():
                self._places[message.number].slot.sent(message.at)
            case said.Answered():
                self._slot(message).answered(message.status, message.asked, message.seconds)
            case said.Failed():
                self._slot(message).failed(message.kind, message.sentence)
            case said.Left():
                self._left(message.number)
            case said.Returned():
                self._returned(message.host, message.places)
            case said.AskEnded() | said.AskRetry() | said.AskRules() | said.AskStored():
                self._start(self._answer(message))

    def recall(self, host: str) -> None:
        """Ask for the places to ``host`` that were lent."""
        if self._lent.get(host) and host not in self._recalled:
            self._recalled.add(host)
            self._say(said.Recall(host))

    def close(self) -> None:
        """Take back every place: the child is gone."""
        for task in (*self._waiting.values(), *self._questions):
            task.cancel()
        for host in list(self._lent):
            self._returned(host, self._lent[host])

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._questions.add(task)
        task.add_done_callback(self._ended_task)
        return task

    def _ended_task(self, task: asyncio.Task[None]) -> None:
        self._questions.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broke(error)

    async def _place(self, ask: said.Enter) -> None:
        """Give a place on the wire when its time has come, and keep it until it is left.

        What is left on a host that sets no pace becomes a lent place: the child's next requests
        need not ask.
        """
        slot = self._service.politeness.slot(ask.host, ask.url, child=True)
        try:
            await slot.__aenter__()
        except HostResting as error:
            self._say(said.Answer(ask.number, resting=resting(error)))
            return
        finally:
            self._waiting.pop(ask.number, None)
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._places[ask.number] = _Place(slot, left)
        self._say(said.Go(ask.number, slot.started))
        try:
            await left
            self._lend(ask.host)
        finally:
            del self._places[ask.number]
            await slot.__aexit__(None, None, None)

    def _left(self, number: int) -> None:
        place = self._places.get(number)
        if place is not None:
            if not place.left.done():
                place.left.set_result(None)
        elif (task := self._waiting.get(number)) is not None:
            task.cancel()

    def _lend(self, host: str) -> None:
        service, lent = self._service, self._lent.get(host, 0)
        if host in self._recalled:
            return
        share = service.politeness.lend(host, service.children, lent)
        if share:
            self._lent[host] = lent + 1
            self._say(said.Lend(host, whole=lent + 1 >= share))

    def _returned(self, host: str, places: int) -> None:
        self._lent[host] -= places
        self._recalled.add(host)
        if not self._lent[host]:
            del self._lent[host]
            self._recalled.discard(host)
        self._service.politeness.restore(host, places)

    def _slot(self, message: said.Answered | said.Failed) -> Slot:
        """Return the slot that is spoken of; one that was lent is made for the occasion."""
        if message.number:
            return self._places[message.number].slot
        if self._lent.get(message.host):
            # the child has recalled it by itself, or is about to be told
            self._recalled.add(message.host)
        slot = self._service.politeness.slot(message.host)
        slot.started = message.started
        return slot

    async def _answer(
        self, ask: said.AskEnded | said.AskRetry | said.AskRules | said.AskStored
    ) -> None:
        match ask:
            case said.AskEnded():
                await self._ended(ask)
            case said.AskRetry():
                await self._retry(ask)
            case said.AskRules():
                await self._rules(ask)
            case _:
                await self._stored(ask)

    async def _ended(self, ask: said.AskEnded) -> None:
        error = await self._service.politeness.slot(ask.host, ask.url).ended()
        told = resting(error) if error is not None else None
        self._say(said.Answer(ask.number, resting=told))

    async def _retry(self, ask: said.AskRetry) -> None:
        yes = await self._service.politeness.may_retry(ask.host)
        self._say(said.Answer(ask.number, yes=yes))

    async def _rules(self, ask: said.AskRules) -> None:
        try:
            rules = await self._service.robots.entry_for(ask.url)
        except HostResting as error:
            self._say(said.Answer(ask.number, resting=resting(error)))
        else:
            self._say(said.Answer(ask.number, rules=rules))

    async def _stored(self, ask: said.AskStored) -> None:
        manifest = self._manifest_of(ask.order)
        if manifest is None:
            # cancelled meanwhile
            return
        body = await self._service.read_stored(manifest, ask.format)
        self._say(
            said.StoredBody(
                ask.number,
                body.representation,
                body.status,
                body.reason,
                body.headers,
                body.stored,
                body.decoded,
            )
        )
