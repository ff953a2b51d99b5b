"""Writing a segment anew: what is left of it, from where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import DamageFound
from storage.segments.rewriting import kept_spans, leave_out, write_aside
from tests.storage.segment_samples import group, store

GAPS = st.sets(st.integers(0, 49), max_size=9)


@given(GAPS, st.integers(0, 500))
def test_what_is_left_is_all_but_the_gaps(starts: set[int], rest: int) -> None:
    gone = {start * 10: 7 for start in starts}
    size = max((at + length for at, length in gone.items()), default=0) + rest
    left = {byte for at, length in kept_spans(size, gone) for byte in range(at, at + length)}
    lost = {byte for at, length in gone.items() for byte in range(at, at + length)}
    assert left == set(range(size)) - lost
    assert all(length > 0 for _, length in kept_spans(size, gone))


def test_pieces_are_written_aside_in_their_order(tmp_path: Path) -> None:
    segments, _ = store(tmp_path, group())
    (name,) = segments.names()
    data = segments.read(name, 0, segments.size(name) or 0)
    part = write_aside(segments, name, {name: [(10, 5), b"new", (0, 10)]})
    assert part.read_bytes() == data[10:15] + b"new" + data[:10]
    assert segments.read(name, 0, len(data)) == data
    part.unlink()
    with pytest.raises(DamageFound):
        write_aside(segments, name, {name: [(0, len(data) + 1)]})


def test_groups_that_no_index_has_are_left_out_and_those_lost_are_kept_elsewhere(
    tmp_path: Path,
) -> None:
    segments, places = store(tmp_path, group(1), group(2), group(3))
    (name,) = segments.names()
    spans = [(place.offset, place.length) for place in places]
    lost = segments.read(name, *spans[0])
    found = leave_out(segments, name, [spans[0]], [spans[2]])
    assert [each.manifest.slug for each in found.groups] == ["a2"]
    assert (found.lost_bytes, found.length) == (spans[0][1], segments.size(name))
    assert found.lost is not None
    assert (tmp_path / found.lost).read_bytes() == lost


def test_a_segment_of_which_no_group_is_left_is_no_segment(tmp_path: Path) -> None:
    segments, places = store(tmp_path, group(1))
    (name,) = segments.names()
    found = leave_out(segments, name, [], [(places[0].offset, places[0].length)])
    assert (found.groups, found.length, found.lost) == ((), 0, None)
    assert segments.names() == []
