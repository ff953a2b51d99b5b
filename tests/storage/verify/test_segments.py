"""One segment, whatever has become of it, without an index to lean on: what is found in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from storage.segments.local import LocalSegments
from storage.verify.found import Counts, Passed, Problem
from storage.verify.segments import SegmentCheck
from storage.warc import build_group, build_response, new_record_id
from tests.storage.segment_samples import NOON, group, manifest, payload, store
from tests.storage.verify.test_members import shown

GROUPS = tuple(group(number, revisit=number == 2) for number in range(1, 4))


class Checked:
    """What a check of the mirror's one segment found."""

    def __init__(self, segments: LocalSegments) -> None:
        (name,) = segments.names()
        self.counts = Counts()
        with segments.source(name) as source:
            check = SegmentCheck(source, None, self.counts)
            found = list(check.run(None, deep=True))
            self.unfinished = check.unfinished
            self.size = source.size
        self.problems = [each for each in found if isinstance(each, Problem)]
        self.passed = sum(each.bytes for each in found if isinstance(each, Passed))


def path_of(segments: LocalSegments) -> Path:
    (name,) = segments.names()
    return segments.root / "segments" / name


def test_a_sound_segment_has_no_fault_and_is_counted(tmp_path: Path) -> None:
    segments, _ = store(tmp_path, *GROUPS)
    checked = Checked(segments)
    assert checked.problems == []
    assert (checked.counts.snapshots, checked.counts.records) == (3, 7)
    assert (checked.passed, checked.unfinished) == (checked.size, False)


def test_damage_amid_is_told_once_and_what_stands_behind_it_is_looked_at(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    path, at = path_of(segments), places[1].offset
    data = bytearray(path.read_bytes())
    data[at + 20 : at + 60] = bytes(40)
    path.write_bytes(data)
    checked = Checked(segments)
    assert [problem.offset for problem in checked.problems] == [at]
    assert checked.counts.snapshots == 2


def test_damage_with_nothing_whole_behind_it_ends_the_search(tmp_path: Path) -> None:
    segments, places = store(tmp_path, *GROUPS)
    path, at = path_of(segments), places[2].offset
    data = bytearray(path.read_bytes())
    data[at + 20 :] = bytes(len(data) - at - 20)
    path.write_bytes(data)
    checked = Checked(segments)
    assert checked.counts.snapshots == 2
    assert checked.passed == checked.size


def test_a_torn_write_at_the_end_is_no_fault_and_is_said(tmp_path: Path) -> None:
    segments, _ = store(tmp_path, *GROUPS)
    path = path_of(segments)
    path.write_bytes(path.read_bytes() + group(4)[:-30])
    checked = Checked(segments)
    assert (checked.problems, checked.unfinished, checked.counts.snapshots) == ([], True, 3)


def test_a_body_that_none_of_the_records_has_is_told(tmp_path: Path) -> None:
    head, answer = new_record_id(NOON), payload("html")
    built = build_response(answer, record_id=new_record_id(), concurrent_to=head)
    one = structs.replace(shown(built, answer, bytes(answer.body)), record_id=new_record_id())
    said = structs.replace(manifest(), representations=(one,))
    segments, _ = store(tmp_path, build_group(said, record_id=head, records=[built])[1])
    (problem,) = Checked(segments).problems
    assert problem.why == "its manifest names a body that is in none of its records"
    assert (problem.slug, problem.offset) == ("a", _first(segments))


def _first(segments: LocalSegments) -> int:
    """Return where the first group stands, behind the warcinfo."""
    return path_of(segments).read_bytes().index(b"\x1f\x8b", 1)


@pytest.mark.parametrize("site", ["other.example", "example.org"])
def test_a_manifest_of_another_sites_segment_is_none(tmp_path: Path, site: str) -> None:
    strange = structs.replace(manifest(), site=site)
    segments, _ = store(tmp_path, build_group(strange, record_id=new_record_id(), records=[])[1])
    assert bool(Checked(segments).problems) == (site == "other.example")
