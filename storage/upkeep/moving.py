"""Moving a mirror's segments: from its folder to a bucket, from one bucket to another, and back.

A plain copy, under the same names, each read back and compared by its SHA-256; then mirror.json
says where they are; then the old ones go. The index needs no change: it knows segments by name.
Killed at any instant before mirror.json says so the old ones stand, and the same again goes on with
what is there; after it, only copies are left behind. Either way mirror.json tells where copies are,
for leftovers.py to sweep. Blocking.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, structs

from storage import layout
from storage.errors import ArchiveError, DamageFound, StoreFailed, UnusablePlace, os_errors
from storage.layout import Leftover, Places
from storage.segments.kinds import Segments
from storage.segments.names import place_of
from storage.segments.opening import open_at
from storage.segments.source import Source
from storage.upkeep.leftovers import is_copy, is_same, sweep_segments
from storage.upkeep.rewriting import Upkeep

#: Bytes copied at once.
_COPY = 4 << 20


class Moved(Struct, frozen=True, kw_only=True):
    """What moving did: segments and bytes at the new place, ``copied`` of them by this command.

    ``to`` is the new place's URL, None: the mirror's folder.
    """

    to: str | None
    segments: int
    bytes: int
    copied: int


def move_segments(root: Path, url: str | None, now: datetime) -> Moved:
    """Move the segments of the mirror at ``root`` to ``url``, None: into its folder.

    Raises NotAMirror, LockHeld, UnusablePlace where other segments are there, SegmentsAway,
    DamageFound.
    """
    root = root.absolute()
    places = layout.check(root)
    wanted = structs.replace(places, segments=layout.chosen("segments", url, places), left=None)
    layout.check_urls(wanted)
    if url is not None:
        _check_place(root, url)
    going = Leftover(what="segments", url=wanted.segments)
    with Upkeep(root, now, moving=going) as upkeep:
        source = upkeep.segments
        if wanted.segments == places.segments:
            return Moved(to=url, segments=len(source.names()), bytes=0, copied=0)
        layout.make_place(wanted)
        target = open_at(root, wanted.segments)
        names = source.names()
        resumed = places.left == going
        layout.move(structs.replace(places, left=going))
        try:
            _check_target(source, target, wanted)
        except ArchiveError:
            if not resumed:
                layout.move(structs.replace(places, left=None))
            raise
        sizes = [_copy(source, target, name, resumed=resumed) for name in names]
        left = Leftover(what="segments", url=places.segments)
        layout.move(structs.replace(wanted, left=left))
        _check_all(source, target, names)
        sweep_segments(target, source)
        layout.move(wanted)
    return Moved(
        to=wanted.segments,
        segments=len(names),
        bytes=sum(size for size, _ in sizes),
        copied=sum(copied for _, copied in sizes),
    )


def _check_place(root: Path, url: str) -> None:
    """Raise UnusablePlace for a URL without a place in it, or one that leads into the mirror."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        if not parts.netloc:
            raise UnusablePlace("segments", url, "it names no bucket")
        return
    if parts.netloc not in {"", "localhost"} or not parts.path.strip("/"):
        raise UnusablePlace("segments", url, "it names no folder of this machine: file:///FOLDER")
    folder, own = Path(parts.path).resolve(), root.resolve()
    if folder.is_relative_to(own) or own.is_relative_to(folder):
        raise UnusablePlace("segments", url, "one of the two folders is in the other")


def _check_target(source: Segments, target: Segments, wanted: Places) -> None:
    """Raise UnusablePlace where the two are one, or where segments are that are none of these."""
    place = wanted.segments or str(wanted.root)
    if is_same(source, target):
        raise UnusablePlace("segments", place, "that is where they are, under another name")
    strangers = set(target.names()) - set(source.names())
    if strangers:
        why = f"{len(strangers)} other segments are there, as {min(strangers)}"
        raise UnusablePlace("segments", place, why)


def _copy(source: Segments, target: Segments, name: str, *, resumed: bool) -> tuple[int, int]:
    """Have a segment at its new place too; return its bytes, and how many of them were copied.

    ``resumed``: what a killed move put there may be older.
    """
    with source.source(name) as old:
        size = old.size
        if target.size(name) == size and _digest_at(target, name) == _digest(old):
            return size, 0
        if target.size(name) is not None and not (resumed and is_copy(source, target, name)):
            raise UnusablePlace("segments", name, "another one of that name is there")
        part = target.aside(name)
        with os_errors(f"copying the segment {name}"):
            part.parent.mkdir(parents=True, exist_ok=True)
            with layout.durably(part) as out:
                for chunk in old.chunks(0, size, _COPY):
                    out.write(chunk)
        target.put_in_place(name, part)
        if _digest_at(target, name) != _digest(old):
            raise StoreFailed(f"the copy of {name} is not what was written: nothing was removed")
    return size, size


def _digest_at(segments: Segments, name: str) -> str:
    with segments.source(name) as source:
        return _digest(source)


def _digest(source: Source) -> str:
    digest, length = sha256(), 0
    for chunk in source.chunks(0, source.size, _COPY):
        digest.update(chunk)
        length += len(chunk)
    if length != source.size:
        raise DamageFound(place_of(source.name), "it ends before it should")
    return digest.hexdigest()


def _check_all(source: Segments, target: Segments, names: Sequence[str]) -> None:
    for name in names:
        if target.size(name) != source.size(name):
            raise StoreFailed(f"{name} is not at the new place any more: the old one was left")
