"""What each process that reads articles for a run does.

One for each pair of descriptors: the first imports what all of them need, and makes the others of
itself. Each ends when the run does, whatever it is busy with, and holds nothing that has to be
saved. What needs more than one article's own answers (a site's way of publishing twins, a
canonical's target, a torn set) it hands back with all that it has read, and the run goes on from
there.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import select
import signal
import threading
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NoReturn

import msgspec
from msgspec import Struct

from crawler.allocator import give_back_large_blocks
from crawler.article.canonical import PAGE_ACCEPT, CanonicalFollower
from crawler.article.copies import Copy, CopyFailed, Copyist, Wish
from crawler.article.ownership import Sites
from crawler.article.probe import PageFinder, Prober
from crawler.article.reading import ArticleReader, NoArticle
from crawler.article.torn import TornSets, stale_formats
from crawler.clock import now_utc
from crawler.collector import look_for_cycles_seldom
from crawler.declared import Declared
from crawler.discovery.memory import Memory
from crawler.events import Requested
from crawler.fetch import Fetcher
from crawler.readers import messages as said
from crawler.readers.channel import Channel, connect
from crawler.readers.lent import LentPoliteness
from crawler.readers.packing import Packer, rested
from crawler.readers.starting import Sockets
from crawler.robots_cache import RobotsCache, RobotsEntry
from crawler.transport.answer import FetchSettings
from crawler.transport.faults import HostResting
from crawler.transport.guard import Guard
from crawler.urls import host_key
from storage.archive import Body
from storage.model import Manifest


class HandBack(Exception):
    """The article in hand needs what only the run knows."""


class _Hand(Struct):
    """An order in hand. Mutable state: what was asked for on the way, and what came of it."""

    number: int
    steps: list[tuple[Declared, str, Copy | CopyFailed | HostResting]] = msgspec.field(
        default_factory=list
    )


_IN_HAND: ContextVar[_Hand] = ContextVar("_IN_HAND")


class _Copyist(Copyist):
    """Keeps each step of the article in hand, in case it must be handed back."""

    async def _made(self, wish: Wish) -> Copy:
        steps = _IN_HAND.get().steps
        try:
            copy = await super()._made(wish)
        except (CopyFailed, HostResting) as failure:
            steps.append((wish.declared, wish.accept, failure))
            raise
        steps.append((wish.declared, wish.accept, copy))
        return copy


class _NoCopyist(Copyist):
    """Asks nobody: what it is wanted for is the run's to decide."""

    async def _made(self, wish: Wish) -> NoReturn:
        raise HandBack(wish.declared.url)


class _NoProber(Prober):
    async def probe(self, page: Copy) -> NoReturn:
        raise HandBack(page.final_url)


class _NoFinder(PageFinder):
    async def find(self, twin: Copy) -> NoReturn:
        raise HandBack(twin.final_url)


class _NoMending(TornSets):
    async def mend(self, declared: Mapping[str, Declared], copies: dict[str, Copy]) -> bool:
        if stale_formats(copies, now_utc()):
            raise HandBack(", ".join(sorted(declared)))
        return False


class _Rules(RobotsCache):
    """robots.txt as the run has it: asked for there, kept as long as there."""

    line: Line

    async def _ask(self, place: str) -> RobotsEntry:
        answer = await self.line.ask(said.AskRules(self.line.number(), f"{place}/"))
        if answer.resting is not None:
            raise rested(answer.resting)
        if answer.rules is None:
            raise RuntimeError("the run gave no rules")
        return answer.rules


class _Reader(ArticleReader):
    """Reads one site's articles as far as their own answers go."""

    def __init__(self, setup: said.SiteSetup, copyist: Copyist, none: Copyist) -> None:
        sites = Sites(setup.near)
        # Learned and never changed here: the run says it anew when it learns of more.
        memory = Memory({}, now_utc(), timedelta(days=1), trust=True)
        if setup.held is not None:
            memory.probe_held(setup.held)
        if setup.page_way:
            memory.page_way_held(setup.page_way)

        def in_site(url: str) -> bool:
            return sites.holds(setup.site, url)

        super().__init__(
            copyist,
            in_site=in_site,
            clock=now_utc,
            formats=setup.formats,
            most_bytes=setup.most_bytes,
            probe=setup.probe,
            torn_retries=setup.torn_retries,
            memory=memory,
        )
        self._canonical = CanonicalFollower(none, in_site)
        self._torn = _NoMending(none, setup.torn_retries, now_utc)
        if setup.probe and setup.held is None:
            self._prober = _NoProber(none, memory)
        if setup.probe and not setup.page_way:
            unknown = setup.page_way is None
            self._finder = _NoFinder(none, in_site, PAGE_ACCEPT, memory) if unknown else None


class Line:
    """The way to the run. Mutable state: questions that are not answered yet, by number."""

    def __init__(self) -> None:
        self.channel: Channel[said.ToRun, said.ToChild]
        self._last = 0
        self._asked: dict[int, asyncio.Future[Any]] = {}

    def say(self, message: said.ToRun) -> None:
        """Send a message."""
        self.channel.say(message)

    def number(self) -> int:
        """Return a number that nothing had before."""
        self._last += 1
        return self._last

    def expect(self, number: int, waiter: asyncio.Future[Any]) -> None:
        """Let ``waiter`` have what the run answers to ``number``, if it still waits then."""
        self._asked[number] = waiter
        waiter.add_done_callback(lambda _: self._asked.pop(number, None))

    async def ask(self, message: said.AskEnded | said.AskRetry | said.AskRules) -> said.Answer:
        """Ask a question, and return its answer."""
        answer: said.Answer = await self._answer(message)
        return answer

    async def stored(self, message: said.AskStored) -> said.StoredBody:
        """Ask for a stored body."""
        body: said.StoredBody = await self._answer(message)
        return body

    def answered(self, message: said.Go | said.Answer | said.StoredBody) -> None:
        """Take in what the run answered."""
        waiter = self._asked.pop(message.number, None)
        if waiter is not None and not waiter.done():
            waiter.set_result(message)

    async def _answer(self, message: said.Question) -> Any:
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.expect(message.number, waiter)
        self.say(message)
        return await waiter


class Process:
    """Serves one run. Mutable state: what it was set up with, its sites, the orders in hand."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._line = Line()
        self._line.channel = Channel(
            sockets.files,
            msgspec.msgpack.Decoder(list[said.ToChild]),
            self._hear,
            _end,
        )
        self._packer = Packer(self._line.channel.hand_over)
        self._readers: dict[int, ArticleReader] = {}
        self._orders: dict[int, asyncio.Task[None]] = {}
        self._polite: LentPoliteness
        self._copyist: Copyist
        self._none: Copyist

    async def serve(self) -> None:
        """Do what the run says until it is gone, which ends this process."""
        await connect(self._sockets, self._line.channel)
        self._line.say(said.Here(os.getpid()))
        await asyncio.Event().wait()

    def _hear(self, message: said.ToChild) -> None:
        match message:
            case said.ReadOrder() | said.CopyOrder():
                self._orders[message.number] = asyncio.create_task(self._order(message))
            case said.Go() | said.Answer() | said.StoredBody():
                self._line.answered(message)
            case said.Lend():
                self._polite.lent(message.host, whole=message.whole)
            case said.Recall():
                self._polite.recalled(message.host)
            case said.Cancel():
                if (task := self._orders.get(message.number)) is not None:
                    task.cancel()
            case said.SiteSetup():
                reader = _Reader(message, self._copyist, self._none)
                self._readers[message.number] = reader
            case said.Setup():
                self._set_up(message)

    def _set_up(self, setup: said.Setup) -> None:
        fetching = _fetching(setup)
        guard = Guard(setup.named, allow=fetching.allow_address, resolve=fetching.resolve)
        jitter = random.Random()  # noqa: S311  - spreads retries, guards no secret
        self._polite = LentPoliteness(fetching, now_utc, self._line)
        fetcher = Fetcher(fetching, self._polite, guard, now_utc, jitter, observe=self._exchanged)
        self._opening = asyncio.ensure_future(fetcher.__aenter__())
        rules = _Rules(fetcher, fetching.agent, now_utc)
        rules.line = self._line
        parts: Any = {"max_body": setup.max_body, "ignore_robots": setup.ignore_robots}
        self._copyist = _Copyist(fetcher, rules, self._read_stored, **parts)
        self._none = _NoCopyist(fetcher, rules, self._read_stored, **parts)

    def _exchanged(self, request: Requested) -> None:
        lent = self._polite.was_lent(host_key(request.url))
        self._line.say(said.Exchanged(request, lent))

    async def _read_stored(self, _: Manifest, name: str) -> Body:
        order = _IN_HAND.get().number
        body = await self._line.stored(said.AskStored(self._line.number(), order, name))
        return Body(
            representation=body.representation,
            status=body.status,
            reason=body.reason,
            headers=body.headers,
            stored=body.stored,
            decoded=body.decoded,
        )

    async def _order(self, order: said.ReadOrder | said.CopyOrder) -> None:
        hand = _Hand(order.number)
        _IN_HAND.set(hand)
        pack = self._packer
        outcome: said.Outcome
        try:
            await self._opening
            if isinstance(order, said.CopyOrder):
                outcome = pack.copy(await self._copy(order))
            else:
                seen = await self._readers[order.site].read(order.entry, order.known)
                new = order.known.newest is None
                outcome = (
                    pack.page(seen) if isinstance(seen, NoArticle) else pack.reading(seen, new=new)
                )
        except HandBack:
            outcome = said.HandedBack(tuple(self._step(*each) for each in hand.steps))
        except (CopyFailed, HostResting) as failure:
            outcome = pack.failure(failure)
        except Exception:  # noqa: BLE001  - the run ends with it, as it would by its own
            outcome = said.Broke(traceback.format_exc())
        finally:
            self._orders.pop(order.number, None)
        self._line.say(said.Done(order.number, outcome))

    async def _copy(self, order: said.CopyOrder) -> Copy:
        return await self._copyist.copy(
            order.declared,
            previous=order.previous,
            validators=order.validators,
            fresh=order.fresh,
            accept=order.accept,
        )

    def _step(
        self, declared: Declared, accept: str, result: Copy | CopyFailed | HostResting
    ) -> said.Step:
        pack = self._packer
        sent = pack.copy(result) if isinstance(result, Copy) else pack.failure(result)
        return said.Step(declared.format, declared.url, accept, sent)


def _fetching(setup: said.Setup) -> FetchSettings:
    return FetchSettings(
        **setup.plain,
        resolve=setup.resolve,
        allow_address=tuple(map(ip_network, setup.allow_address)),
        ca_bundle=None if setup.ca_bundle is None else Path(setup.ca_bundle),
        proxies=setup.proxies,
        headers=setup.headers,
    )


def _end() -> None:
    """End at once: the run is over or dead, and nothing here is worth a moment."""
    os._exit(0)


def _watch(descriptor: int) -> None:
    """End with the run even while a document is being parsed: the loop would hear of it later."""
    poll = select.poll()
    poll.register(descriptor, 0)
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll()):
        pass
    _end()


def main(numbers: list[int]) -> None:
    """Serve the run that left the descriptors ``numbers`` open, a process for each two of them."""
    # Ctrl-C is the run's to hear: it has the articles in hand finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody waits for the others.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    give_back_large_blocks()
    look_for_cycles_seldom()
    gc.freeze()
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    own = pairs[0]
    for pair in pairs[1:]:
        if not os.fork():
            own = pair
            break
    for number in set(numbers) - set(own):
        # held open here, another's line would outlive it
        os.close(number)
    sockets = Sockets.of(*own)
    threading.Thread(target=_watch, args=(sockets.talk.fileno(),), daemon=True).start()
    asyncio.run(Process(sockets).serve())
