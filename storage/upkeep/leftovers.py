"""What a move that was killed left at a place that is not the mirror's, or not yet: swept here.

mirror.json names that place from before the first copy until after the last removal. Copies would
outlive what is taken out of the mirror, so whatever rewrites segments sweeps them first; the same
move goes on with them instead. Only what is a copy of the mirror's own is removed. Blocking.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from msgspec import structs

from storage import layout
from storage.errors import ArchiveError, IndexUnusable, StoreFailed, os_errors
from storage.index import opening
from storage.index.beside import remove
from storage.index.index import Index
from storage.index.reader import Reader
from storage.index.standing import known_segments
from storage.layout import Leftover, Places
from storage.segments.kinds import Segments
from storage.segments.opening import open_at

#: Bytes by which two segments are told to be one: the first record has an id of its own.
_OPENING = 256
#: The folder of what is put at one place to see whether it is at another too.
_PROBE, _PROBE_FILE = "moving-", "19700101T000000000000Z-1.warc.gz"
#: Under this key an index notes the like.
_NOTE = "moving"


def sweep(root: Path, segments: Segments, index: Index) -> tuple[str, ...]:
    """Remove what a killed move left of the mirror whose ``segments`` and ``index`` these are.

    Says in sentences what was done. Raises StoreFailed where the place can't be looked at.
    """
    places = layout.check(root)
    if places.left is None:
        return ()
    where = places.left.url or str(root)
    try:
        if places.left.what == "segments":
            sweep_segments(segments, open_at(root, places.left.url))
        else:
            _sweep_index(root, index, places.left)
    except ArchiveError as error:
        gone = f'Where they are gone for good, take "left" out of {root / layout.MARK}'
        why = f"a move that was killed left copies at {where}, which must go first: {error}. {gone}"
        raise StoreFailed(why) from error
    layout.move(structs.replace(places, left=None))
    return (f"what a move that was killed had left at {where} was removed",)


def sweep_segments(own: Segments, other: Segments) -> None:
    """Remove from ``other`` what it has of ``own``'s segments, unless both are one place."""
    other.sweep()
    same = is_same(own, other)
    for name in other.names():
        # A name has the microsecond of a run's start: none but a copy has the same.
        if _is_probe(name) or (not same and own.size(name) is not None):
            other.put_in_place(name, None)
    for folder in (other.root / layout.SEGMENTS).glob("*/"):
        with suppress(OSError):  # what is left there is none of ours
            folder.rmdir()


def is_same(one: Segments, other: Segments) -> bool:
    """Tell whether two places are one, however they are spelt: what is put in one is in both."""
    name = f"{_PROBE}{token_hex(8)}/{_PROBE_FILE}"
    part = other.aside(name)
    with os_errors("trying the new place"):
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"slugline")
    other.put_in_place(name, part)
    try:
        return one.size(name) is not None
    finally:
        other.put_in_place(name, None)
        with suppress(OSError):
            part.parent.rmdir()


def _is_probe(name: str) -> bool:
    return name.startswith(_PROBE) and name.endswith(f"/{_PROBE_FILE}")


def is_copy(own: Segments, other: Segments, name: str) -> bool:
    """Tell whether ``other`` has a copy of one of ``own``'s segments, an older one maybe."""
    size, copied = own.size(name), other.size(name)
    if size is None or copied is None:
        return False
    length = min(size, copied, _OPENING)
    return own.read(name, 0, length) == other.read(name, 0, length)


def _sweep_index(root: Path, own: Index, left: Leftover) -> None:
    places = structs.replace(layout.check(root), index=left.url)
    if left.url is None or is_index_of(own, at(places)):
        opening.remove(places)
    if left.url is None:
        remove(root / layout.FULLTEXT)


def at(places: Places) -> Reader | None:
    """Return the index at ``places``, None where there is none."""
    try:
        return Reader.to_read(places.root, places)
    except IndexUnusable:
        return None


def is_index_of(own: Index, other: Reader | None) -> bool:
    """Tell whether another index is of the same segments as ``own``, and not the same index.

    ``other`` is closed; None is one that is not there, of which a crash may have left a beginning.
    """
    if other is None:
        return True
    try:
        own.set_note(_NOTE, token_hex(8))
        if other.note(_NOTE) == own.note(_NOTE):
            return False
        theirs = known_segments(other).keys()
        return bool(theirs) and theirs <= known_segments(own).keys()
    finally:
        other.close()
