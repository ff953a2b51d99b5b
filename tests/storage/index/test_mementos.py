"""The mementos of a URL, by time: one a second, and none of what is not shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from storage.archive import Archive
from storage.index.mementos import Memento, Mementos
from tests.storage.drafts import SEEN, SITE, article, stored

URL = f"https://{SITE}/news/story"


def test_neighbours_and_ends_are_found_by_the_second(tmp_path: Path) -> None:
    moments = [0.0, 0.4, 10.0, 20.5, 20.9]
    stored(tmp_path, *(
        article(edition=str(n), seen=SEEN + timedelta(seconds=s)) for n, s in enumerate(moments)
    ))  # fmt: skip
    with Archive.open(tmp_path) as archive:
        held = Mementos(archive.index, URL, private=False)

        def seconds(*found: Memento | None) -> list[float | None]:
            return [(f.fetched_at - SEEN).total_seconds() if f else None for f in found]

        assert seconds(*held.page(10)) == [0, 10, 20]
        assert [one.sequence for one in held.page(10)] == [2, 3, 5]
        first, last = held.first(), held.last()
        assert first is not None
        assert last is not None
        assert (first.sequence, last.sequence) == (2, 5)
        middle = held.at(SEEN + timedelta(seconds=10))
        assert middle is not None
        around = held.around(middle)
        assert seconds(around.before, around.after) == [0, 20]
        assert around.before is not None
        assert around.before.sequence == 2
        assert held.around(last).after is None
        assert held.around(first).before is None
        assert held.at(SEEN + timedelta(seconds=11)) is None
        assert seconds(held.until(SEEN + timedelta(seconds=19))) == [10]
        assert held.until(SEEN - timedelta(seconds=1)) is None


def test_what_was_not_stored_or_is_private_is_no_memento(tmp_path: Path) -> None:
    stored(tmp_path, article(private=True))
    with Archive.open(tmp_path) as archive:
        assert len(Mementos(archive.index, URL, private=False)) == 0
        assert len(Mementos(archive.index, URL, private=True)) == 1
        assert Mementos(archive.index, "https://nowhere.example/", private=True).last() is None
