"""A segment written anew without some of its bytes: aside, whole and durable, for its place.

The only way in which a segment's bytes change behind what was appended. Whoever calls this has the
writer's lock, and has noted in the index which segment it is (storage.upkeep): between putting it
in place and the index's next word, the rows are those of the old one. Blocking.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

from storage.errors import os_errors
from storage.segments.kinds import Segments
from storage.segments.source import Source

#: Bytes copied at once.
_COPY = 1 << 20

#: An offset and a length in bytes.
Span: TypeAlias = tuple[int, int]
#: Bytes of a segment that stand there, or new ones in their place.
Piece: TypeAlias = Span | bytes


def write_aside(segments: Segments, name: str, kept: Mapping[str, Sequence[Piece]]) -> Path:
    """Write pieces of segments, in order, to a file aside of ``name``, durably, and return it.

    Raises DamageFound where a segment ends before a span does.
    """
    part = segments.aside(name)
    with os_errors(f"writing {part}"), part.open("wb") as out:
        for each, pieces in kept.items():
            with segments.source(each) as source:
                for piece in pieces:
                    if isinstance(piece, bytes):
                        out.write(piece)
                    else:
                        _copy(source, piece[0], sum(piece), out)
        out.flush()
        os.fsync(out.fileno())
    return part


def _copy(source: Source, at: int, end: int, out: BinaryIO) -> None:
    while at < end:
        piece = source.read(at, min(_COPY, end - at))
        out.write(piece)
        at += len(piece)
