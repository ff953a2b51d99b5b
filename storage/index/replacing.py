"""The index brought up to a segment that was written anew, in one transaction.

Groups left out lose their rows, the others get their new places, and what follows from all of an
article's groups together is made again. Nothing that runs remember of living articles is lost.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import msgspec
from msgspec import Struct

from storage.index.database import Connection
from storage.index.index import ADD_ARTICLE, ARTICLES_LEFT, FILES_OWED, Index
from storage.index.packing import mark_of
from storage.index.reader import Reader
from storage.index.rows import to_json

#: What the index notes when segments were rewritten: how often that happened.
REWRITES = "rewrites"
#: Segments that are being rewritten: after a crash their rows say nothing.
REWRITING = "rewriting"
#: Held, among sites, by who rewrites segments: no site has this name.
REWRITER = ""


class Gap(Struct, frozen=True, kw_only=True, order=True):
    """Bytes of a segment that are in it no more: those of one group."""

    offset: int
    length: int


class Announced(Struct, frozen=True, kw_only=True):
    """Segments that are about to change: ``joined`` bytes long, the first has all of the others.

    ``left_out``: ids of groups that go, and that no index has.
    """

    segments: tuple[str, ...] = ()
    joined: int = 0
    left_out: tuple[str, ...] = ()


def announced(index: Reader) -> Announced | None:
    """Return what a killed command was rewriting; None where none was killed."""
    note = index.note(REWRITING)
    return None if note is None else msgspec.json.decode(note, type=Announced)


def announce(
    index: Index, names: Sequence[str], joined: int = 0, left_out: Sequence[str] = ()
) -> None:
    """Note durably which segments are about to change, as in Announced; none: some are going to."""
    what = Announced(segments=tuple(names), joined=joined, left_out=tuple(left_out))
    index.set_note(REWRITING, to_json(what))


def changed(index: Index, name: str, gaps: Sequence[Gap]) -> None:
    """Take the groups in ``gaps`` out of a segment's rows and move the others up."""
    with index.begin("moving a segment's rows") as connection:
        articles = _take_out(connection, name, gaps)
        _move_up(connection, name, sorted(gaps))
        gone = {"name": name, "less": sum(gap.length for gap in gaps)}
        connection.execute(_SHORTER, gone)
        connection.execute(_EMPTY, gone)
        connection.execute(FILES_OWED)
        _stand_again(connection, articles)
        _note(connection, REWRITING, to_json(Announced()))


def joined(index: Index, name: str, others: Mapping[str, int], length: int) -> None:
    """Have the rows of ``others`` say that they stand in ``name``, from these offsets on.

    They stay announced, until they are removed.
    """
    with index.begin("moving segments' rows") as connection:
        for other, base in others.items():
            for statement in _JOINED:
                connection.execute(statement, {"name": name, "other": other, "base": base})
            connection.execute("DELETE FROM segments WHERE name = ?", (other,))
        connection.execute("UPDATE segments SET committed = ? WHERE name = ?", (length, name))


def cleared(index: Index, name: str) -> None:
    """Take a segment's rows out, for it to be indexed again; what runs remember stays."""
    site = name.partition("/")[0]
    with index.begin("clearing a segment from the index") as connection:
        for statement in _CLEARED:
            connection.execute(statement, {"name": name})
        connection.execute("DELETE FROM segments WHERE name = ?", (name,))
        connection.execute(FILES_OWED)
        rows = connection.execute("SELECT slug FROM articles WHERE site = ?", (site,)).fetchall()
        _stand_again(connection, [(site, slug) for (slug,) in rows])


def settle(index: Index) -> None:
    """Take out what is of no group any more, and note that segments were rewritten."""
    with index.begin("settling the index") as connection:
        for statement in _SETTLED:
            connection.execute(statement)
        connection.execute("DELETE FROM meta WHERE key = ?", (REWRITING,))
        _note(connection, REWRITES, str(int(index.note(REWRITES) or 0) + 1))


def forget_notes(index: Index, site: str, slug: str, urls: Iterable[str]) -> None:
    """Take out all that runs remember of an article, and the lists that told of it.

    Its names stay: they say what must not be asked for again.
    """
    with index.begin("forgetting an article") as connection:
        for url in urls:
            connection.execute("DELETE FROM validators WHERE mark = ?", (mark_of(url),))
            connection.execute("DELETE FROM entries WHERE site = ? AND url = ?", (site, url))
        connection.execute("DELETE FROM entries WHERE site = ? AND slug = ?", (site, slug))
        connection.execute("DELETE FROM memory WHERE site = ?", (site,))


#: A segment's representations: their rows have no segment of their own.
_SHOWN = """
    SELECT shown.n FROM snapshots
      JOIN articles ON articles.site = snapshots.site AND articles.slug = snapshots.slug
      JOIN representations AS shown
        ON shown.article = articles.n AND shown.sequence = snapshots.sequence
    WHERE snapshots.segment = {segment}
"""
_CLEARED = (
    f"DELETE FROM representations WHERE n IN ({_SHOWN.format(segment=':name')})",  # noqa: S608  - our own
    "DELETE FROM snapshots WHERE segment = :name",
    "DELETE FROM events WHERE segment = :name",
)
#: Where the rows of a segment's groups and records stand in it.
_PLACES = {
    "snapshots": 'SELECT n, "offset" FROM snapshots WHERE segment = ?',
    "events": 'SELECT n, "offset" FROM events WHERE segment = ?',
    "representations": f"""SELECT n, "offset" FROM representations
        WHERE length > 0 AND n IN ({_SHOWN.format(segment="?")})""",  # noqa: S608  - our own
}
_SHORTER = "UPDATE segments SET committed = committed - :less WHERE name = :name"
_EMPTY = """
    DELETE FROM segments WHERE name = :name
       AND NOT EXISTS (SELECT 1 FROM snapshots WHERE segment = :name)
       AND NOT EXISTS (SELECT 1 FROM events WHERE segment = :name)
"""
_JOINED = (
    f"""UPDATE representations SET "offset" = "offset" + :base
        WHERE length > 0 AND n IN ({_SHOWN.format(segment=":other")})""",  # noqa: S608  - our own
    """UPDATE snapshots SET segment = :name, "offset" = "offset" + :base
       WHERE segment = :other""",
    """UPDATE events SET segment = :name, "offset" = "offset" + :base
       WHERE segment = :other""",
)


def _take_out(connection: Connection, name: str, gaps: Iterable[Gap]) -> set[tuple[str, str]]:
    """Delete the rows of groups, and return their articles."""
    articles = set()
    for gap in gaps:
        place = {"name": name, "offset": gap.offset}
        for group in ("snapshots", "events"):
            at = f'FROM {group} WHERE segment = :name AND "offset" = :offset'
            for site, slug, sequence in connection.execute(
                f"SELECT site, slug, sequence {at}", place
            ).fetchall():
                articles.add((site, slug))
                connection.execute(
                    """DELETE FROM representations WHERE sequence = ? AND article = (
                         SELECT n FROM articles WHERE site = ? AND slug = ?)""",
                    (sequence, site, slug),
                )
            connection.execute(f"DELETE {at}", place)
    return articles


def _move_up(connection: Connection, name: str, gaps: Sequence[Gap]) -> None:
    borders = [gap.offset for gap in gaps]
    shifts = [0, *accumulate(gap.length for gap in gaps)]
    for table, question in _PLACES.items():
        moved = [
            (offset - shifts[passed], n)
            for n, offset in connection.execute(question, (name,)).fetchall()
            if (passed := bisect_right(borders, offset))
        ]
        connection.executemany(f'UPDATE {table} SET "offset" = ? WHERE n = ?', moved)  # noqa: S608  - our own tables


_SETTLED = (
    "DELETE FROM urls WHERE article NOT IN (SELECT article FROM representations)",
    """DELETE FROM articles WHERE NOT EXISTS (
         SELECT 1 FROM snapshots AS s WHERE s.site = articles.site AND s.slug = articles.slug)
       AND NOT EXISTS (
         SELECT 1 FROM events AS e WHERE e.site = articles.site AND e.slug = articles.slug)""",
    """DELETE FROM sites WHERE NOT EXISTS (
         SELECT 1 FROM articles WHERE articles.site = sites.name)""",
)


def _stand_again(connection: Connection, articles: Iterable[tuple[str, str]]) -> None:
    """Make again what follows from all the groups of these articles together."""
    for site, slug in articles:
        named = {"site": site, "slug": slug}
        # Their numbers stay, for the representations that are left.
        connection.execute(
            "UPDATE articles SET last = 0, newest = 0, placed = 0"
            " WHERE site = :site AND slug = :slug",
            named,
        )
        for question in ARTICLES_LEFT:
            left = connection.execute(f"{question} AND slug = :slug", named).fetchall()
            connection.numbers(ADD_ARTICLE, left)
        connection.execute(
            "DELETE FROM articles WHERE site = :site AND slug = :slug AND last = 0", named
        )


def _note(connection: Connection, key: str, value: str) -> None:
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
