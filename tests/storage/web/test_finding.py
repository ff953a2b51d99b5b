"""Articles by words: by their texts, and by their titles while these are being read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.archive import Archive
from storage.web.catalogue import Wanted
from storage.web.finding import find
from storage.web.follower import Follower
from storage.web.reading import RecentAnswers, ThreadArchive
from storage.web.texts import TextKeeper
from tests.storage.drafts import SITE, event, hour, stored
from tests.storage.texts import told

ALL = Wanted(site=SITE, values={})


@contextmanager
def reading_of(root: Path, *, texts: bool) -> Iterator[ThreadArchive]:
    """Read a mirror whose catalogue is made, and whose texts are or are not yet."""
    place = None
    if texts:
        kept = TextKeeper(root, root, private=False)
        with Archive.open(root) as archive:
            while kept.step(archive):
                pass
        place = kept.place()
        kept.close()
    follower = Follower(root, private=False)
    follower.start()
    assert follower.caught_up.wait(20)
    reading = ThreadArchive(
        root, follower.path, lambda: place, RecentAnswers(9), RecentAnswers(9), private=False
    )
    try:
        yield reading
    finally:
        reading.close()
        follower.close()


def slugs(
    reading: ThreadArchive, words: str, wanted: Wanted | None = None, most: int = 10
) -> list[str]:
    return [slug for _, slug in find(reading, words, wanted, most).articles]


def newsroom(root: Path) -> None:
    stored(
        root, told("tides", "High water at noon."), told("ports", "Of tides and ports."),
        told("gone", "The tides of old."), event("gone", "gone", seen=hour(1)),
    )  # fmt: skip


def test_words_of_a_text_find_its_article_with_the_place(tmp_path: Path) -> None:
    newsroom(tmp_path)
    with reading_of(tmp_path, texts=True) as reading:
        found = find(reading, "tides ports", None, 10)
        assert found.articles == ((SITE, "ports"),)
        assert not found.by_title
        assert (SITE, "ports") in found.snippets
        assert slugs(reading, "tides", most=1) == slugs(reading, "tides")[:1]


def test_a_list_narrowed_down_has_only_what_fits(tmp_path: Path) -> None:
    newsroom(tmp_path)
    with reading_of(tmp_path, texts=True) as reading:
        assert sorted(slugs(reading, "tides", ALL)) == ["gone", "ports", "tides"]
        here = Wanted(site=SITE, values={"state": "here"})
        assert sorted(slugs(reading, "tides", here)) == ["ports", "tides"]
        assert slugs(reading, "tides", Wanted(site="elsewhere.example", values={})) == []


def test_titles_are_searched_while_the_texts_are_read(tmp_path: Path) -> None:
    newsroom(tmp_path)
    with reading_of(tmp_path, texts=False) as reading:
        found = find(reading, "the tides", None, 10)
        assert found.by_title
        assert found.articles == ((SITE, "tides"),)
        assert slugs(reading, "noon", ALL) == []
        assert slugs(reading, "!?") == []
