"""A segment written anew without some of its bytes: aside, whole and durable, for its place.

The only way in which a segment's bytes change behind what was appended. Whoever calls this has the
writer's lock, and has noted in the index which segment it is (storage.upkeep.rewriting): between
putting it in place and the index's next word, the rows are those of the old one. Blocking.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

from storage.errors import os_errors
from storage.layout import durably
from storage.segments.kinds import Recovery, Segments, Span
from storage.segments.recovery import Group, Tail
from storage.segments.source import Source

#: Bytes copied at once.
_COPY = 1 << 20

#: Bytes of a segment that stand there, or new ones in their place.
Piece: TypeAlias = Span | bytes


def write_aside(segments: Segments, name: str, kept: Mapping[str, Sequence[Piece]]) -> Path:
    """Write pieces of segments, in order, to a file aside of ``name``, durably, and return it.

    Raises DamageFound where a segment ends before a span does.
    """
    part = segments.aside(name)
    with os_errors(f"writing {part}"), durably(part) as out:
        for each, pieces in kept.items():
            with segments.source(each) as source:
                for piece in pieces:
                    if isinstance(piece, bytes):
                        out.write(piece)
                    else:
                        _copy(source, piece[0], sum(piece), out)
    return part


def kept_spans(size: int, gone: Mapping[int, int]) -> list[Span]:
    """Return what is left of ``size`` bytes; ``gone`` are lengths by offset."""
    spans = []
    at = 0
    for offset in (*sorted(gone), size):
        spans += [(at, offset - at)] if offset > at else []
        at = offset + gone.get(offset, 0)
    return spans


def leave_out(
    segments: Segments, name: str, lost: Collection[Span], forgotten: Collection[Span]
) -> Recovery:
    """Write a segment anew without whole groups that no index has; see Segments.without."""
    gone = dict([*lost, *forgotten])
    kept = None
    with segments.source(name) as source:
        for offset, length in lost:
            kept = segments.keep(source, Tail(offset=offset, size=length))
        spans = kept_spans(source.size, gone)
    left = sum(1 for found in segments.walk(name) if isinstance(found, Group)) > len(gone)
    part = write_aside(segments, name, {name: spans}) if left else None
    segments.put_in_place(name, part)
    *found, tail = segments.walk(name) if left else (Tail(offset=0, size=0),)
    return Recovery(
        segment=name,
        groups=tuple(group for group in found if isinstance(group, Group)),
        length=tail.offset,
        lost=kept,
        lost_bytes=sum(length for _, length in lost),
    )


def _copy(source: Source, at: int, end: int, out: BinaryIO) -> None:
    while at < end:
        piece = source.read(at, min(_COPY, end - at))
        out.write(piece)
        at += len(piece)
