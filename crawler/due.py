"""Which known articles need no request now, and which are to be verified. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from storage.model import EntryState, Lately
from storage.times import parse_declared

#: A site's clock and its caches may lag; a fetch this long after a lastmod has surely seen it.
MARGIN = timedelta(minutes=15)
#: How much later than the written moment an edit under the same lastmod string may have come.
PRECISION = {
    "year": timedelta(days=366),
    "month": timedelta(days=31),
    "day": timedelta(days=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
    "microsecond": timedelta(microseconds=1),
}

#: Part of an interval by which due dates are spread, so that no run has all of them.
SPREAD = 0.5
#: Share of the time for which an article has stood that may pass before it is read again. Caches
#: take a tenth (RFC 9111 section 4.2.2) to answer one reader; an archive that asks for every format
#: may take more. With a half, a new article costs some 14 readings in its first three months.
SHARE = 0.5
#: The shortest interval: with the spread, nothing is verified more often than once a day.
LEAST = timedelta(days=2)
#: A verification this far ahead was noted by a clock that was wrong, and is not believed.
AHEAD = timedelta(days=1)


def interval(verified_at: datetime, lately: Lately | None, within: timedelta) -> timedelta:
    """Return how long after ``verified_at`` an article is verified again at the latest.

    Changes are taken to come at random, at a rate of the article's own (so Cho and Garcia-Molina,
    "Estimating frequency of change"). Of ``n`` changes known, its appearance the first, the mean
    time between them is estimated as the time since the first over ``n``: n - 1 gaps that have
    ended and one that has not, since to count only the ended ones would take what has not changed
    yet for what never will. Edits come in bursts: where the time since the newest is shorter, it
    counts instead. A share of that is the interval, never more than ``within``: what is young or
    often edited comes sooner, and the bound holds for all. One of which nothing is known takes all
    of ``within``.
    """
    if lately is None:
        return within
    gap = (verified_at - lately.oldest) / lately.changes
    stood = verified_at - lately.newest
    return min(within, max(LEAST, SHARE * min(gap, stood)))


def is_due(before: EntryState, now: datetime, within: timedelta, lately: Lately | None) -> bool:
    """Say whether an article has to be verified: every format asked for, whatever any date says.

    Due dates fall between half of its `interval` and the whole of it after the last verification,
    by a digest of the URL, so that they are spread and a silent edit is found in that time.
    """
    if before.verified_at is None or before.verified_at - now > AHEAD:
        return True
    share = int.from_bytes(sha256(before.url.encode()).digest()[:4]) / 2**32
    longest = interval(before.verified_at, lately, within)
    return now - before.verified_at >= longest * (SPREAD + (1 - SPREAD) * share)


def unchanged_by_lastmod(lastmod: str, before: EntryState) -> bool:
    """Say whether the sitemap's ``lastmod`` proves that the article is as it was at ``before``.

    The string must be the one of the last good fetch, and that fetch must have begun later than the
    moment it names, by its precision and a margin.
    """
    if not lastmod or lastmod != before.lastmod:
        return False
    stamp = parse_declared(lastmod)
    return stamp is not None and before.checked_at - stamp.at > PRECISION[stamp.unit] + MARGIN
