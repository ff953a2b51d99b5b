"""Verifying a mirror: what is sound passes, what is not is named, and nothing is changed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from storage import layout
from storage.errors import NotAMirror, StoreFailed
from storage.index.index import Index
from storage.index.opening import name_of
from storage.index.replacing import REWRITES
from storage.reindex import reindex
from storage.verify.found import Problem, Report
from storage.verify.whole import Asked, verify
from tests.storage.drafts import SEEN, SegmentFile, article, segments_of, stored
from tests.storage.indexes import change, lose, rows
from tests.storage.verify.harming import SINCE, harmed, problems
from tests.storage.verify.mirrors import filled


def report(root: Path) -> Report:
    *_, last = verify(root, Asked(since=SINCE))
    assert isinstance(last, Report)
    return last


def flip(path: SegmentFile, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def changed(root: Path, statement: str) -> list[Problem]:
    change(root, statement)
    return problems(root)


def test_a_sound_mirror_has_no_problem_and_is_counted(tmp_path: Path) -> None:
    assert problems(filled(tmp_path)) == []
    told = report(tmp_path)
    assert (told.snapshots, told.events, told.sound) == (14, 3, True)
    assert told.bytes == sum(len(path.read_bytes()) for path in segments_of(tmp_path))


def test_a_sound_mirror_passes_when_every_body_is_decoded_too(tmp_path: Path) -> None:
    assert problems(filled(tmp_path), deep=True) == []


def test_an_empty_mirror_is_sound(tmp_path: Path) -> None:
    stored(tmp_path)
    assert report(tmp_path).sound


def test_an_index_made_again_is_sound(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=6_000)
    lose(tmp_path)
    reindex(tmp_path, SEEN)
    assert problems(tmp_path) == []


@pytest.mark.parametrize("seed", range(4))
def test_every_harm_at_random_is_found(seed: int, tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=6_000)
    random = Random(seed)
    for _ in range(12):
        with harmed(tmp_path, random) as harm:
            assert harm.is_told(problems(tmp_path)), harm.said
    assert problems(tmp_path) == []


def test_a_name_in_the_index_that_no_segment_can_have_is_told(tmp_path: Path) -> None:
    stored(tmp_path, article())
    change(tmp_path, "UPDATE segments SET name = replace(name, '.warc', '/warc')")
    (problem,) = problems(tmp_path)
    assert problem.file == name_of(layout.check(tmp_path))
    assert "no segment's name" in problem.why


def test_every_bit_of_a_segment_counts_even_one_that_decodes_alike(tmp_path: Path) -> None:
    stored(tmp_path, article(coding="gzip", formats=("html",)))
    (path,) = segments_of(tmp_path)
    data = path.read_bytes()
    # The header of a body's stored block has five bits that no decoder looks at.
    at = data.index(b"\x1f\x8b\x08", len(data) - 120) - 5
    assert data[at] == 0
    path.write_bytes(data[:at] + b"\x10" + data[at + 1 :])
    (problem,) = problems(tmp_path)
    assert problem.why.endswith("its bytes are not those written, though they decode alike")


def test_damage_names_the_file_the_byte_and_the_article(tmp_path: Path) -> None:
    stored(tmp_path, article("one"), article("two"), article("three"))
    (path,) = segments_of(tmp_path)
    ((offset,),) = rows(tmp_path, "SELECT \"offset\" FROM snapshots WHERE slug = 'two'")
    flip(path, offset + 40)
    (problem,) = problems(tmp_path)
    assert problem.kind == "segment"
    assert problem.file == f"segments/news.example/{path.name}"
    assert (problem.offset, problem.site, problem.slug) == (offset, "news.example", "two")
    assert "--repair" in problem.advice


def test_what_stands_behind_damage_is_read_too(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(9)))
    (path,) = segments_of(tmp_path)
    size = len(path.read_bytes())
    for at in (size // 5, size // 2, size - 30):
        flip(path, at)
    assert len({problem.slug for problem in problems(tmp_path)}) == 3
    assert report(tmp_path).snapshots >= 6


def test_damage_is_found_without_an_index(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(5)))
    (path,) = segments_of(tmp_path)
    flip(path, len(path.read_bytes()) // 2)
    lose(tmp_path)
    assert {problem.kind for problem in problems(tmp_path)} == {"index", "segment"}
    assert report(tmp_path).snapshots >= 4


@pytest.mark.index_file("a broken file")
def test_a_broken_index_is_named_and_the_segments_are_read_all_the_same(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "index.sqlite").write_bytes(b"no database")
    (problem,) = problems(tmp_path)
    assert (problem.kind, problem.file) == ("index", "index.sqlite")
    assert "reindex" in problem.advice
    assert report(tmp_path).snapshots == 14


def test_a_segment_that_is_gone_is_damage(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=6_000)
    segments_of(tmp_path)[1].unlink()
    assert any("is not there" in problem.why for problem in problems(tmp_path))


def test_a_body_that_no_segment_has_is_damage(tmp_path: Path) -> None:
    stored(tmp_path, article())
    statement = "UPDATE representations SET target_id = record_id WHERE format = 'html'"
    assert any("which no segment has" in problem.why for problem in changed(tmp_path, statement))


def test_what_a_killed_run_left_is_no_damage_and_is_said(tmp_path: Path) -> None:
    stored(tmp_path, article())
    (path,) = segments_of(tmp_path)
    path.write_bytes(path.read_bytes() + path.read_bytes()[:100])
    assert report(tmp_path).sound
    assert report(tmp_path).unfinished == (f"news.example/{path.name}",)


def test_files_under_lost_are_told(tmp_path: Path) -> None:
    stored(tmp_path, article())
    (tmp_path / "lost" / "news.example").mkdir(parents=True)
    (tmp_path / "lost" / "news.example" / "x.10-abcdef01").write_bytes(b"1234")
    assert report(tmp_path).lost == (("lost/news.example/x.10-abcdef01", 4),)


def test_what_a_run_noted_of_its_own_is_no_fault(tmp_path: Path) -> None:
    filled(tmp_path)
    assert changed(tmp_path, "UPDATE names SET seen_at = seen_at + 1000000") == []
    assert changed(tmp_path, "UPDATE validators SET etag = 'x', seen_at = seen_at + 1") == []


def test_a_validator_that_is_not_its_answers_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    wrong = changed(tmp_path, "UPDATE validators SET etag = 'x'")
    assert {problem.kind for problem in wrong} == {"index"}


def test_segments_rewritten_meanwhile_are_no_damage_but_a_word(tmp_path: Path) -> None:
    filled(tmp_path)
    found = verify(tmp_path, Asked(since=SINCE))
    next(found)
    index = Index.to_write(tmp_path)
    index.set_note(REWRITES, "1")
    index.close()
    with pytest.raises(StoreFailed, match="rewritten while they were verified"):
        list(found)


def test_what_is_no_mirror_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAMirror):
        list(verify(tmp_path, Asked(since=SINCE)))
