"""Which known articles need no request now, and which are to be verified. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from storage.model import EntryState
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

#: Part of the time allowed by which due dates are spread, so that no run has all of them.
SPREAD = 0.5


def is_due(before: EntryState, now: datetime, within: timedelta) -> bool:
    """Say whether an article has to be verified: every format asked for, whatever any date says.

    Due dates fall between half of ``within`` and the whole of it after the last verification, by a
    digest of the URL, so that they are spread and a silent edit is found in that time.
    """
    if before.verified_at is None:
        return True
    share = int.from_bytes(sha256(before.url.encode()).digest()[:4]) / 2**32
    return now - before.verified_at >= within * (SPREAD + (1 - SPREAD) * share)


def unchanged_by_lastmod(lastmod: str, before: EntryState) -> bool:
    """Say whether the sitemap's ``lastmod`` proves that the article is as it was at ``before``.

    The string must be the one of the last good fetch, and that fetch must have begun later than the
    moment it names, by its precision and a margin.
    """
    if not lastmod or lastmod != before.lastmod:
        return False
    stamp = parse_declared(lastmod)
    return stamp is not None and before.checked_at - stamp.at > PRECISION[stamp.unit] + MARGIN
