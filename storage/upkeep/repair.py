"""Repairing a mirror: what only the index has wrong is made again, what segments lost is set aside.

Damaged bytes go to lost/ first. Then the segment is written anew without them, then the index is
made again, and what runs remember of the articles that lost something is taken out, so that they
are owed: asking the site for them is the crawler's work. Killed at any instant, it can be started
again. Blocking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from storage import layout
from storage.errors import DamageFound, IndexLies, IndexUnusable
from storage.index.index import Index
from storage.index.opening import is_there
from storage.index.packing import mark_of, unpacked
from storage.index.reader import Reader
from storage.index.replacing import announce
from storage.index.rows import Row
from storage.index.standing import known_segments
from storage.lock import WriterLock
from storage.recovery import recover
from storage.reindex import rebuild
from storage.segments.kinds import Segments
from storage.segments.opening import open_segments
from storage.segments.recovery import Tail
from storage.segments.rewriting import write_aside
from storage.upkeep.salvage import Edition, Salvage, salvage
from storage.verify.rows import SegmentRows
from storage.verify.tables import faults_of_file
from storage.warc import build_warcinfo, new_record_id

#: By segment and a group's offset, the records that it can no longer keep.
Dangling = dict[str, dict[int, set[str]]]


class Repaired(Struct, frozen=True, kw_only=True):
    """What was done: ``lost`` are files with the damaged bytes, ``editions`` what was in them.

    ``owed`` are the articles to be asked for, as site, scope and URL; ``unknown``: bytes of which
    nothing tells whose they were. ``left``: sentences about what could not be mended.
    """

    segments: int
    lost: tuple[str, ...]
    editions: tuple[Edition, ...]
    owed: tuple[tuple[str, str, str], ...]
    unknown: int
    left: tuple[str, ...]


def repair(root: Path, now: datetime) -> Repaired:
    """Mend what can be mended without the site. Raises NotAMirror, NewerFormat, LockHeld."""
    root = root.absolute()
    layout.check(root)
    with WriterLock(root, now):
        work = _Repair(root, now)
        work.segments_again({})
        rebuild(root)
        if dangling := _dangling(root):
            work.segments_again(dangling)
            rebuild(root)
        work.recover()
        return work.done()


class _Repair:
    """One repair. State: what was found lost so far."""

    def __init__(self, root: Path, now: datetime) -> None:
        self._root = root
        self._now = now
        self._segments = open_segments(root)
        self._changed: set[str] = set()
        self._lost: list[str] = []
        self._editions: list[Edition] = []
        self._unknown = 0
        self._left: list[str] = []
        self._scopes: dict[str, str] = {}
        self._segments.sweep()

    def segments_again(self, gone: Mapping[str, Mapping[int, set[str]]]) -> None:
        """Write each segment anew that has damage, or groups with records that are ``gone``."""
        index = _usable(self._root)
        try:
            known = {} if index is None else known_segments(index)
            if index is not None:
                self._scopes |= _scopes(index)
            names = self._segments.names()
            for name in names:
                if not gone or name in gone:
                    self._segment(index, name, known, gone.get(name, {}))
            for name in sorted(known.keys() - set(names)):
                if index is not None:
                    self._left.append(f"{name} is gone: nothing here has its bytes")
                    self._lose(index, _rows_of(index, name))
        finally:
            if index is not None:
                index.close()

    def _segment(
        self,
        index: Index | None,
        name: str,
        known: Mapping[str, int],
        gone: Mapping[int, set[str]],
    ) -> None:
        # A segment that no row tells of is walked as one without an index.
        rows = SegmentRows(index, name, {}) if index is not None and name in known else None
        try:
            with self._segments.source(name) as source:
                end = known[name] if rows is not None else _end_of(self._segments, name)
                found = salvage(source, rows, end, gone)
                if index is not None:
                    self._lose(index, found.rows)
                    self._lose(index, index.ask(_BEHIND, name=name, size=source.size))
                if not found.broken and not gone:
                    return
                self._lost += [
                    str(
                        self._segments.keep(source, Tail(offset=at, size=size)).relative_to(
                            self._root
                        )
                    )
                    for at, size in found.broken
                ]
        except DamageFound as error:
            self._left.append(str(error).partition(". Nothing")[0])
            return
        self._editions += found.editions
        known_whose = index is not None or not found.broken
        self._unknown += 0 if known_whose else sum(size for _, size in found.broken)
        self._put(index, name, found)

    def _put(self, index: Index | None, name: str, found: Salvage) -> None:
        self._changed.add(name)
        pieces = [self._warcinfo(name), *found.pieces] if found.headless else found.pieces
        part = write_aside(self._segments, name, {name: pieces}) if found.groups else None
        if index is not None:
            announce(index, [name])
        self._segments.put_in_place(name, part)

    def _warcinfo(self, name: str) -> bytes:
        site, _, file = name.partition("/")
        return build_warcinfo(
            record_id=new_record_id(),
            created_at=self._now,
            filename=file,
            site=site,
            software="slugline",
        )

    def _lose(self, index: Reader, rows: Iterable[Row]) -> None:
        """Note the snapshots that are lost as a whole, as the index knew them."""
        for row in rows:
            if "event" in row:
                self._left.append(f"that {row['site']}/{row['slug']} was {row['event']} is lost")
                continue
            bodies = index.ask(_BODIES, site=row["site"], slug=row["slug"], n=row["sequence"])
            self._editions.append(
                Edition(
                    site=row["site"],
                    slug=row["slug"],
                    url=row["url"],
                    sequence=row["sequence"],
                    bodies={body["format"]: unpacked(body["digest"]) for body in bodies},
                    whole=True,
                )
            )

    def recover(self) -> None:
        """Deal with unfinished writes, and have the articles that lost something be owed."""
        index = Index.to_write(self._root)
        try:
            recover(self._root, index)
            with index.begin("noting what is owed") as connection:
                for each in self._editions:
                    named = (each.site, each.url, each.slug)
                    connection.execute(_FORGET_ENTRY, named)
                    mine = (mark_of(each.url), each.site, each.slug)
                    connection.execute(_FORGET_VALIDATORS, mine)
                if self._unknown:
                    for name in self._changed:
                        connection.execute(_FORGET_SITE, (name.partition("/")[0],))
        finally:
            index.close()

    def done(self) -> Repaired:
        """Return what was done."""
        index = Reader.to_read(self._root)
        try:
            # A site that lost all its segments is known to the old index alone.
            scopes = self._scopes | _scopes(index)
        finally:
            index.close()
        owed = {(one.site, scopes.get(one.site, ""), one.url) for one in self._editions}
        return Repaired(
            segments=len(self._changed),
            lost=tuple(self._lost),
            editions=tuple(self._editions),
            owed=tuple(sorted(owed)),
            unknown=self._unknown,
            left=tuple(self._left),
        )


_BODIES = """
    SELECT shown.format AS format, shown.digest AS digest
    FROM articles JOIN representations AS shown ON shown.article = articles.n
    WHERE articles.site = :site AND articles.slug = :slug AND shown.sequence = :n
      AND shown.length > 0
"""
_FORGET_ENTRY = "DELETE FROM entries WHERE site = ? AND (url = ? OR slug = ?)"
_FORGET_VALIDATORS = """
    DELETE FROM validators WHERE mark = ? OR mark IN (
        SELECT urls.mark FROM articles JOIN urls ON urls.article = articles.n
        WHERE articles.site = ? AND articles.slug = ?)
"""
_FORGET_SITE = "DELETE FROM entries WHERE site = ?"
_BEHIND = 'SELECT * FROM snapshots WHERE segment = :name AND "offset" >= :size'
_OF_SEGMENT = 'SELECT * FROM snapshots WHERE segment = :name ORDER BY "offset"'
_NO_TARGET = """
    SELECT groups."offset" AS place, groups.segment AS segment, revisit.record_id AS record
    FROM representations AS revisit
    JOIN articles ON articles.n = revisit.article
    JOIN snapshots AS groups ON groups.site = articles.site AND groups.slug = articles.slug
     AND groups.sequence = revisit.sequence
    WHERE revisit.target_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM representations AS held
        WHERE held.record_id = revisit.target_id AND held.target_id IS NULL)
"""


def _usable(root: Path) -> Index | None:
    """Return the index where it can be believed at least as to where groups stand."""
    if not is_there(root):
        return None
    try:
        index = Index.to_write(root)
    except IndexUnusable:
        return None
    try:
        known_segments(index)
        sound = not faults_of_file(index)
    except (IndexUnusable, IndexLies):
        sound = False
    if sound:
        return index
    index.close()
    return None


def _end_of(segments: Segments, name: str) -> int:
    """Return where a segment without an index ends: before a torn tail, which is no damage."""
    try:
        *_, tail = segments.walk(name)
    except DamageFound:
        return segments.size(name) or 0
    return tail.offset


def _scopes(index: Reader) -> dict[str, str]:
    """Return each site's scope by its name."""
    return {row["name"]: row["scope"] for row in index.ask("SELECT * FROM sites")}


def _rows_of(index: Reader, segment: str) -> list[Row]:
    return index.ask(_OF_SEGMENT, name=segment)


def _dangling(root: Path) -> Dangling:
    """Return the revisits whose bodies are lost."""
    index = Reader.to_read(root)
    try:
        found: Dangling = {}
        for row in index.ask(_NO_TARGET):
            groups = found.setdefault(row["segment"], {})
            groups.setdefault(row["place"], set()).add(unpacked(row["record"]))
        return found
    finally:
        index.close()


def back(root: Path, editions: Iterable[Edition]) -> tuple[list[Edition], list[Edition]]:
    """Tell which of the editions' bodies the mirror has again, every one, and which not."""
    index = Reader.to_read(root.absolute())
    try:
        found: tuple[list[Edition], list[Edition]] = ([], [])
        for each in editions:
            rows = index.ask(_HELD, site=each.site, slug=each.slug)
            held = {unpacked(row["digest"]) for row in rows}
            found[not held.issuperset(each.bodies.values())].append(each)
        return found
    finally:
        index.close()


_HELD = """
    SELECT shown.digest AS digest
    FROM articles JOIN representations AS shown ON shown.article = articles.n
    WHERE articles.site = :site AND articles.slug = :slug AND shown.length > 0
"""
