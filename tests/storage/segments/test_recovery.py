"""Torn or damaged: every place a write may stop, every bit that may flip (FORMAT.md's table)."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from storage.errors import DamageFound
from storage.model import FORMAT_VERSION
from storage.segments.recovery import BATCH, Group, Tail, find_next_record, manifest_group
from storage.warc import GZIP_HEADER, build_group, build_response, new_record_id
from tests.storage.segment_samples import group, manifest, payload, store

#: A snapshot with a revisit, an event without records, a snapshot: all the shapes of a last group.
SHAPES = {
    "records": (group(1, 2, revisit=True), group(2, 1)),
    "event": (group(1, 1), group(2, 0)),
    "alone": (group(1, 0),),
}


class Sample:
    """A segment in a file of its own whose bytes the tests change."""

    def __init__(self, root: Path, groups: tuple[bytes, ...]) -> None:
        self.segments, self.places = store(root, *groups)
        self.name = self.segments.names()[0]
        self.path = self.segments.path(self.name)
        self.data = self.path.read_bytes()
        self.found = list(self.segments.walk(self.name))

    def walk(self, data: bytes, start: int = 0) -> list[Group | Tail]:
        self.path.write_bytes(data)
        return list(self.segments.walk(self.name, start))


@pytest.fixture(params=sorted(SHAPES))
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Sample:
    return Sample(tmp_path, SHAPES[request.param])


@pytest.fixture
def two(tmp_path: Path) -> Sample:
    return Sample(tmp_path, SHAPES["records"])


def test_a_whole_segment_gives_its_groups_and_no_tail(sample: Sample) -> None:
    *groups, tail = sample.found
    places = [(g.offset, g.length) for g in groups if isinstance(g, Group)]
    assert places == [(p.offset, p.length) for p in sample.places]
    assert tail == Tail(offset=len(sample.data), size=0)


def test_a_segment_cut_at_any_byte_is_torn_after_its_last_whole_group(sample: Sample) -> None:
    for length in range(len(sample.data)):
        ends = [p.offset + p.length for p in sample.places if p.offset + p.length <= length]
        *groups, tail = sample.walk(sample.data[:length])
        end = ends[-1] if ends else 0
        assert groups == sample.found[: len(ends)]
        assert tail == Tail(offset=end, size=length - end)


def test_a_flipped_bit_anywhere_is_damage_and_never_a_tail_to_cut(sample: Sample) -> None:
    dice = random.Random(4)
    for at in range(len(sample.data)):
        flipped = bytearray(sample.data)
        flipped[at] ^= 1 << dice.randrange(8)
        try:
            found = sample.walk(bytes(flipped))
        except DamageFound:
            continue
        # A few bits of a deflate stream mean nothing: then all is read as it was written.
        assert found == sample.found


def test_damage_names_the_file_and_the_offset(two: Sample) -> None:
    middle = bytearray(two.data)
    middle[two.places[0].offset + 40] ^= 8
    with pytest.raises(DamageFound, match=f"{two.name} at byte {two.places[0].offset}"):
        two.walk(bytes(middle))


@pytest.mark.parametrize("rest", [b"x", b"not a record" * 99, b"\x1f\x8b\x08" * 50, bytes(5000)])
def test_bytes_that_are_no_record_at_all_are_a_tail(two: Sample, rest: bytes) -> None:
    assert two.walk(two.data + rest)[-1] == Tail(offset=len(two.data), size=len(rest))


def test_room_that_was_never_written_is_a_tail(two: Sample) -> None:
    for place in two.places:
        for keep in range(place.offset, place.offset + place.length - 8, 97):
            data = two.data[:keep] + bytes(len(two.data) - keep)
            assert two.walk(data)[-1] == Tail(
                offset=0 if place is two.places[0] else place.offset,
                size=len(data) - (0 if place is two.places[0] else place.offset),
            )


def test_a_hole_before_a_valid_record_is_damage(two: Sample) -> None:
    hole = bytearray(two.data)
    at = two.places[0].offset
    hole[at : at + 100] = bytes(100)
    with pytest.raises(DamageFound, match="a valid one after it"):
        two.walk(bytes(hole))


def test_rubbish_between_groups_is_damage(two: Sample) -> None:
    border = two.places[1].offset
    with pytest.raises(DamageFound, match=f"after it at byte {border + 4}"):
        two.walk(two.data[:border] + b"oops" + two.data[border:])


def test_a_record_that_lost_its_manifest_is_damage(two: Sample) -> None:
    first = two.places[0]
    answers = two.data[first.offset + first.length - 900 : first.offset + first.length]
    at = answers.find(b"\x1f\x8b\x08")
    with pytest.raises(DamageFound, match="belongs to no group"):
        two.walk(answers[at:])


def test_a_group_with_its_records_in_another_order_is_damage(tmp_path: Path) -> None:
    head = new_record_id()
    body = b"the same length"
    built = [
        build_response(payload("f", body), record_id=new_record_id(), concurrent_to=head)
        for _ in range(2)
    ]
    while len(built[0].member) != len(built[1].member):
        built[1] = build_response(payload("f", body), record_id=new_record_id(), concurrent_to=head)
    whole = build_group(manifest(), record_id=head, records=built)[1]
    first, second = (record.member for record in built)
    swapped = whole[: -len(first + second)] + second + first
    segments, places = store(tmp_path, swapped)
    with pytest.raises(DamageFound, match="should stand"):
        list(segments.walk(places[0].segment))


def test_a_page_that_looks_like_a_segment_does_not_stop_a_recovery(tmp_path: Path) -> None:
    """A torn group whose manifest is whole is not searched: its records stand where it says."""
    hostile = structs.replace(payload("f0", coded=True), body=group(9, 1) + bytes(range(256)) * 40)
    head = new_record_id()
    record = build_response(hostile, record_id=new_record_id(), concurrent_to=head)
    torn = build_group(manifest(), record_id=head, records=[record])[1]
    sample = Sample(tmp_path, (group(1, 1), torn))
    assert sample.walk(sample.data[:-9])[-1] == Tail(
        offset=sample.places[1].offset, size=len(torn) - 9
    )


def test_a_manifest_that_can_not_be_read_is_damage(tmp_path: Path) -> None:
    two = Sample(tmp_path, SHAPES["event"])
    member = two.data[two.places[1].offset :][: two.places[1].length]
    plain = gzip.decompress(member).replace(b'"sequence":2', b'"sequence":X')
    wrong = GZIP_HEADER + gzip.compress(plain, mtime=0)[len(GZIP_HEADER) :]
    with pytest.raises(DamageFound, match="can't be read"):
        two.walk(two.data[: two.places[1].offset] + wrong)


def test_a_manifest_from_a_newer_slugline_stops_the_walk(tmp_path: Path) -> None:
    newer = structs.replace(manifest(), format=FORMAT_VERSION + 1)
    segments, places = store(tmp_path, build_group(newer, record_id=new_record_id(), records=[])[1])
    with pytest.raises(DamageFound, match="newer"):
        list(segments.walk(places[0].segment))


def test_the_next_record_is_found_across_any_border_of_reading(two: Sample) -> None:
    for length in (0, 1, 65_535, 65_536, 65_537, 131_070):
        two.path.write_bytes(b"\x1f" * length + two.data)
        with two.segments.source(two.name) as source:
            assert find_next_record(source, 0) == length
            assert find_next_record(source, len(two.data) + length - 20) is None


def test_a_manifest_is_read_where_it_stands_and_nowhere_else(two: Sample) -> None:
    with two.segments.source(two.name) as source:
        assert manifest_group(source, two.places[1].offset) == two.found[1]
        for offset in (-1, 0, 1, two.places[1].offset + 1, len(two.data), 1 << 60):
            with pytest.raises(DamageFound):
                manifest_group(source, offset)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(0, 3), st.integers(0, 1000))
def test_a_batch_torn_anywhere_keeps_what_was_committed(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], before: int, thousandths: int
) -> None:
    groups = tuple(group(n + 1, size) for n, size in enumerate(sizes))
    sample = Sample(tmp_path_factory.mktemp("mirror"), groups)
    committed = sample.places[min(before, len(sizes) - 1)].offset
    cut = committed + (len(sample.data) - committed) * thousandths // 1000
    *found, tail = sample.walk(sample.data[:cut], committed)
    assert isinstance(tail, Tail)
    assert [g.offset for g in found] == [
        p.offset for p in sample.places if p.offset >= committed and p.offset + p.length <= cut
    ]
    assert tail.offset + tail.size == cut


def test_skimming_gives_the_same_groups_and_the_same_tail(tmp_path: Path) -> None:
    sample = Sample(tmp_path, tuple(group(number, 2) for number in range(1, BATCH + 9)))
    assert list(sample.segments.walk(sample.name, skim=True)) == sample.found
    sample.path.write_bytes(sample.data[:-3])
    cut = list(sample.segments.walk(sample.name))
    assert list(sample.segments.walk(sample.name, skim=True)) == cut


def test_skimming_reads_every_record_of_what_one_write_may_have_left(tmp_path: Path) -> None:
    sample = Sample(tmp_path, tuple(group(number, 2) for number in range(1, BATCH + 9)))
    for number, place in enumerate(sample.places):
        spoiled = bytearray(sample.data)
        spoiled[place.offset + place.length - 9] ^= 1  # in the last record's checksum
        sample.path.write_bytes(spoiled)
        if number < len(sample.places) - BATCH:
            assert list(sample.segments.walk(sample.name, skim=True)) == sample.found
        else:
            with pytest.raises(DamageFound):
                list(sample.segments.walk(sample.name, skim=True))
