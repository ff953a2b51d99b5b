"""The counters of a run: event in, state out. Pure; every reporter draws what stands here.

No clock: the moment comes with each event, and rates and remaining times are asked for at a moment
that the caller names. Everything kept is bounded, for a run may have a million articles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from msgspec import Struct, field

from crawler import events
from crawler.urls import host_key

#: Seconds over which "requests/s" is measured: long enough to be steady, short enough to be now.
RATE_WINDOW = 5.0
#: Seconds over which the pace of articles is measured for the time left.
PACE_WINDOW = 60.0
#: Moments kept for a window; past that many the window is simply shorter.
MOST_MOMENTS = 4096
#: Articles finished before a time left is said: a guess from fewer jumps about.
ENOUGH_FOR_ETA = 8
#: Hosts, partial articles and failures kept in words; the counts go on.
MOST_HOSTS = 1000
MOST_TROUBLES = 200
#: Statuses (RFC 6585 section 4, RFC 9110 section 15.6) that tell of a host in trouble.
TOO_MANY, SERVER_ERROR = 429, 500


class HostShare(Struct):
    """One host's share: requests, bytes as received, errors, and until when it is left alone."""

    name: str
    requests: int = 0
    bytes: int = 0
    troubles: int = 0
    last_status: int | None = None
    until: datetime | None = None
    why: str = ""

    def waits(self, now: datetime) -> float:
        """Return the seconds that the host is still left alone at ``now``, 0 if it is not."""
        return max(0.0, (self.until - now).total_seconds()) if self.until else 0.0


class Partial(Struct, frozen=True, kw_only=True):
    """An article that was kept in part: the missing formats, each with the reason."""

    slug: str
    url: str
    missing: dict[str, str]


class Tally(Struct, kw_only=True):
    """What a run has done so far. ``take`` changes it; nothing else does.

    ``known`` counts the entries that discovery named, ``in_hand`` those begun and not finished,
    ``missed`` the known articles that were not at their URLs.
    """

    command: str = ""
    scopes: tuple[str, ...] = ()
    continues: bool = False
    started: datetime | None = None
    latest: datetime | None = None
    finished: events.Summary | None = None
    interrupted: bool = False
    named: int = 0
    begun: int = 0
    stored: int = 0
    unchanged: int = 0
    passed: int = 0
    pages: int = 0
    missed: int = 0
    failed: int = 0
    failed_before: int = 0
    partial: int = 0
    partial_before: int = 0
    silent_edits: int = 0
    torn: int = 0
    gone: int = 0
    happened: int = 0
    requests: int = 0
    bytes: int = 0
    hosts: dict[str, HostShare] = field(default_factory=dict)
    partials: list[Partial] = field(default_factory=list)
    failures: list[events.Failed] = field(default_factory=list)
    answers: deque[datetime] = field(default_factory=lambda: deque(maxlen=MOST_MOMENTS))
    finishes: deque[datetime] = field(default_factory=lambda: deque(maxlen=MOST_MOMENTS))

    @property
    def done(self) -> int:
        """Entries finished: kept, unchanged, passed over or failed."""
        return self.stored + self.unchanged + self.passed + self.failed + self.failed_before

    @property
    def in_hand(self) -> int:
        """Entries begun and not finished."""
        return max(0, self.begun - self.done)

    @property
    def known(self) -> int:
        """Entries known so far: never fewer than are done or in hand."""
        return max(self.named, self.done + self.in_hand)

    def rate(self, now: datetime) -> float:
        """Return the requests a second over the last RATE_WINDOW seconds before ``now``."""
        return _per_second(self.answers, self.started, now, RATE_WINDOW)

    def seconds_left(self, now: datetime) -> float | None:
        """Return how long the entries left will take at the present pace; None: unknown."""
        pace = _per_second(self.finishes, self.started, now, PACE_WINDOW)
        if self.done < ENOUGH_FOR_ETA or pace <= 0 or self.known <= self.done:
            return None
        return (self.known - self.done) / pace

    def waiting(self, now: datetime) -> list[HostShare]:
        """List the hosts that are left alone at ``now``, the longest wait first."""
        waiting = [host for host in self.hosts.values() if host.waits(now) > 0]
        return sorted(waiting, key=lambda host: -host.waits(now))

    def take(self, event: events.Event) -> None:
        """Count ``event``."""
        at = event.at
        if self.latest is None or at > self.latest:
            self.latest = at
        # By its type at once: a run has several events an article.
        take = self._takes.get(type(event))
        if take is not None:
            take(self, event)

    def _take_start(self, event: events.RunStarted) -> None:
        self.started, self.command = event.at, event.command
        self.scopes, self.continues = event.scopes, event.continues

    def _take_source(self, event: events.Discovered) -> None:
        self.named += event.new

    def _take_begun(self, _: events.Began) -> None:
        self.begun += 1

    def _take_unchanged(self, event: events.Unchanged) -> None:
        self.unchanged += 1
        self.finishes.append(event.at)

    def _take_passed(self, event: events.Passed) -> None:
        self.passed += 1
        self.pages += event.verdict == "page"
        self.missed += event.verdict == "not there"
        self.finishes.append(event.at)

    def _take_happened(self, event: events.Happened) -> None:
        self.happened += 1
        self.gone += event.event == "gone"

    def _take_wait(self, event: events.Waiting) -> None:
        host = self._host(event.host)
        host.until, host.why = event.at + timedelta(seconds=event.seconds), event.why

    def _take_end(self, event: events.RunFinished) -> None:
        self.finished, self.interrupted = event.summary, event.interrupted

    def _take_answer(self, event: events.Requested) -> None:
        self.requests += 1
        self.bytes += event.size
        self.answers.append(event.at)
        host = self._host(host_key(event.url))
        host.requests += 1
        host.bytes += event.size
        host.last_status = event.status
        # A 404 is an answer; these are a host in trouble (RFC 9110 sections 15.5.20 and 15.6).
        if event.status in (0, TOO_MANY) or event.status >= SERVER_ERROR:
            host.troubles += 1

    def _take_snapshot(self, event: events.Stored) -> None:
        self.stored += 1
        self.finishes.append(event.at)
        self.silent_edits += event.reason == "silent-edit"
        self.torn += "formats-disagree" in event.findings
        if event.state == "partial":
            self.partial += 1
            self.partial_before += event.known
            if len(self.partials) < MOST_TROUBLES:
                partial = Partial(slug=event.slug, url=event.url, missing=event.missing)
                self.partials.append(partial)

    def _take_failure(self, event: events.Failed) -> None:
        self.finishes.append(event.at)
        if event.known:
            self.failed_before += 1
        else:
            self.failed += 1
        if len(self.failures) < MOST_TROUBLES:
            self.failures.append(event)

    #: What counts an event of each type; the others change nothing but the latest moment.
    _takes: ClassVar[dict[type[events.Event], Callable[[Tally, Any], None]]] = {
        events.RunStarted: _take_start,
        events.Discovered: _take_source,
        events.Began: _take_begun,
        events.Requested: _take_answer,
        events.Stored: _take_snapshot,
        events.Unchanged: _take_unchanged,
        events.Passed: _take_passed,
        events.Failed: _take_failure,
        events.Happened: _take_happened,
        events.Waiting: _take_wait,
        events.RunFinished: _take_end,
    }

    def _host(self, name: str) -> HostShare:
        host = self.hosts.get(name)
        if host is None:
            host = HostShare(name=name)
            if len(self.hosts) < MOST_HOSTS:
                self.hosts[name] = host
        return host


def summarise(
    tally: Tally, *, run: str, sites: int, seconds: float, verify_bound_days: int
) -> events.Summary:
    """Return the contract's summary of a run that has come to its end."""
    errors = tuple(events.ErrorLine(url=each.url, reason=each.reason) for each in tally.failures)
    errors += tuple(
        events.ErrorLine(url=each.url, reason=f"partial: {_missing(each.missing)}")
        for each in tally.partials
    )
    return events.Summary(
        run=run,
        sites=sites,
        articles=tally.stored + tally.unchanged,
        requests=tally.requests,
        bytes=tally.bytes,
        snapshots=tally.stored,
        unchanged=tally.unchanged,
        silent_edits=tally.silent_edits,
        torn=tally.torn,
        partial=tally.partial,
        gone=tally.gone,
        failed=tally.failed + tally.failed_before,
        seconds=round(seconds, 3),
        verify_bound_days=verify_bound_days,
        errors=errors,
    )


def _missing(missing: dict[str, str]) -> str:
    return "; ".join(f"no {name}: {why}" for name, why in sorted(missing.items()))


def _per_second(
    moments: deque[datetime], started: datetime | None, now: datetime, window: float
) -> float:
    since = now - timedelta(seconds=window)
    recent = 0
    for moment in reversed(moments):
        if moment < since:
            break
        recent += 1
    if not recent:
        return 0.0
    oldest = max(since, started) if started else since
    if len(moments) == recent == moments.maxlen:
        oldest = moments[0]
    # under a second a single answer would look like a storm
    return recent / max(1.0, (now - oldest).total_seconds())
