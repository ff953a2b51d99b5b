"""Segments that the index knows and that are not there.

An index made anew says nothing of them, and then nothing tells that they ever were. So whoever is
about to make one asks here first. What a killed command was rewriting may rightly be gone.
Blocking.
"""

from __future__ import annotations

from pathlib import Path

from storage import layout
from storage.errors import IndexLies, IndexUnusable, SegmentsGone
from storage.index.opening import name_of
from storage.index.reader import Reader
from storage.index.replacing import announced
from storage.index.standing import known_segments
from storage.segments.kinds import Segments
from storage.segments.opening import open_segments


def check_all_there(root: Path) -> None:
    """Raise SegmentsGone where the index that is there knows segments that are not.

    An index that can't be read tells of none, and one that knows no segment that is there, where
    others are, is another mirror's.
    """
    try:
        index = Reader.to_read(root)
    except IndexUnusable:
        return
    try:
        known = _settled(index)
    except (IndexUnusable, IndexLies):
        return
    finally:
        index.close()
    there = set(open_segments(root).names())
    gone = sorted(known - there)
    if gone and (known & there or not there):
        raise _gone(root, gone, len(known))


def check_any_there(root: Path, index: Reader, segments: Segments) -> None:
    """Raise SegmentsGone where the index knows segments, and there is none at all."""
    known = _settled(index)
    if segments.are_others(known) and not segments.are_there():
        raise _gone(root, sorted(known), len(known))


def _settled(index: Reader) -> set[str]:
    """Return the segments that nobody was rewriting. Raises IndexUnusable, IndexLies."""
    left = announced(index)
    return known_segments(index).keys() - set(left.segments if left else ())


def _gone(root: Path, gone: list[str], known: int) -> SegmentsGone:
    places = layout.check(root)
    place = places.segments or str(root / layout.SEGMENTS)
    return SegmentsGone(place, name_of(places), gone, known)
