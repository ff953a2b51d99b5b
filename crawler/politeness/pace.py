"""One host's pace, decided: when the next request may start and what an answer changes.

Pure: the caller passes the time. No lock, no timer, no coroutine; turns.py performs what
is decided here. Retry-After is RFC 9110 section 10.2.3; the other rules are this module's own.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.transport.answer import FetchSettings
from storage.times import parse_http_date

#: Answers by which a server says that it has too much to do (RFC 6585, RFC 9110).
BUSY = frozenset({429, 503})
#: Seconds of the first adaptive delay: what an unknown busy host is given to breathe.
FIRST_DELAY = 1.0
#: Share of an adaptive delay that stays after a good answer: back from a minute in 18 of them.
EASING = 0.8
#: Part of an interval a late start may be made up for. At half of it, no second can hold more
#: than the rate and one request even where the network adds nearly as much jitter again.
SLACK = 0.5
#: Seconds of the longest wait that is believed. Past a month it is a slip or spite, and a mirror
#: that rests until the year 9999 would never learn that it was taken back.
LONGEST_WAIT = 30 * 86_400.0


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for, from ``now`` on; None where it asks for nothing.

    Delay seconds or an HTTP date, LONGEST_WAIT at most. Negative, malformed and past values ask
    for nothing.
    """
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"[0-9]+", value):
        return min(float(value), LONGEST_WAIT) or None
    stamp = parse_http_date(value)
    if stamp is None or stamp.at <= now:
        return None
    return min((stamp.at - now).total_seconds(), LONGEST_WAIT)


@dataclass(slots=True)
class Pace:
    """The pace of one host. Times are monotonic seconds, but ``until``, a date to be stored.

    All mutable state of a host is here: the plan (``next_at``, ``last_at``, ``delay``), what the
    server asked for (``held``, ``until``), what it suffered (``strikes``, ``struck_at``), counts.
    """

    settings: FetchSettings
    rate: float
    concurrency: int
    crawl_delay: float = 0.0
    active: int = 0
    next_at: float = -math.inf
    last_at: float = -math.inf
    delay: float = 0.0
    held: float = -math.inf
    until: datetime | None = None
    strikes: int = 0
    struck_at: float = -math.inf
    over: bool = False
    why: str = ""
    requests: int = 0
    retries: int = 0

    @classmethod
    def new(cls, settings: FetchSettings) -> Pace:
        """Begin at the configured rate."""
        pace = cls(settings, settings.rate, settings.concurrency)
        pace.delay = pace.least
        return pace

    @property
    def least(self) -> float:
        """Seconds between requests that are never gone below: ours, or the host's Crawl-delay."""
        return max(1 / self.rate if self.rate > 0 else 0.0, self.crawl_delay)

    def ready_in(self, now: float) -> float:
        """Seconds until the next request may start; 0: now, infinity: the turn is over."""
        if self.over:
            return math.inf
        return max(self.next_at - now, self.held - now, 0.0)

    def start(self, now: float) -> None:
        """Note that a request starts, and plan the next."""
        self.active += 1
        self.requests += 1
        self.last_at = now
        if self.delay:
            paused = now - self.next_at > self.delay
            self.next_at = max(self.next_at, now - (0.0 if paused else self._credit)) + self.delay

    def sent(self, now: float) -> None:
        """Note that a request that was started went out: late, if a connection was made for it.

        The next one keeps its distance from this moment, which is the one that the server sees.
        """
        self.last_at = now
        if self.delay:
            self.next_at = max(self.next_at, now - self._credit + self.delay)

    def obey(self, crawl_delay: float) -> None:
        """Keep a Crawl-delay from the last request on, which asked for robots.txt."""
        self.crawl_delay = crawl_delay
        self.delay = max(self.delay, self.least)
        self.next_at = max(self.next_at, self.last_at + self.least)

    def eased(self, started: float, seconds: float) -> None:
        """Note a good answer that took ``seconds`` to begin.

        A host that is slow to answer is asked no faster than it answers its connections one after
        another; a quick one comes back to the configured rate, never past it.
        """
        if started >= self.struck_at:
            self.strikes = 0
        if not self.rate:
            return
        wanted = seconds / self.concurrency
        if wanted > self.delay:
            self.delay = min((self.delay + wanted) / 2, max(self.settings.max_delay, self.least))
        elif self.delay > self.least:
            self.delay = max(self.least, wanted, self.delay * EASING)

    def strained(self) -> None:
        """Slow down: the server is busy, or did not answer in time."""
        if self.rate:
            slower = min(max(self.delay * 2, FIRST_DELAY), self.settings.max_delay)
            self.delay = max(slower, self.least)

    def struck(self, now: float, started: float, why: str) -> None:
        """Count a refusal or a failed connection; the turn ends after too many in a row.

        Requests that were under way when the last one was counted say nothing new.
        """
        if started < self.struck_at:
            return
        self.struck_at = now
        self.strikes += 1
        if self.strikes >= self.settings.strikes and not self.over:
            self.over = True
            self.why = f"left alone for the rest of this run after {self.strikes} failures: {why}"

    def asked(self, now: float, date: datetime, seconds: float) -> None:
        """Obey a wait that the server asked for; above the cap it ends the host's turn."""
        until = date + timedelta(seconds=min(seconds, LONGEST_WAIT))
        if self.until is not None and until <= self.until:
            return
        self.until = until
        self.why = f"the server asked to be left alone until {until:%Y-%m-%d %H:%M:%S} UTC"
        if seconds > self.settings.retry_after_cap:
            self.over = True
        else:
            self.held = now + seconds

    @property
    def _credit(self) -> float:
        """Seconds that a late start is made up for: only where the pace is ours, not the host's."""
        ours = self.rate > 0 and self.crawl_delay < self.delay <= 1 / self.rate
        return self.delay * SLACK if ours else 0.0

    def may_retry(self) -> bool:
        """Take one retry from the host's budget; False where it is spent."""
        if self.retries >= self.settings.retry_budget + self.settings.retry_share * self.requests:
            return False
        self.retries += 1
        return True
