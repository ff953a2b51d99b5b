"""Moving a mirror's index: from its folder into a database, from one database to another, and back.

Made anew from the segments where it is to be, with all that runs remember; then mirror.json says
where it is; then the old one goes. Killed at any instant before mirror.json is written the old one
stands. Blocking.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from secrets import token_hex

from msgspec import Struct, structs

from storage import layout
from storage.errors import UnusablePlace
from storage.index import opening
from storage.index.beside import remove
from storage.index.index import Index
from storage.index.reader import Reader
from storage.reindex import rebuild_at
from storage.upkeep import Upkeep

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
    named = None if url is None else layout.with_schema(url, f"mirror_{token_hex(8)}")
    wanted = structs.replace(places, index=named)
    layout.check_urls(wanted)
    with Upkeep(root, now) as upkeep:
        if wanted == places:
            return _moved(upkeep.index, places.index)
        if url is not None and opening.is_at(wanted):
            why = "an index is there already: drop its schema, or name another"
            raise UnusablePlace("index", url, why)
        rebuild_at(wanted)
        layout.move(wanted)
        index = Index.to_write(root)
        try:
            for table in _NOTED:
                index.take_over(table, upkeep.index)
            done = _moved(index, wanted.index)
        finally:
            index.close()
    opening.remove(places)
    remove(root / layout.FULLTEXT)
    return done


def _moved(index: Reader, url: str | None) -> IndexMoved:
    return IndexMoved(
        to=url,
        snapshots=index.number("SELECT count(*) FROM snapshots"),
        events=index.number("SELECT count(*) FROM events"),
    )
