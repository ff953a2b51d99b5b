"""What is stored well and is not all there is: partial articles, and those not lately compared.

No damage: the site did not give it, or nobody asked. What runs remember is looked at here, which
an index made again may have lost: then articles count as never verified, and the next run asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from storage.index.queries import gone_moments
from storage.index.reader import Reader
from storage.index.rows import Row, moment_or_none, to_micros, values_of
from storage.times import format_utc
from storage.verify.found import Gap, Short

#: Newest snapshots, each with when its entry was last compared with the site.
_NEWEST = """
    SELECT articles.site AS site, articles.slug AS slug, snapshots.url AS url,
           snapshots.sequence AS sequence, snapshots.state AS state, snapshots.missing AS missing,
           entries.verified_at AS verified_at
    FROM articles JOIN snapshots
      ON snapshots.site = articles.site AND snapshots.slug = articles.slug
     AND snapshots.sequence = articles.newest
    LEFT JOIN entries ON entries.site = snapshots.site AND entries.url = snapshots.url
"""
#: The database leaves out what nothing is to be said of: nearly all.
_WANTED = (
    "NOT snapshots.implicit",
    "(snapshots.state = 'partial' OR entries.verified_at IS NULL OR entries.verified_at < :since)",
)


def shortcomings(index: Reader, since: datetime) -> Iterator[Short]:
    """Give the articles, not gone, that are partial or were not verified since then."""
    gone = gone_moments(index)
    keys = ("articles.site", "articles.slug")
    for row in index.walk(_NEWEST, _WANTED, keys, since=to_micros(since)):
        sequence, gone_at = gone.get((row["site"], row["slug"]), (0, None))
        if gone_at is None or sequence < row["sequence"]:
            yield from _shorts(row, since)


def _shorts(row: Row, since: datetime) -> Iterator[Short]:
    with values_of("snapshots"):
        missing = msgspec.json.decode(row["missing"], type=dict[str, str])
        moment = moment_or_none(row["verified_at"])
    if row["state"] == "partial":
        told = "; ".join(f"{name}: {why}" for name, why in sorted(missing.items()))
        yield _short(row, "partial", f"it lacks {told}")
    if moment is None:
        yield _short(row, "unverified", "never compared with the site in whole")
    elif moment < since:
        yield _short(row, "unverified", f"last verified {format_utc(moment)}")


def _short(row: Row, kind: Gap, why: str) -> Short:
    site, slug, url = (str(row[key]) for key in ("site", "slug", "url"))
    return Short(kind=kind, site=site, slug=slug, url=url, why=why)
