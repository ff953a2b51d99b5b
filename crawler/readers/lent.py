"""A reading process's places on the wire: the run's politeness keeps them all.

Each request asks for its place and says what came of it. Where a host sets no pace and is not in
trouble, the run lends places that need not be asked for; the first sign of trouble, and whoever
else waits for the host, ends that. Which requests are made is decided by the run in either case.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

from crawler.politeness.hosts import Host
from crawler.politeness.turns import Politeness, Slot
from crawler.readers import messages as said
from crawler.readers.packing import rested
from crawler.transport.answer import FetchSettings
from crawler.transport.faults import HostResting, Kind
from crawler.transport.retry import RETRIED

Waiter: TypeAlias = "asyncio.Future[_Lease | said.Go | said.Answer]"


class Line(Protocol):
    """The way to the run: what is said, and questions with their answers."""

    def say(self, message: said.ToRun) -> None:
        """Send a message."""

    def number(self) -> int:
        """Return a number that no question and no place had before."""

    def expect(self, number: int, waiter: asyncio.Future[Any]) -> None:
        """Let ``waiter`` have what the run answers to ``number``, if it still waits then."""

    async def ask(self, message: said.AskEnded | said.AskRetry) -> said.Answer:
        """Ask a question, and return its answer."""


class _Lease:
    """Places to one host that were lent. Mutable state: how many, and how many are in use.

    ``whole``: there will be no more of them, and who finds none need not ask the run.
    """

    __slots__ = ("places", "used", "whole")

    def __init__(self) -> None:
        self.places = 0
        self.used = 0
        self.whole = False


class _Waiting:
    """A request that waits for a place: for a lent one, or by its number for one of the run's."""

    __slots__ = ("number", "url", "waiter")

    def __init__(self, url: str) -> None:
        self.number = 0
        self.url = url
        self.waiter: Waiter = asyncio.get_running_loop().create_future()


class LentPoliteness(Politeness):
    """The run's politeness from a child's side.

    Mutable state: what is lent of each host, who waits for it, and how many requests in lent places
    were not told of yet.
    """

    def __init__(self, settings: FetchSettings, clock: Callable[[], datetime], line: Line) -> None:
        super().__init__(settings, clock)
        self.line = line
        self._leases: dict[str, _Lease] = {}
        self._lines: defaultdict[str, deque[_Waiting]] = defaultdict(deque)
        self._unknown: Counter[str] = Counter()

    def slot(self, host: str, url: str = "", *, child: bool = False, ahead: bool = False) -> Slot:
        """Make a slot that the run gives, or that it has lent, each in the order of asking."""
        return _LentSlot(self, self._host(host), url, child=child, ahead=ahead)

    def crawl_delay(self, host: str, seconds: float) -> float:  # noqa: ARG002  - as it is there
        """Leave it to the run, which read the same robots.txt."""
        return seconds

    async def may_retry(self, host: str) -> bool:
        """Take one retry from the host's budget, which the run keeps."""
        return (await self.line.ask(said.AskRetry(self.line.number(), host))).yes

    def lent(self, host: str, *, whole: bool) -> None:
        """Take in that one place more to ``host`` may be used without asking."""
        lease = self._leases.setdefault(host, _Lease())
        lease.places += 1
        lease.whole = whole
        lease.used += self._pass_on(host, lease)

    def recalled(self, host: str) -> None:
        """Give back what is not in use, and the rest as it becomes free; who waits has to ask."""
        lease = self._leases.pop(host, None)
        if lease is None:
            return
        idle = lease.places - lease.used
        lease.places = 0
        if idle:
            self.line.say(said.Returned(host, idle))
        for waiting in self._lines[host]:
            if not waiting.number and not waiting.waiter.done():
                self._ask(host, waiting)

    def was_lent(self, host: str) -> bool:
        """Say, once for each, whether a request was made that the run had not to be asked for."""
        if not self._unknown[host]:
            return False
        self._unknown[host] -= 1
        return True

    async def wait(self, host: str, url: str) -> tuple[_Lease | None, int, float]:
        """Wait for a place: a lent one, or one of the run's with its number; and since when.

        Raises HostResting for ``url``.
        """
        lease = self._leases.get(host)
        if lease is not None and lease.used < lease.places:
            lease.used += 1
            self._unknown[host] += 1
            return lease, 0, time.monotonic()
        waiting = _Waiting(url)
        self._lines[host].append(waiting)
        if lease is None or not lease.whole:
            self._ask(host, waiting)
        try:
            got = await waiting.waiter
        except asyncio.CancelledError:
            self._gave_up(host, waiting)
            raise
        if isinstance(got, _Lease):
            self._unknown[host] += 1
            return got, 0, time.monotonic()
        self._leave_line(host, waiting)
        if isinstance(got, said.Go):
            return None, waiting.number, got.started
        if got.resting is None:
            raise RuntimeError("the run answered neither yes nor no")
        raise rested(got.resting)

    def give_back(self, host: str, lease: _Lease) -> None:
        """Pass a lent place on to who waits for one, or back to the run where it was recalled."""
        if lease.places and self._pass_on(host, lease):
            return
        lease.used -= 1
        if not lease.places:
            self.line.say(said.Returned(host, 1))

    def _ask(self, host: str, waiting: _Waiting) -> None:
        waiting.number = self.line.number()
        self.line.expect(waiting.number, waiting.waiter)
        self.line.say(said.Enter(waiting.number, host, waiting.url))

    def _pass_on(self, host: str, lease: _Lease) -> bool:
        """Give a lent place to the first that waits for one; False: nobody does."""
        line = self._lines[host]
        while line:
            waiting = line.popleft()
            if waiting.waiter.done():
                # the run was quicker, or the wait was given up
                continue
            if waiting.number:
                self.line.say(said.Left(waiting.number))
            waiting.waiter.set_result(lease)
            return True
        return False

    def _gave_up(self, host: str, waiting: _Waiting) -> None:
        """Leave no place taken for a wait that was cancelled."""
        waiter = waiting.waiter
        got = None if waiter.cancelled() else waiter.result()
        if isinstance(got, _Lease):
            self.give_back(host, got)
            return
        self._leave_line(host, waiting)
        if waiting.number:
            self.line.say(said.Left(waiting.number))

    def _leave_line(self, host: str, waiting: _Waiting) -> None:
        with suppress(ValueError):
            self._lines[host].remove(waiting)


class _LentSlot(Slot):
    """One place on the wire: one of the run's, by its number, or a lent one."""

    __slots__ = ("_lease", "_number", "_ours")

    def __init__(
        self, politeness: LentPoliteness, host: Host, url: str, *, child: bool, ahead: bool
    ) -> None:
        super().__init__(politeness, host, url, child=child, ahead=ahead)
        self._ours = politeness
        self._lease: _Lease | None = None
        self._number = 0

    async def __aenter__(self) -> Self:
        place = await self._ours.wait(self._host.key, self._url)
        self._lease, self._number, self.started = place
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lease is not None:
            self._ours.give_back(self._host.key, self._lease)
        else:
            self._ours.line.say(said.Left(self._number))

    def sent(self, at: float | None = None) -> None:
        """Tell the run, which keeps a host's pace from this moment on."""
        if self._lease is None:
            now = time.monotonic() if at is None else at
            self._ours.line.say(said.Sent(self._number, now))

    def answered(self, status: int, asked: str | None, seconds: float) -> None:
        """Tell the run, but for a good answer in a lent place: nothing follows from that."""
        lease = self._lease
        if lease is not None and lease.places and status not in RETRIED:
            return
        key = self._host.key
        if lease is not None and lease.places:
            self._ours.recalled(key)
        self._ours.line.say(said.Answered(self._number, key, self.started, status, asked, seconds))

    def failed(self, kind: Kind, sentence: str) -> None:
        """Tell the run that there was no answer."""
        key = self._host.key
        if self._lease is not None and self._lease.places:
            self._ours.recalled(key)
        self._ours.line.say(said.Failed(self._number, key, self.started, kind, sentence))

    async def ended(self) -> HostResting | None:
        """Ask the run whether the host's turn is over by now."""
        line = self._ours.line
        ask = said.AskEnded(line.number(), self._host.key, self._url)
        answer = await line.ask(ask)
        return rested(answer.resting) if answer.resting is not None else None
