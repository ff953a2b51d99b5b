"""An archive as resources: the newest bytes of each format of every article that is still there."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from storage.index import versions
from storage.index.packing import mark_of
from storage.index.reader import Reader, where
from storage.index.rows import SnapshotRow, values_of

#: Articles of one page: with their formats far below the 50,000 that a list may have.
PAGE = 1_000
_NEWEST = """
    SELECT articles.slug AS slug, held.sequence AS sequence
    FROM urls JOIN representations AS held
      ON held.article = urls.article AND held.format = urls.format
    JOIN articles ON articles.n = held.article
    JOIN snapshots ON snapshots.site = articles.site AND snapshots.slug = articles.slug
     AND snapshots.sequence = held.sequence
"""
_WITH = """
    SELECT held.sequence AS sequence FROM articles
    JOIN representations AS held ON held.article = articles.n
    JOIN snapshots ON snapshots.site = articles.site AND snapshots.slug = articles.slug
     AND snapshots.sequence = held.sequence
"""


class Resources(Struct, frozen=True):
    """The questions about one site. ``private``: what was fetched with a private header too."""

    index: Reader
    site: str
    private: bool

    def pages(self) -> Iterator[str]:
        """Give behind which slug each page of articles begins, the first behind ""."""
        past = ""
        while True:
            yield past
            # The last article of this page, and whether one comes behind it.
            rows = self.index.ask(
                """SELECT slug FROM articles WHERE site = :site AND slug > :past
                   ORDER BY slug LIMIT 2 OFFSET :skipped""",
                site=self.site, past=past, skipped=PAGE - 1,
            )  # fmt: skip
            if len(rows) < 2:  # noqa: PLR2004  - it and the next one
                return
            past = str(rows[0]["slug"])

    def page(self, past: str) -> list[SnapshotRow]:
        """Return the newest snapshots of the articles behind a slug that are not gone."""
        slugs = [(self.site, slug) for slug in self._slugs(past, PAGE)]
        rows = versions.newest_of(self.index, slugs, private=self.private)
        return [row for row in rows if row.gone_at is None]

    def newest(self, url: str, format: str) -> SnapshotRow | None:
        """Return the newest snapshot that holds bytes of a format under a URL, or None."""
        # The site as an expression, so that it is no lure away from the few that have the URL.
        wanted = [
            "urls.mark = :mark", "urls.format = :format", "held.url = :url",
            "articles.site || '' = :site", *self._shown(),
        ]  # fmt: skip
        row = self.index.ask_one(
            _NEWEST, where(wanted), "ORDER BY held.fetched_at DESC",
            mark=mark_of(url), format=format, url=url, site=self.site,
        )  # fmt: skip
        return None if row is None else self._row(row["slug"], row["sequence"])

    def newest_with(self, slug: str, format: str) -> SnapshotRow | None:
        """Return an article's newest snapshot that holds bytes of a format, or None."""
        wanted = ["articles.site = :site", "articles.slug = :slug", "held.format = :format"]
        row = self.index.ask_one(
            _WITH, where([*wanted, *self._shown()]), "ORDER BY held.sequence DESC",
            site=self.site, slug=slug, format=format,
        )  # fmt: skip
        return None if row is None else self._row(slug, row["sequence"])

    def standing(self, row: SnapshotRow) -> SnapshotRow | None:
        """Return the newest snapshot of the article that ``row`` is one of, with ``gone_at``."""
        newest = versions.newest_of(self.index, [(row.site, row.slug)], private=self.private)
        return newest[0] if newest else None

    def _row(self, slug: str, sequence: int) -> SnapshotRow | None:
        with values_of("representations"):
            before = sequence + 1
        rows = versions.latest(self.index, self.site, slug, 1, before, private=self.private)
        return next((row for row in rows if row.sequence == sequence), None)

    def _shown(self) -> list[str]:
        return ["held.record_id != ''", *([] if self.private else ["NOT snapshots.private"])]

    def _slugs(self, past: str, most: int) -> list[str]:
        rows = self.index.ask(
            """SELECT slug FROM articles WHERE site = :site AND slug > :past
               ORDER BY slug LIMIT :most""",
            site=self.site, past=past, most=most,
        )  # fmt: skip
        return [str(row["slug"]) for row in rows]
