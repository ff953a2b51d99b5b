"""Moving a mirror's index: from its folder into a database, from one database to another, and back.

Made anew from the segments where it is to be, with all that runs remember; then mirror.json says
where it is; then the old one goes. Killed at any instant before that the old one stands.
mirror.json tells of both meanwhile, for leftovers.py to sweep. Blocking.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex

from msgspec import Struct, structs

from storage import layout
from storage.errors import ArchiveError, LockHeld, UnusablePlace
from storage.index import opening
from storage.index.beside import remove
from storage.index.index import Index
from storage.index.reader import Reader
from storage.layout import Leftover, Places
from storage.lock import WriterLock
from storage.reindex import rebuild_at
from storage.taking_out import take_out
from storage.upkeep import leftovers
from storage.upkeep.rewriting import Upkeep

#: What runs noted of their own in tables that segments fill too.
_NOTED = ("names", "validators")


class IndexMoved(Struct, frozen=True, kw_only=True):
    """What moving did: what the new index holds. ``to`` is its URL, None: the mirror's folder."""

    to: str | None
    snapshots: int
    events: int


def move_index(root: Path, url: str | None, now: datetime) -> IndexMoved:
    """Move the index of the mirror at ``root`` to ``url``, None: into its folder.

    Raises NotAMirror, LockHeld, UnusablePlace, DamageFound, StoreFailed.
    """
    root = root.absolute()
    places = layout.check(root)
    if url is not None:
        layout.check_urls(structs.replace(places, index=url))
    chosen = layout.chosen("index", url, places)
    folder = (places.folder or token_hex(8)) if chosen is not None else ""
    wanted = structs.replace(places, index=chosen, left=None, folder=folder)
    going = Leftover(what="index", url=wanted.index)
    with Upkeep(root, now, moving=going) as upkeep:
        if wanted.index == places.index:
            return _moved(upkeep.index, places.index)
        resumed = places.left == going
        if url is not None and opening.is_at(wanted) and not (resumed and _is_ours(upkeep, wanted)):
            why = "an index is there already: drop its schema, or name another"
            raise UnusablePlace("index", url, why)
        layout.move(structs.replace(places, left=going))
        try:
            report = rebuild_at(wanted)
        except ArchiveError:
            if not resumed:
                layout.move(structs.replace(places, left=None))
            raise
        done = _taken_over(upkeep.index, wanted)
        moved = structs.replace(wanted, left=Leftover(what="index", url=places.index))
        layout.move(moved)
    with suppress(LockHeld), WriterLock(root, now):
        # Who had the lock since may have swept the old one, or moved on: then it is not ours.
        if layout.check(root) == moved:
            opening.remove(places)
            remove(root / layout.FULLTEXT)
            layout.move(wanted)
            take_out(wanted, report.left_out)
    return done


def _is_ours(upkeep: Upkeep, wanted: Places) -> bool:
    return leftovers.is_index_of(upkeep.index, leftovers.at(wanted))


def _taken_over(old: Index, wanted: Places) -> IndexMoved:
    """Have the new index remember what runs noted in the old one."""
    index = Index.to_write(wanted.root, wanted)
    try:
        for table in _NOTED:
            index.take_over(table, old)
        return _moved(index, wanted.index)
    finally:
        index.close()


def _moved(index: Reader, url: str | None) -> IndexMoved:
    return IndexMoved(
        to=url,
        snapshots=index.number("SELECT count(*) FROM snapshots"),
        events=index.number("SELECT count(*) FROM events"),
    )
