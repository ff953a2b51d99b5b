"""What is stored well and is not all there is: partial articles, and those not lately compared.

No damage: the site did not give it, or nobody asked. What runs remember is looked at here, which
an index made again may have lost: then articles count as never verified, and the next run asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from storage.index.queries import newest_all
from storage.index.reader import Reader
from storage.index.rows import SnapshotRow, moment_or_none
from storage.times import format_utc
from storage.verify.found import Gap, Short

#: Articles whose entries are asked for at once.
_PAGE = 500


def shortcomings(index: Reader, since: datetime) -> Iterator[Short]:
    """Give the articles, not gone, that are partial or were not verified since then."""
    rows = newest_all(index, None, canonicals=False, at=None, since=None)
    living = (row for row in rows if row.gone_at is None)
    while page := list(islice(living, _PAGE)):
        verified = _verified(index, page)
        for row in page:
            if row.state == "partial":
                missing = "; ".join(f"{name}: {why}" for name, why in sorted(row.missing.items()))
                yield _short(row, "partial", f"it lacks {missing}")
            moment = verified.get((row.site, row.url))
            if moment is None:
                yield _short(row, "unverified", "never compared with the site in whole")
            elif moment < since:
                yield _short(row, "unverified", f"last verified {format_utc(moment)}")


def _verified(index: Reader, page: list[SnapshotRow]) -> dict[tuple[str, str], datetime | None]:
    wanted = {(row.site, row.url) for row in page}
    columns = ("site", "url", "verified_at")
    return {
        (row["site"], row["url"]): moment_or_none(row["verified_at"])
        for row in index.matching("entries", ("site", "url"), wanted, columns)
    }


def _short(row: SnapshotRow, kind: Gap, why: str) -> Short:
    return Short(kind=kind, site=row.site, slug=row.slug, url=row.url, why=why)
