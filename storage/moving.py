"""Moving a mirror's segments: from its folder to a bucket, from one bucket to another, and back.

A plain copy, under the same names, each read back and compared by its SHA-256; then mirror.json
says where they are; then the old ones go. The index needs no change: it knows segments by name.
Killed at any instant before mirror.json is written the old ones stand, and the same again goes on
with what is there; after it, only copies are left behind. Blocking.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from msgspec import Struct, structs

from storage import layout
from storage.errors import DamageFound, StoreFailed, UnusablePlace, os_errors
from storage.segments.kinds import Segments
from storage.segments.opening import open_at
from storage.segments.source import Source
from storage.upkeep import Upkeep

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
    wanted = structs.replace(places, segments=None if url is None else layout.with_folder(url))
    layout.check_urls(wanted)
    with Upkeep(root, now) as upkeep:
        source, target = upkeep.segments, open_at(root, wanted.segments)
        if wanted == places:
            return Moved(to=url, segments=len(source.names()), bytes=0, copied=0)
        names = source.names()
        strangers = set(target.names()) - set(names)
        if strangers:
            why = f"{len(strangers)} other segments are there, as {min(strangers)}"
            raise UnusablePlace("segments", wanted.segments or str(root), why)
        sizes = [_copy(source, target, name) for name in names]
        layout.move(wanted)
        _remove(source, names)
    return Moved(
        to=wanted.segments,
        segments=len(names),
        bytes=sum(size for size, _ in sizes),
        copied=sum(copied for _, copied in sizes),
    )


def _copy(source: Segments, target: Segments, name: str) -> tuple[int, int]:
    """Have a segment at its new place too; return its bytes, and how many of them were copied."""
    with source.source(name) as old:
        size = old.size
        if target.size(name) == size and _digest_at(target, name) == _digest(old):
            return size, 0
        if target.size(name) is not None:
            raise UnusablePlace("segments", name, "another one of that name is there")
        part = target.aside(name)
        with os_errors(f"copying the segment {name}"):
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as out:
                for chunk in old.chunks(0, size, _COPY):
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
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
        raise DamageFound(source.name, "it ends before it should")
    return digest.hexdigest()


def _remove(source: Segments, names: Sequence[str]) -> None:
    for name in names:
        source.put_in_place(name, None)
    for folder in (source.root / layout.SEGMENTS).glob("*/"):
        with suppress(OSError):  # what is left there is none of ours
            folder.rmdir()
