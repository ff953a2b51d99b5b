"""The captures of URLs: of one, of what begins alike, by time and by place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.archive import Archive
from storage.index.captures import ALWAYS, WINDOW, Capture, Captures, During
from tests.storage.drafts import SITE, article, hour, stored

URL = f"https://{SITE}/news/story"


@contextmanager
def captures_of(root: Path, *, private: bool = False) -> Iterator[Captures]:
    with Archive.open(root) as archive:
        yield Captures(archive.index, private=private)


def three(root: Path) -> None:
    stored(root, *(article(edition=str(n), seen=hour(n), reason="edit") for n in range(3)))


def sequences(found: list[Capture]) -> list[int]:
    return [one.sequence for one in found]


def test_a_urls_captures_come_by_time_and_by_pages(tmp_path: Path) -> None:
    three(tmp_path)
    with captures_of(tmp_path) as captures:
        assert sequences(captures.at([URL], ALWAYS, 10)) == [1, 2, 3]
        assert sequences(captures.at([URL], ALWAYS, 1, 1)) == [2]
        assert captures.count([URL], ALWAYS) == 3
        assert captures.count([URL, f"{URL}.md"], ALWAYS) == 6
        assert captures.at(["https://nowhere.example/"], ALWAYS, 10) == []


def test_a_span_takes_both_of_its_ends(tmp_path: Path) -> None:
    three(tmp_path)
    with captures_of(tmp_path) as captures:
        assert sequences(captures.at([URL], During(since=hour(1), until=hour(2)), 10)) == [2, 3]
        assert captures.count([URL], During(until=hour(0))) == 1


def test_the_nearest_to_a_moment_comes_first(tmp_path: Path) -> None:
    three(tmp_path)
    with captures_of(tmp_path) as captures:
        assert sequences(captures.near([URL], hour(2), ALWAYS, 2)) == [3, 2]
        assert sequences(captures.near([URL], hour(0), During(since=hour(1)), 5)) == [2, 3]


def test_what_begins_alike_is_found_and_no_sign_of_it_means_more(tmp_path: Path) -> None:
    stored(tmp_path, article("a_b", formats=("html",)), article("acb", formats=("html",)))
    with captures_of(tmp_path) as captures:
        start = f"https://{SITE}/news/a"
        found = captures.below([f"{start}*"], ALWAYS, 0, captures.windows() * WINDOW)
        assert [one.slug for one in found] == ["a_b", "acb"]
        found = captures.below(["https://*.example/news/a_b*"], ALWAYS, 0, WINDOW)
        assert [one.slug for one in found] == ["a_b"]
        assert captures.below([f"{start}*"], ALWAYS, 1, 1) == []


def test_a_record_is_found_by_its_place(tmp_path: Path) -> None:
    three(tmp_path)
    with captures_of(tmp_path) as captures:
        (first, *_) = captures.at([URL], ALWAYS, 10)
        place = first.place
        assert captures.record(place.segment, place.offset) == place
        assert captures.record(place.segment, place.offset + 1) is None
        assert captures.record("nowhere/none.warc.gz", place.offset) is None


def test_a_revisit_says_where_its_bytes_are(tmp_path: Path) -> None:
    again = article(seen=hour(1), reason="edit", not_modified=("markdown",), edition="")
    stored(tmp_path, article(), again)
    with captures_of(tmp_path) as captures:
        first, second = captures.at([f"{URL}.md"], ALWAYS, 10)
        assert first.target_id is None
        assert second.target_id is not None
        assert captures.place(second.target_id) == first.place


def test_what_is_private_is_captured_for_who_may_see_it(tmp_path: Path) -> None:
    stored(tmp_path, article(private=True))
    with captures_of(tmp_path, private=True) as captures:
        (seen, *_) = captures.at([URL], ALWAYS, 10)
    with captures_of(tmp_path) as captures:
        assert captures.count([URL], ALWAYS) == 0
        assert captures.record(seen.place.segment, seen.place.offset) is None
