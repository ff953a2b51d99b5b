"""From safe to visible in a place that takes its time: what goes on meanwhile, and up to where."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from storage import layout
from storage.errors import SegmentsAway, SegmentsRefused, StoreFailed
from storage.files import Names
from storage.groups import Builder, Group
from storage.index.deriving import rows_of
from storage.index.index import Batch, Index
from storage.index.rows import Place
from storage.layout import with_schema
from storage.model import Draft
from storage.notes import Notes, batch_of
from storage.publishing import Publisher
from storage.segments.kinds import Wait
from storage.segments.local import LocalSegments
from tests.storage.drafts import SEEN, article, event

_SECONDS = 20


AWAY = SegmentsAway("slow://", "it is away")


class SlowPlace(LocalSegments):
    """A place that takes what is sent once it is let: ``sent`` are the names, in order."""

    def __init__(self, root: Path, most: int) -> None:
        super().__init__(root)
        self.most = most
        self.tries = 2
        self.sent: list[list[str]] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.fault: Exception | None = None
        self.others_write = False

    @property
    def shared(self) -> bool:
        return self.others_write

    @property
    def wait(self) -> Wait:
        return Wait(bytes=1, seconds=0.01, most=self.most, tries=self.tries)

    def publish(self, names: Collection[str]) -> None:
        self.sent.append(list(names))
        self.begun.release()
        assert self.may_end.acquire(timeout=_SECONDS)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index.to_write(tmp_path)
    yield index
    index.close()


def place(root: Path, most: int = 1 << 20) -> SlowPlace:
    return SlowPlace(root, most)


def add(publisher: Publisher, name: str, *drafts: Draft) -> Sequence[Group]:
    """Have a batch wait that stands in the segment ``name``."""
    builder = Builder(publisher.standings({}), Names())
    groups = [builder.build(draft) for draft in drafts]
    segment, end, rows = f"news.example/{name}", 0, []
    for group in groups:
        at = Place(id=group.id, segment=segment, offset=end, length=len(group.blob))
        rows.append(rows_of(group.manifest, at))
        end += len(group.blob)
    notes = Notes(at=SEEN)
    publisher.add(batch_of(notes, rows, {segment: end}), groups, notes)
    return groups


def seen(index: Index) -> list[str]:
    return [row["slug"] for row in index.ask("SELECT slug FROM snapshots ORDER BY n")]


def test_what_is_stored_meanwhile_waits_behind_what_is_on_its_way(
    tmp_path: Path, index: Index
) -> None:
    slow = place(tmp_path)
    publisher = Publisher(tmp_path, index, slow, lambda: None)
    add(publisher, "1", article("a"))
    assert slow.begun.acquire(timeout=_SECONDS)
    add(publisher, "2", article("b"))
    add(publisher, "3", article("c"))
    assert (slow.sent, seen(index)) == ([["news.example/1"]], [])
    slow.may_end.release(2)
    publisher.publish()
    assert slow.sent == [["news.example/1"], ["news.example/2", "news.example/3"]]
    assert (seen(index), publisher.waits) == (["a", "b", "c"], False)
    publisher.close()


def test_past_the_spools_bound_storing_waits(tmp_path: Path, index: Index) -> None:
    slow = place(tmp_path, most=10)
    publisher = Publisher(tmp_path, index, slow, lambda: None)
    with ThreadPoolExecutor(1) as pool:
        adding = pool.submit(add, publisher, "1", article("a"))
        assert slow.begun.acquire(timeout=_SECONDS)
        assert not adding.done()
        slow.may_end.release()
        adding.result()
    assert not publisher.waits
    publisher.close()


def test_away_past_the_bound_it_is_given_up(tmp_path: Path, index: Index) -> None:
    slow = place(tmp_path, most=10)
    slow.fault = AWAY
    slow.may_end.release()
    publisher = Publisher(tmp_path, index, slow, lambda: None)
    # What was added is safe; who comes next is told.
    add(publisher, "1", article("a"))
    assert isinstance(publisher.failed, SegmentsAway)
    for told in (publisher.try_to_publish, publisher.publish):
        with pytest.raises(SegmentsAway, match=r"waits in .*spool for the next run"):
            told()
    assert (publisher.waits, seen(index)) == (True, [])
    publisher.close()


def test_a_place_that_says_no_is_believed_before_one_that_is_away(
    tmp_path: Path, index: Index
) -> None:
    slow = place(tmp_path)
    slow.tries, slow.fault = 1_000, SegmentsRefused("slow://", "its server said 403")
    slow.may_end.release(100)
    publisher = Publisher(tmp_path, index, slow, lambda: None)
    add(publisher, "1", article("a"))
    with pytest.raises(SegmentsRefused, match=r"403\. Nothing is lost"):  # noqa: PT012  - which try it is
        while True:
            publisher.try_to_publish()
            assert publisher.upload is not None
            publisher.upload.exception()
    assert publisher.away == 6
    publisher.close()


def test_an_upload_that_breaks_ends_storing(tmp_path: Path, index: Index) -> None:
    slow = place(tmp_path)
    slow.fault = StoreFailed("the spool can't be read")
    slow.may_end.release(2)
    publisher = Publisher(tmp_path, index, slow, lambda: None)
    add(publisher, "1", article("a"))
    assert publisher.upload is not None
    publisher.upload.exception()
    for told in (publisher.land, publisher.try_to_publish, publisher.publish):
        with pytest.raises(StoreFailed, match="can't be read"):
            told()
    publisher.close()


def test_what_did_not_arrive_is_sent_again_and_then_what_came_later(
    tmp_path: Path, index: Index
) -> None:
    slow = place(tmp_path)
    slow.fault = AWAY
    publisher = Publisher(tmp_path, index, slow, lambda: None)
    add(publisher, "1", article("a"))
    slow.may_end.release()
    assert publisher.upload is not None
    publisher.upload.exception()
    add(publisher, "2", article("b"))
    assert seen(index) == []
    slow.fault = None
    slow.may_end.release(2)
    publisher.publish()
    assert slow.sent == [["news.example/1"], ["news.example/1"], ["news.example/2"]]
    assert seen(index) == ["a", "b"]
    publisher.close()


def test_segments_end_at_the_size_that_is_sent_at_once(tmp_path: Path, index: Index) -> None:
    ended = []
    slow = place(tmp_path)
    publisher = Publisher(tmp_path, index, slow, lambda: ended.append(1))
    add(publisher, "1", article("a"))
    add(publisher, "2", article("b"))
    add(publisher, "3", article("c"))
    assert len(ended) >= 3
    slow.may_end.release(2)
    publisher.publish()
    publisher.close()


class Away:
    """An index whose database is away for its first transaction."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._is_away = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def apply(self, batch: Batch) -> None:
        if self._is_away:
            self._is_away = False
            raise StoreFailed("it is away")
        self._index.apply(batch)


def test_behind_what_the_index_did_not_take_nothing_becomes_visible(
    tmp_path: Path, index: Index
) -> None:
    slow = place(tmp_path)
    publisher = Publisher(tmp_path, cast("Index", Away(index)), slow, lambda: None)
    add(publisher, "1", article("a"))
    add(publisher, "2", article("b"))
    slow.may_end.release(2)
    for _ in range(2):
        with pytest.raises(StoreFailed, match="it is away"):
            publisher.publish()
    with pytest.raises(StoreFailed, match="it is away"):
        publisher.try_to_publish()
    assert (seen(index), publisher.waits) == ([], False)
    assert isinstance(publisher.failed, StoreFailed)
    publisher.close()


def test_after_a_failure_nothing_that_is_spooled_becomes_visible(
    tmp_path: Path, index: Index
) -> None:
    slow = place(tmp_path)
    publisher = Publisher(tmp_path, index, slow, lambda: None)
    add(publisher, "1", article("a"))
    slow.may_end.release()
    publisher.failed = StoreFailed("the disk did not keep what was written")
    with pytest.raises(StoreFailed, match="the disk did not keep"):
        publisher.publish()
    assert (seen(index), publisher.waits) == ([], True)
    publisher.close()


def test_what_waited_while_others_went_on_with_its_article_is_not_indexed(
    tmp_path: Path, index: Index
) -> None:
    slow = place(tmp_path)
    slow.others_write = True
    slow.may_end.release(2)
    ours, others = (Publisher(tmp_path, index, slow, lambda: None) for _ in range(2))
    add(ours, "1", article("a"))
    add(others, "2", event("gone-seen", "a"))
    others.publish()
    with pytest.raises(StoreFailed, match=r"gone on with news\.example"):
        ours.publish()
    assert (seen(index), isinstance(ours.failed, StoreFailed)) == ([], True)
    for each in (ours, others):
        each.close()


def crossed(tmp_path: Path, database: str) -> list[tuple[SlowPlace, Index, Publisher]]:
    """Return two writers of one index; each has stored of the site that the other wants next."""
    made = []
    for name, site in (("one", "a.example"), ("two", "b.example")):
        root = tmp_path / name
        layout.make(root, index=with_schema(database, "shared"))
        slow, index = place(root), Index.to_write(root)
        slow.fault, slow.others_write, slow.tries = AWAY, True, 1_000
        slow.may_end.release(10_000)
        publisher = Publisher(root, index, slow, lambda: None)
        publisher.hold({site})
        add(publisher, "1", article("x", site=site))
        made.append((slow, index, publisher))
    return made


def test_two_that_want_each_others_sites_get_them_once_the_place_is_back(
    tmp_path: Path, database: str
) -> None:
    (slow, one, first), (other, two, second) = crossed(tmp_path, database)

    def get(publisher: Publisher, site: str) -> None:
        publisher.hold({site})
        # what it holds it lets go of with what it stores then
        publisher.publish()

    with ThreadPoolExecutor(2) as pool:
        got = [pool.submit(get, first, "b.example"), pool.submit(get, second, "a.example")]
        while not (first.away > 1 and second.away > 1):
            assert slow.begun.acquire(timeout=_SECONDS)
        assert not any(each.done() for each in got)
        slow.fault = other.fault = None
        for each in got:
            each.result(timeout=_SECONDS)
    for publisher in (first, second):
        publisher.close()
    assert sorted(seen(one)) == ["x", "x"]
    for index in (one, two):
        index.close()


def test_who_waits_for_another_while_the_place_is_away_gives_up_as_others_do(
    tmp_path: Path, database: str
) -> None:
    (slow, one, first), (_, two, second) = crossed(tmp_path, database)
    slow.tries = 3
    with pytest.raises(SegmentsAway, match="waits in"):
        first.hold({"b.example"})
    assert isinstance(first.failed, SegmentsAway)
    for publisher in (first, second):
        publisher.close()
    for index in (one, two):
        index.close()
