"""robots.txt of every origin, asked for once (RFC 9309 section 2.4: at most 24 hours).

The meaning of an answer is robots.py's; here is only when to ask. One request an origin is
under way at a time, and everybody else waits for it. A file that could not be had forbids
everything, but is asked for again sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from crawler.fetch import Fetcher
from crawler.robots import MAX_BYTES, Robots, from_answer
from crawler.transport.answer import KIB, MIB
from crawler.transport.faults import FetchError, HostResting
from crawler.urls import host_key, origin
from storage.codings import CodingError

#: RFC 9309 section 2.4.
FRESH = timedelta(hours=24)
#: How long an unreachable file is taken as such: an outage, or half of one.
FRESH_FAILURE = timedelta(minutes=30)
#: Bytes that are read off the wire: what is parsed, and the rest of its last line.
READ = MAX_BYTES + 64 * KIB
#: Bytes that a file sent in a content coding we did not ask for may decode to.
DECODED = 16 * MIB
_REDIRECTED = 302
_TOO_MANY = 429
_SERVER_ERROR = 500


class RobotsEntry(Struct, frozen=True, kw_only=True):
    """An origin's robots.txt as answered, content coding undone.

    ``status`` None: none that can be read, and ``why`` in words.
    """

    origin: str
    status: int | None
    body: bytes
    fetched_at: datetime
    why: str = ""

    @property
    def until(self) -> datetime:
        """When it has to be asked for again."""
        status = self.status
        failed = status is None or status == _TOO_MANY or status >= _SERVER_ERROR
        return self.fetched_at + (FRESH_FAILURE if failed else FRESH)

    def fresh(self, now: datetime) -> bool:
        """Whether it need not be asked for again."""
        return self.fetched_at <= now < self.until


#: The shortest text before a URL's path, but for a host's name.
_LEAST_ORIGIN = len("https://")


class _Known(NamedTuple):
    entry: RobotsEntry
    robots: Robots
    since: datetime
    until: datetime

    def fresh(self, now: datetime) -> bool:
        """Whether the entry is; its times are looked up for every URL."""
        return self.since <= now < self.until


class RobotsCache:
    """The rules of every origin for ``agent`` (its product token decides).

    ``clock`` gives the date (aware, UTC); ``known`` are entries of an earlier run.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        agent: str,
        clock: Callable[[], datetime],
        known: Iterable[RobotsEntry] = (),
    ) -> None:
        self._fetcher = fetcher
        self._agent = agent
        self._clock = clock
        # mutable state: parsed entries, unparsed ones of an earlier run, a lock an origin
        self._known: dict[str, _Known] = {}
        self._stored = {entry.origin: entry for entry in known}
        self._locks: dict[str, asyncio.Lock] = {}

    async def robots_for(self, url: str) -> Robots:
        """Return the rules for ``url``'s origin, asked for if they are not known.

        Its Crawl-delay is passed on to politeness. Raises HostResting, and remembers nothing,
        where the host can't be asked now.
        """
        return (await self._known_for(url)).robots

    def known(self, url: str) -> Robots | None:
        """Return the rules for ``url``'s origin where nobody has to be asked; None: unknown."""
        # In normal form an origin is what stands before the path.
        path = url.find("/", _LEAST_ORIGIN)
        known = self._known.get(url[:path]) if path > 0 else None
        return known.robots if known is not None and known.fresh(self._clock()) else None

    async def entry_for(self, url: str) -> RobotsEntry:
        """Return what ``url``'s origin answered, as `robots_for` does its rules."""
        return (await self._known_for(url)).entry

    def entries(self) -> tuple[RobotsEntry, ...]:
        """Return what is known and fresh, to be stored for a later run."""
        now = self._clock()
        entries = self._stored | {place: known.entry for place, known in self._known.items()}
        return tuple(entry for entry in entries.values() if entry.fresh(now))

    async def _known_for(self, url: str) -> _Known:
        place = origin(url)
        async with self._locks.setdefault(place, asyncio.Lock()):
            known = self._known.get(place)
            if known is None or not known.fresh(self._clock()):
                known = await self._learn(place)
            return known

    async def _learn(self, place: str) -> _Known:
        entry = self._stored.pop(place, None)
        if entry is None or not entry.fresh(self._clock()):
            entry = await self._ask(place)
        robots = from_answer(entry.status, entry.body, self._agent, entry.why)
        if robots.crawl_delay is not None:
            self._fetcher.politeness.crawl_delay(host_key(place), robots.crawl_delay)
        known = self._known[place] = _Known(entry, robots, entry.fetched_at, entry.until)
        return known

    async def _ask(self, place: str) -> RobotsEntry:
        """Fetch the file; the rules are those of ``place`` wherever it redirects to (2.3.1.2)."""
        status: int | None
        why, body = "", b""
        try:
            answer = await self._fetcher.get(
                f"{place}/robots.txt",
                accept="text/plain,*/*;q=0.5",
                encodings="identity",
                cut_at=READ,
            )
            status, body = answer.status, answer.decoded(DECODED)[: MAX_BYTES + 1]
        except HostResting:
            raise
        except CodingError as error:
            # rules that can't be read forbid
            status, why = None, str(error)
        except FetchError as error:
            # Section 2.3.1.2: past five hops it may be taken as unavailable, which 3xx stands for
            status = _REDIRECTED if error.kind == "redirect" else None
            why = error.sentence
        return RobotsEntry(
            origin=place, status=status, body=body, fetched_at=self._clock(), why=why
        )
