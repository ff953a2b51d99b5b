"""What each site's run leaves for the next: how far it came, what failed, when it last went well.

Operational memory (DESIGN section 5): a reindex may lose it, and then nothing is worse than late. A
failure that the last run had too is a known one; a site that a run left unfinished comes first in
the next, which goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from crawler.events import Failed, Stored
from storage.archive import Archive

#: Under which a site's memory keeps its LastRun.
KEY = "last-run"
#: Failures remembered of a site: past these, a failure counts as new again in the next run.
MOST_FAILURES = 10_000


class LastRun(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a site's last run ended.

    ``unfinished_since`` is when the work that is not done yet began, None where all was done;
    ``good_at`` when a run last went over the whole site; ``failures`` are URLs, ``partial`` the
    URLs of articles with the formats that their newest snapshot lacks.
    """

    unfinished_since: datetime | None = None
    good_at: datetime | None = None
    failures: tuple[str, ...] = ()
    partial: dict[str, tuple[str, ...]] = {}


def last_run(note: str | None) -> LastRun:
    """Return what a site's memory has under KEY of its last run; an unreadable note is none."""
    try:
        return msgspec.json.decode(note or "{}", type=LastRun)
    except msgspec.DecodeError:
        return LastRun()


def last_runs(archive: Archive, sites: Iterable[str]) -> dict[str, LastRun]:
    """Return the last run of each of ``sites``, by name."""
    return {site: last_run(archive.remembered(site, KEY)) for site in sites}


class Ledger:
    """Keeps every site's book during a run. Mutable state: what failed so far, by site."""

    def __init__(
        self, before: Mapping[str, LastRun], remember: Callable[[str, str, str], None]
    ) -> None:
        """``remember`` takes a site's name, a key and a text, as the store's writer does."""
        self._before = dict(before)
        self._known = {site: frozenset(last.failures) for site, last in before.items()}
        self._failed: dict[str, dict[str, None]] = {}
        self._partial = {site: dict(last.partial) for site, last in before.items()}
        self._remember = remember

    def last(self, site: str) -> LastRun:
        """Return how the run before this one ended for ``site``."""
        return self._before.get(site, LastRun())

    def turn(self, site: str) -> tuple[bool, str]:
        """Return what sites are sorted by: the unfinished first, then the longest not well."""
        last = self.last(site)
        good = last.good_at.isoformat() if last.good_at else ""
        return last.unfinished_since is None, good

    def judge(self, event: Failed) -> Failed:
        """Note a failure, and return it as a known one where the last run had it too."""
        self._failed.setdefault(event.site, {})[event.url] = None
        known = event.known or event.url in self._known.get(event.site, frozenset())
        return structs.replace(event, known=known)

    def weigh(self, event: Stored) -> Stored:
        """Note what a snapshot lacks, and return it as known where the one before lacked it too."""
        partial = self._partial.setdefault(event.site, {})
        lacked = partial.pop(event.url, ())
        if event.state != "partial":
            return event
        if len(partial) < MOST_FAILURES:
            partial[event.url] = tuple(event.missing)
        return structs.replace(event, known=set(event.missing) <= set(lacked))

    def failed(self, site: str, url: str) -> bool:
        """Say whether ``url`` failed in this run."""
        return url in self._failed.get(site, {})

    def begin(self, site: str, at: datetime) -> None:
        """Note that a run over all of ``site`` begins: until it ends, it is unfinished."""
        last = self.last(site)
        since = last.unfinished_since or at
        self._write(site, structs.replace(last, unfinished_since=since))

    def end(self, site: str, at: datetime, *, finished: bool, good: bool) -> None:
        """Note how a run over all of ``site`` ended."""
        last = self.last(site)
        self._write(
            site,
            LastRun(
                unfinished_since=None if finished else last.unfinished_since,
                good_at=at if good else last.good_at,
                failures=self._failures(site, last, finished=finished),
            ),
        )

    def add(self, site: str) -> None:
        """Note only what failed: the run was over a part of ``site``, or could not begin."""
        last = self.last(site)
        if self._failed.get(site) or self._partial.get(site, {}) != last.partial:
            self._write(
                site,
                structs.replace(last, failures=self._failures(site, last, finished=False)),
            )

    def _failures(self, site: str, last: LastRun, *, finished: bool) -> tuple[str, ...]:
        """Return what stands: all that failed now, and before where not all was asked again."""
        earlier = {} if finished else dict.fromkeys(last.failures)
        return tuple(self._failed.get(site, {}) | earlier)[:MOST_FAILURES]

    def _write(self, site: str, last: LastRun) -> None:
        last = structs.replace(last, partial=dict(self._partial.get(site, {})))
        self._before[site] = last
        self._remember(site, KEY, msgspec.json.encode(last).decode())
