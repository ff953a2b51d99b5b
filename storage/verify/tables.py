"""Whole tables of the index, compared with each other once the rows of groups are known.

What many manifests make together (an article's standing, the names under files/, the bodies that
revisits refer to) is asked of the database itself, so that no list of it is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from storage.errors import IndexLies
from storage.index.packing import unpacked
from storage.index.reader import Reader
from storage.index.remembered import all_runs, failing_entries
from storage.index.rows import Row
from storage.index.standing import known_segments
from storage.plain_files import mark_of_folder
from storage.segments.names import place_of
from storage.verify.found import Problem, Problems, in_index
from storage.verify.rows import Scopes

#: Faults that the database is to name before it stops looking.
_MOST_FAULTS = 20
#: Rows that one question may find wrong; an index with more is wrong altogether.
_MOST_ROWS = 1_000

_STANDING = """
    SELECT site, slug, url, last, newest, placed FROM (
        SELECT articles.*,
          coalesce((SELECT max(sequence) FROM snapshots AS s
            WHERE s.site = articles.site AND s.slug = articles.slug), 0) AS kept,
          coalesce((SELECT max(sequence) FROM events AS e
            WHERE e.site = articles.site AND e.slug = articles.slug), 0) AS happened,
          coalesce((SELECT max(sequence) FROM events AS m
            WHERE m.site = articles.site AND m.slug = articles.slug AND m.event = 'moved'), 0)
            AS moved
        FROM articles
    ) AS each_one
    WHERE newest != kept
       OR last != CASE WHEN kept > happened THEN kept ELSE happened END
       OR placed != CASE WHEN kept > moved THEN kept ELSE moved END
       OR url != coalesce(CASE WHEN placed = 0 OR moved = placed
            THEN (SELECT e.url FROM events AS e WHERE e.site = each_one.site
                   AND e.slug = each_one.slug
                   AND e.sequence = CASE WHEN placed = 0 THEN happened ELSE placed END)
            ELSE (SELECT s.url FROM snapshots AS s WHERE s.site = each_one.site
                   AND s.slug = each_one.slug AND s.sequence = placed) END, '')
"""
_WITHOUT_ARTICLE = """
    SELECT DISTINCT site, slug, '' AS url FROM {table} AS had
    WHERE NOT EXISTS (SELECT 1 FROM articles
                      WHERE articles.site = had.site AND articles.slug = had.slug)
"""
_NO_TARGET = """
    SELECT articles.site AS site, articles.slug AS slug, revisit.url AS url,
           revisit.format AS format, revisit.target_id AS target, groups.segment AS segment,
           revisit."offset" AS place
    FROM representations AS revisit
    JOIN articles ON articles.n = revisit.article
    JOIN snapshots AS groups ON groups.site = articles.site AND groups.slug = articles.slug
     AND groups.sequence = revisit.sequence
    WHERE revisit.target_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM representations AS held
        WHERE held.record_id = revisit.target_id AND held.target_id IS NULL
          AND held.payload_digest = revisit.payload_digest)
"""
_NO_SNAPSHOT = """
    SELECT coalesce(articles.site, '') AS site, coalesce(articles.slug, '') AS slug,
           shown.url AS url, shown.format AS format
    FROM representations AS shown LEFT JOIN articles ON articles.n = shown.article
    WHERE NOT EXISTS (
        SELECT 1 FROM snapshots WHERE snapshots.site = articles.site
          AND snapshots.slug = articles.slug AND snapshots.sequence = shown.sequence)
"""
_NO_ARTICLE = "SELECT format FROM urls WHERE article NOT IN (SELECT n FROM articles)"
#: What a site is said to be that no manifest is of.
_NOBODY = ("", False)
_SITES = "SELECT name, scope, implicit FROM sites ORDER BY name"
_STRAYS = "SELECT DISTINCT segment FROM {table} WHERE segment NOT IN (SELECT name FROM segments)"


def faults_of_file(index: Reader) -> list[Problem]:
    """Return what the database itself finds wrong with what it stored."""
    with index.database.errors("reading the index"):
        return [in_index(each) for each in index.database.faults(_MOST_FAULTS)]


def check_tables(index: Reader) -> Problems:
    """Give what is wrong between tables."""
    for table in ("snapshots", "events"):
        for row in _each(index, _WITHOUT_ARTICLE.format(table=table)):
            yield _of(row, "it has no row of this article")
    for row in _each(index, _STANDING):
        yield _of(row, "its row of this article has other numbers or another URL")
    for row in _each(index, _NO_SNAPSHOT):
        yield _of(row, f"it has a row of a {row['format']} of no snapshot")
    for row in _each(index, _NO_ARTICLE):
        yield in_index(f"it has a row of a URL of a {row['format']} of no article")
    yield from _check_segments(index)
    yield from _check_remembered(index)


def check_targets(index: Reader) -> Problems:
    """Give each revisit whose body is nowhere."""
    for row in _each(index, _NO_TARGET):
        body = f"the body of the {row['format']} of {row['url']}"
        why = f"{body} is in {_said(row['target'])}, which no segment has"
        yield Problem(
            kind="segment", file=place_of(row["segment"]), offset=row["place"], why=why,
            site=row["site"], slug=row["slug"], url=row["url"],
        )  # fmt: skip


def _said(target: object) -> str:
    try:
        return unpacked(target)
    except TypeError:
        return repr(target)


def _each(index: Reader, question: str) -> Iterator[Row]:
    return iter(index.ask(question, f"LIMIT {_MOST_ROWS}"))


def check_sites(index: Reader, scopes: Scopes) -> Problems:
    """Give what is wrong with the index's sites; ``scopes`` are those that manifests gave."""
    known = {row["name"]: (row["scope"], row["implicit"]) for row in index.ask(_SITES)}
    for name in sorted(known.keys() | scopes.keys()):
        # Empty where all that tells of the site is damaged.
        said = scopes.get(name, {_NOBODY})
        if name not in known:
            yield in_index("it has no row of this site", site=name)
        elif said and (known[name] not in said or known[name][1] != all(each for _, each in said)):
            yield in_index("its row of this site is not what manifests say", site=name)


def _check_segments(index: Reader) -> Problems:
    for row in index.ask("SELECT name, site FROM segments"):
        if row["site"] != str(row["name"]).partition("/")[0]:
            yield in_index(f"its row of the segment {row['name']} has another site")
    for table in ("snapshots", "events"):
        for row in index.ask(_STRAYS.format(table=table)):
            yield in_index(f"its {table} are in {row['segment']}, of which it has no row")


def _check_remembered(index: Reader) -> Problems:
    """Give what can't be in the tables that no manifest tells of."""
    try:
        all_runs(index)
        failing_entries(index, None)
        known_segments(index)
        mark = int(index.note(mark_of_folder(index.root)) or 0)
    except (IndexLies, ValueError) as error:
        yield in_index(str(error).partition(": run")[0])
        return
    if mark > index.number("SELECT max(n) FROM representations"):
        yield in_index("it believes that files/ is further than the archive")


def _of(row: Mapping[str, object], why: str) -> Problem:
    site, slug, url = (str(row.get(name, "")) for name in ("site", "slug", "url"))
    return in_index(why, site=site, slug=slug, url=url)
