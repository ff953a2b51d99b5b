"""Which known articles need no request now. Pure."""

from __future__ import annotations

from datetime import timedelta

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


def unchanged_by_lastmod(lastmod: str, before: EntryState) -> bool:
    """Say whether the sitemap's ``lastmod`` proves that the article is as it was at ``before``.

    The string must be the one of the last good fetch, and that fetch must have begun later than the
    moment it names, by its precision and a margin.
    """
    if not lastmod or lastmod != before.lastmod:
        return False
    stamp = parse_declared(lastmod)
    return stamp is not None and before.checked_at - stamp.at > PRECISION[stamp.unit] + MARGIN
