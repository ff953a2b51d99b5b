"""The index: whole transactions, a reader beside the writer, and what is no index."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from storage import layout
from storage.errors import DamageFound
from storage.files import Names
from storage.groups import Builder
from storage.index.deriving import rows_of
from storage.index.index import Batch, Index
from storage.index.queries import all_sites, site_aliases
from storage.index.remembered import stored_validators
from storage.index.rows import Place
from tests.storage.drafts import article, event, hour
from tests.storage.index.made import HERE, count, rows


@pytest.fixture(autouse=True)
def _mirror(elsewhere: None, tmp_path: Path) -> None:
    layout.make(tmp_path)


def test_a_reader_sees_each_batch_as_soon_as_it_is_in(tmp_path: Path) -> None:
    writer = Index.to_write(tmp_path)
    reader = Index.to_read(tmp_path)
    assert count(reader) == 0
    writer.apply(Batch(rows=(rows("a"), rows("b"))))
    assert count(reader) == 2
    writer.apply(Batch(rows=(rows("c"),)))
    assert count(reader) == 3
    reader.close()
    writer.close()


def test_a_batch_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    index.apply(Batch(rows=(rows("a"),)))
    with pytest.raises(DamageFound, match="twice"):
        index.apply(Batch(rows=(rows("b"), rows("a")), segments={HERE: ("news.example", 9)}))
    assert count(index) == 1
    index.close()


def test_names_and_validators_keep_what_was_seen_last_whatever_comes_last(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    new = Builder({}, Names()).build(article(edition=" again", seen=hour(5))).manifest
    place = Place(id="urn:uuid:2", segment=HERE, offset=0, length=10_000)
    index.apply(Batch(rows=(rows_of(new, place),)))
    old = rows()
    told = structs.replace(old, snapshot=None, representations=())
    index.apply(Batch(rows=(told,), validators=old.validators))
    url = "https://news.example/news/story"
    assert stored_validators(index, [url])[url].etag == '"storyhtml again"'
    assert site_aliases(index, "news.example") == {url: "story"}
    index.close()


def test_a_captured_host_becomes_a_site_of_its_own_and_never_back(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    for implicit in (True, False, True):
        draft = article(str(implicit), implicit=implicit)
        found = rows_of(
            Builder({}, Names()).build(draft).manifest,
            Place(id="urn:uuid:3", segment=HERE, offset=0, length=10_000),
        )
        index.apply(Batch(rows=(structs.replace(found, snapshot=None),)))
    assert [site.implicit for site in all_sites(index)] == [False]
    index.close()


def table(index: Index) -> dict[str, tuple[str, int, int]]:
    found = index.ask("SELECT * FROM articles")
    return {row["slug"]: (row["url"], row["last"], row["newest"]) for row in found}


@given(order=st.permutations(range(4)), pages=st.integers(1, 4))
def test_an_articles_place_and_numbers_follow_from_its_history_in_any_order(
    order: list[int], pages: int
) -> None:
    moved = {"from": "https://news.example/a", "to": "https://news.example/b"}
    history = [
        article(url="https://news.example/a"),
        event("gone-seen"),
        event("moved", url="https://news.example/b", detail=moved),
        event("gone-seen", url="https://news.example/a"),
    ]
    builder = Builder({}, Names())
    made = []
    for draft in history:
        group = builder.build(draft)
        place = Place(id=group.id, segment=HERE, offset=0, length=len(group.blob))
        made.append(rows_of(group.manifest, place))
    with TemporaryDirectory() as folder:
        layout.make(Path(folder))
        index = Index.to_write(Path(folder))
        for start in range(0, 4, pages):
            index.apply(Batch(rows=tuple(made[n] for n in order[start : start + pages])))
        assert table(index) == {"story": ("https://news.example/b", 4, 1)}
        index.close()


def test_a_row_is_added_once(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    row = {"site": "a", "key": "k", "value": "100 % of :it?"}
    assert index.add("memory", row)
    assert not index.add("memory", row | {"value": "other"})
    assert index.ask("SELECT * FROM memory") == [row]
    index.close()
