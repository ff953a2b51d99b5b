"""One article's snapshots, for who shows them page by page: never the whole of a long history.

``private`` says whether snapshots that were fetched with a private header are among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter

from storage.index.reader import Reader
from storage.index.rows import SnapshotRow, from_micros, snapshot_row, to_micros

_OF_ARTICLE = "SELECT * FROM snapshots WHERE site = :site AND slug = :slug"


def _public(*, private: bool) -> str:
    return "" if private else "AND NOT private"


def latest(
    index: Reader, site: str, slug: str, most: int, before: int | None, *, private: bool
) -> list[SnapshotRow]:
    """Return an article's newest snapshots, newest first: those ``before`` a sequence number."""
    rows = index.ask(
        _OF_ARTICLE, _public(private=private),
        "AND sequence < :before" if before is not None else "",
        "ORDER BY sequence DESC LIMIT :most",
        site=site, slug=slug, before=before, most=most,
    )  # fmt: skip
    return [snapshot_row(row) for row in rows]


def by_key(
    index: Reader, site: str, slug: str, updated_at: datetime, revision: int, *, private: bool
) -> SnapshotRow | None:
    """Return the snapshot of a key and revision, or None."""
    row = index.ask_one(
        _OF_ARTICLE, _public(private=private),
        "AND updated_at = :key AND revision = :revision ORDER BY sequence DESC",
        site=site, slug=slug, key=to_micros(updated_at), revision=revision,
    )  # fmt: skip
    return None if row is None else snapshot_row(row)


def beside(
    index: Reader, row: SnapshotRow, *, private: bool
) -> tuple[SnapshotRow | None, SnapshotRow | None]:
    """Return the snapshots of the article just before and just after one."""
    found = [
        index.ask_one(
            _OF_ARTICLE, _public(private=private), f"AND sequence {than} ORDER BY sequence {by}",
            site=row.site, slug=row.slug, sequence=row.sequence,
        )
        for than, by in (("< :sequence", "DESC"), ("> :sequence", "ASC"))
    ]  # fmt: skip
    before, after = (None if one is None else snapshot_row(one) for one in found)
    return before, after


def count(index: Reader, site: str, slug: str, *, private: bool) -> int:
    """Return how many snapshots an article has."""
    return index.number(
        "SELECT count(*) FROM snapshots WHERE site = :site AND slug = :slug",
        _public(private=private),
        site=site, slug=slug,
    )  # fmt: skip


def newest_of(
    index: Reader, articles: Iterable[tuple[str, str]], *, private: bool
) -> list[SnapshotRow]:
    """Return the newest snapshot of each article, in the articles' order, with ``gone_at``.

    An article that has none to be shown is left out.
    """
    asked = list(articles)
    newest = {
        (row["site"], row["slug"], row["newest"])
        for row in index.matching("articles", ("site", "slug"), set(asked))
    }
    by = ("site", "slug", "sequence")
    rows = {(row["site"], row["slug"]): row for row in index.matching("snapshots", by, newest)}
    gone = gone_of(index, {name: row["sequence"] for name, row in rows.items()})
    found = []
    for name in asked:
        row = rows.get(name)
        if row is not None and row["private"] and not private:
            found.append(newest_shown(index, *name, private=False))
        elif row is not None:
            found.append(snapshot_row(row, gone.get(name)))
    return [row for row in found if row is not None]


def newest_shown(index: Reader, site: str, slug: str, *, private: bool) -> SnapshotRow | None:
    """Return an article's newest snapshot that may be shown, with ``gone_at``, or None."""
    row = index.ask_one(
        "SELECT * FROM snapshots WHERE site = :site AND slug = :slug",
        "" if private else "AND NOT private", "ORDER BY sequence DESC", site=site, slug=slug,
    )  # fmt: skip
    if row is None:
        return None
    last = index.ask_one(
        """SELECT event, observed_at FROM events
           WHERE site = :site AND slug = :slug AND sequence > :sequence
             AND event IN ('gone', 'returned')
           ORDER BY sequence DESC""",
        site=site, slug=slug, sequence=row["sequence"],
    )  # fmt: skip
    if last is None or last["event"] != "gone":
        return snapshot_row(row)
    return snapshot_row(row, from_micros(last["observed_at"]))


def gone_of(
    index: Reader, newest: Mapping[tuple[str, str], int]
) -> dict[tuple[str, str], datetime | None]:
    """Return since when each article is gone, by site and slug; None: it came back.

    ``newest`` has the sequence number of its newest snapshot, after which that must have happened.
    """
    rows = index.matching(
        "events", ("site", "slug"), newest.keys(),
        ("site", "slug", "sequence", "event", "observed_at"),
        ("event IN ('gone', 'returned')",),
    )  # fmt: skip
    found: dict[tuple[str, str], datetime | None] = {}
    for row in sorted(rows, key=itemgetter("sequence")):
        name = (row["site"], row["slug"])
        if row["sequence"] > newest[name]:
            found[name] = from_micros(row["observed_at"]) if row["event"] == "gone" else None
    return found
