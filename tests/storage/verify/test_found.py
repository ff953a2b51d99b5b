"""What verifying tells, in words: where, whose, and what to do."""

from __future__ import annotations

import pytest
from msgspec import structs

from storage.verify.found import Counts, Report, in_index, in_segment
from tests.storage.drafts import SEEN

SOUND = Report(
    segments=1, snapshots=2, events=0, records=4, bytes=900, damaged=0, index_wrong=0, partial=3,
    unverified=2, since=SEEN, lost=(), unfinished=(),
)  # fmt: skip


def test_a_problem_is_told_on_one_line_with_its_place_and_article() -> None:
    told = in_segment("news.example/1.warc.gz", 17, "it is torn")
    assert told.sentence() == "segments/news.example/1.warc.gz at byte 17: it is torn"
    known = structs.replace(told, offset=None, site="news.example", slug="story")
    assert known.sentence() == "segments/news.example/1.warc.gz (news.example/story): it is torn"


def test_each_kind_of_problem_says_what_to_do() -> None:
    assert "slugline verify --repair" in in_segment("a/1", None, "x").advice
    assert "slugline reindex" in in_index("x", slug="story").advice


@pytest.mark.parametrize(
    ("damaged", "wrong", "sound"), [(0, 0, True), (1, 0, False), (0, 1, False)]
)
def test_what_is_only_short_is_sound(damaged: int, wrong: int, sound: bool) -> None:
    assert structs.replace(SOUND, damaged=damaged, index_wrong=wrong).sound is sound


def test_counts_of_parts_add_up() -> None:
    both = Counts(snapshots=1, events=2, records=3)
    both.add(Counts(snapshots=10, events=20, records=30))
    assert both == Counts(snapshots=11, events=22, records=33)
