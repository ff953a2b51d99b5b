"""Who may ask which host now: the asynchronous shell around pace.py.

A slot is held only while bytes move. Whoever waits for a pace, a Retry-After or a place
on the wire holds none, so a waiting host keeps nobody else waiting. Each host serves
its waiters first come, first served; hosts that wait for the total number of connections take
turns.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

from crawler.politeness.hosts import Host, HostView
from crawler.politeness.pace import BUSY, Pace, retry_after
from crawler.politeness.permit import Permit, Refused
from crawler.transport.answer import FetchSettings
from crawler.transport.faults import HostResting, Kind
from crawler.transport.retry import RETRIED

#: Seconds that a timer is set at least: event loops count in milliseconds, and may wake early.
_TICK = 0.001
_SLOWED: frozenset[Kind] = frozenset({"timeout", "slow"})
#: What a dead or dying host does: no connection, or one that ends without an answer.
_STRIKES: frozenset[Kind] = frozenset({"connect", "dns", "tls", "proxy", "reset", "timeout"})


def _nobody(_: str) -> None:
    """Recall nothing: nothing is lent."""


class Politeness:
    """Pace, concurrency and rest of every host, for one run.

    ``clock`` gives the date (aware, UTC), ``monotonic`` seconds; ``not_before`` maps host keys to
    moments that servers asked for in earlier runs; ``on_wait`` is told host, seconds and why.
    """

    def __init__(
        self,
        settings: FetchSettings,
        clock: Callable[[], datetime],
        not_before: Mapping[str, datetime] | None = None,
        *,
        on_wait: Callable[[str, float, str], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        permit: Permit | None = None,
    ) -> None:
        self._settings = settings
        self._permit = permit
        self._clock = clock
        self._monotonic = monotonic
        self._on_wait = on_wait
        # mutable state: the hosts, requests on the wire, hosts that wait for a connection
        self._hosts: dict[str, Host] = {}
        self._active = 0
        self._crowded: dict[str, Host] = {}
        #: Asked to see to it that what is lent of a host is restored soon.
        self.recall: Callable[[str], None] = _nobody
        now = clock()
        for host, moment in (not_before or {}).items():
            if moment > now:
                seconds = (moment - now).total_seconds()
                self._host(host).pace.asked(monotonic(), now, seconds)

    def slot(self, host: str, url: str = "", *, child: bool = False, ahead: bool = False) -> Slot:
        """``async with`` it around one exchange with ``host``.

        Entering waits for the host's pace and a connection; raises HostResting for ``url`` where
        the host's turn is over. What happened is told to the slot before it is left. ``child``: it
        is for one of those that have their share in lent places (see `lend`). ``ahead``: it comes
        before all who wait, where nobody waits for the host's pace.
        """
        return Slot(self, self._host(host), url, child=child, ahead=ahead)

    def limit(
        self, host: str, *, rate: float | None = None, concurrency: int | None = None
    ) -> None:
        """Give ``host`` a pace of its own; None leaves that part as it is."""
        entry = self._host(host)
        pace = entry.pace
        pace.rate = pace.rate if rate is None else rate
        pace.concurrency = pace.concurrency if concurrency is None else concurrency
        pace.delay = pace.least
        self._recall(entry)
        self._rearm(entry)

    def crawl_delay(self, host: str, seconds: float) -> float:
        """Keep the Crawl-delay of robots.txt where it is longer than ours.

        Returns the seconds between requests that hold now; a delay above the cap is cut to it,
        and said.
        """
        entry = self._host(host)
        pace = entry.pace
        cap = self._settings.max_crawl_delay
        if not math.isfinite(seconds) or seconds < 0:
            return pace.least
        self._recall(entry)
        pace.obey(min(seconds, cap))
        if seconds > cap and self._on_wait is not None:
            why = f"robots.txt asks for {seconds:g} s between requests; the most we keep is {cap:g}"
            self._on_wait(host, cap, why)
        return pace.least

    def wait_seconds(self, host: str) -> float:
        """Seconds until a request to ``host`` could start: 0 is now, infinity not in its turn."""
        entry = self._hosts.get(host)
        return 0.0 if entry is None else self._ready_in(entry)

    def resting(self, host: str) -> bool:
        """Whether the host's turn is over."""
        return math.isinf(self.wait_seconds(host))

    async def may_retry(self, host: str) -> bool:
        """Take one retry from the host's budget; False where it is spent."""
        return self._host(host).pace.may_retry()

    def lend(self, host: str, children: int, lent: int) -> int:
        """Keep a place to ``host`` that is about to be left for one of ``children``.

        It may use it without asking, and the place counts as active until it is restored. Returns
        the child's share of the places; 0 where there is nothing to lend: where the host sets a
        pace or is in trouble, where the child has its share with the ``lent`` ones, and where
        somebody else than a child waits for the host.
        """
        entry = self._host(host)
        pace = entry.pace
        if pace.delay or pace.strikes or self._ready_in(entry) or self._crowded:
            return 0
        share = pace.concurrency // children
        if lent >= share or entry.others:
            return 0
        entry.lent += 1
        pace.active += 1
        self._active += 1
        return share

    def restore(self, host: str, places: int) -> None:
        """Take lent ``places`` back."""
        entry = self._host(host)
        entry.lent -= places
        for _ in range(places):
            self.leave(entry)

    def count_lent(self, host: str) -> None:
        """Count a request that was made in a lent place."""
        self._host(host).pace.requests += 1

    def not_before(self) -> dict[str, datetime]:
        """Moments that hosts asked for and that are still ahead, by host key: to be stored."""
        now = self._clock()
        return {
            key: host.pace.until
            for key, host in self._hosts.items()
            if host.pace.until is not None and host.pace.until > now
        }

    def state(self) -> tuple[HostView, ...]:
        """Show every host that was asked or that rests, in order of first sight."""
        now = self._monotonic()
        return tuple(host.view(now) for host in self._hosts.values())

    async def enter(self, host: Host, url: str, *, child: bool, ahead: bool) -> float:
        """Wait for leave and a place on the wire; returns the monotonic second it was given."""
        if self._permit is None:
            return await self._enter(host, url, child=child, ahead=ahead)
        try:
            wait = await self._permit.begin(host.key)
        except Refused as refused:
            raise HostResting(url, host.key, None, f"{host.key}: {refused}") from refused
        if wait:
            host.pace.next_at = max(host.pace.next_at, self._monotonic() + wait)
        try:
            started = await self._enter(host, url, child=child, ahead=ahead)
        except BaseException:
            self.done(host)
            raise
        if not self._permit.stands():
            self.leave(host)
            self.done(host)
            raise HostResting(url, host.key, None, f"{host.key}: leave to ask it has run out")
        return started

    def done(self, host: Host) -> None:
        """Note that whoever entered needs the host no more."""
        if self._permit is not None:
            self._permit.end(host.key, self._quiet(host))

    async def _enter(self, host: Host, url: str, *, child: bool, ahead: bool) -> float:
        pace = host.pace
        crowded = pace.active >= pace.concurrency or self._active >= self._settings.connections
        now = self._monotonic()
        if host.waiters or crowded or pace.ready_in(now):
            await self._queue(host, url, child=child, ahead=ahead)
            return self._monotonic()
        self._active += 1
        pace.start(now)
        return now

    def sent(self, host: Host, at: float | None = None) -> None:
        """Note that a request went out on its connection, now or ``at`` a monotonic second."""
        host.pace.sent(self._monotonic() if at is None else at)

    def leave(self, host: Host) -> None:
        """Give the place back, and wake who waits for it."""
        self._active -= 1
        host.pace.active -= 1
        if host.waiters:
            self._pump(host)
        while self._crowded and self._active < self._settings.connections:
            self._pump(self._crowded.pop(next(iter(self._crowded))))

    def answered(
        self, host: Host, started: float, status: int, asked: str | None, seconds: float
    ) -> None:
        """Learn from an answer: its status, its Retry-After, the seconds until it began."""
        pace = host.pace
        if status in RETRIED:
            self._recall(host)
        if status in BUSY:
            pace.strained()
            pace.struck(self._monotonic(), started, f"the server answered {status}")
        elif status < 500:  # noqa: PLR2004  - RFC 9110 section 15.6: from here on, its own errors
            pace.eased(started, seconds)
        if asked is not None and status in RETRIED:
            date = self._clock()
            wait = retry_after(asked, date)
            if wait is not None:
                pace.asked(self._monotonic(), date, wait)
                self._say(host, wait)

    def failed(self, host: Host, started: float, kind: Kind, sentence: str) -> None:
        """Learn from an exchange that gave no answer."""
        self._recall(host)
        if kind in _SLOWED:
            host.pace.strained()
        if kind in _STRIKES:
            host.pace.struck(self._monotonic(), started, sentence)

    def ended(self, host: Host, url: str) -> HostResting | None:
        """Return the error that says so where the host's turn is over."""
        return self._resting(host, url) if host.pace.over else None

    def _resting(self, host: Host, url: str) -> HostResting:
        until = host.pace.until
        ahead = until is not None and until > self._clock()
        return HostResting(url, host.key, until if ahead else None, f"{host.key}: {host.pace.why}")

    async def _queue(self, host: Host, url: str, *, child: bool, ahead: bool) -> None:
        """Wait in the host's line; a cancelled wait leaves no place taken."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        # At a pace, what always comes first would leave the others no place at all.
        first = ahead and not host.pace.delay
        (host.waiters.appendleft if first else host.waiters.append)(turn)
        host.others += not child
        self._pump(host)
        if not turn.done():
            if host.key in self._crowded:
                for each in self._hosts.values():
                    self._recall(each)
            elif not child:
                self._recall(host)
        try:
            go = await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                # The pump drops a turn that was given up, where it comes first.
                with suppress(ValueError):
                    host.waiters.remove(turn)
            elif turn.result():
                self.leave(host)
            raise
        finally:
            host.others -= not child
        if not go:
            raise self._resting(host, url)

    def _recall(self, host: Host) -> None:
        if host.lent:
            self.recall(host.key)

    def _host(self, key: str) -> Host:
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = Host(key, Pace.new(self._settings))
        return host

    def _quiet(self, host: Host) -> float:
        """Return the seconds for which whoever asks ``host`` next, here or elsewhere, waits."""
        pace, now = host.pace, self._clock()
        asked = 0.0 if pace.until is None else (pace.until - now).total_seconds()
        ready = self._settings.max_delay if pace.over else self._ready_in(host)
        return max(asked, ready, 0.0)

    def _ready_in(self, host: Host) -> float:
        return host.pace.ready_in(self._monotonic())

    def _start(self, host: Host) -> None:
        self._active += 1
        host.pace.start(self._monotonic())

    def _pump(self, host: Host) -> None:
        """Start as many of the host's waiters as may start now, and see to the next."""
        while host.waiters:
            if host.waiters[0].done():
                host.waiters.popleft()
                continue
            wait = self._ready_in(host)
            if math.isinf(wait):
                host.waiters.popleft().set_result(False)
            elif host.pace.active >= host.pace.concurrency:
                return
            elif wait > 0:
                self._wake(host, wait)
                return
            elif self._active >= self._settings.connections:
                self._crowded[host.key] = host
                return
            else:
                self._start(host)
                host.waiters.popleft().set_result(True)

    def _wake(self, host: Host, seconds: float) -> None:
        # A timer that is set already fires too early at worst, and is then set again.
        if host.timer is None:
            loop = asyncio.get_running_loop()
            host.timer = loop.call_later(max(seconds, _TICK), self._rearm, host)

    def _rearm(self, host: Host) -> None:
        if host.timer is not None:
            host.timer.cancel()
            host.timer = None
        self._pump(host)

    def _say(self, host: Host, seconds: float) -> None:
        if self._on_wait is not None:
            self._on_wait(host.key, seconds, host.pace.why)


class Slot:
    """One place on the wire to one host; made by Politeness.slot, entered once.

    Tell it what came of the exchange before it is left: ``answered`` or ``failed``. ``started`` is
    the monotonic second at which the place was given.
    """

    __slots__ = ("_ahead", "_child", "_host", "_politeness", "_url", "started")

    def __init__(
        self, politeness: Politeness, host: Host, url: str, *, child: bool, ahead: bool
    ) -> None:
        self._ahead = ahead
        self._child = child
        self._politeness = politeness
        self._host = host
        self._url = url
        self.started = 0.0

    async def __aenter__(self) -> Self:
        self.started = await self._politeness.enter(
            self._host, self._url, child=self._child, ahead=self._ahead
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._politeness.leave(self._host)
        self._politeness.done(self._host)

    def sent(self, at: float | None = None) -> None:
        """Tell that the request went out, which is what the server sees of its start."""
        self._politeness.sent(self._host, at)

    def answered(self, status: int, asked: str | None, seconds: float) -> None:
        """Tell the status, the Retry-After value and the seconds until the answer began."""
        self._politeness.answered(self._host, self.started, status, asked, seconds)

    def failed(self, kind: Kind, sentence: str) -> None:
        """Tell that there was no answer, and why."""
        self._politeness.failed(self._host, self.started, kind, sentence)

    async def ended(self) -> HostResting | None:
        """Return the error to raise where the host's turn is over by now."""
        return self._politeness.ended(self._host, self._url)
