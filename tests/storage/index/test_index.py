"""The index: whole transactions, a reader beside the writer, and what is no index."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from storage import layout
from storage.errors import DamageFound, IndexUnusable
from storage.files import Names
from storage.groups import Builder
from storage.index.deriving import Rows, rows_of
from storage.index.index import Batch, Index
from storage.index.queries import all_sites, site_aliases
from storage.index.remembered import stored_validators
from storage.index.rows import Place
from storage.layout import INDEX as FILE_NAME
from tests.storage.drafts import article, event, hour

HERE = "news.example/s-1.warc.gz"


@pytest.fixture(autouse=True)
def _mirror(elsewhere: None, tmp_path: Path) -> None:
    layout.make(tmp_path)


def rows(slug: str = "story", sequence_of: str = "") -> Rows:
    group = Builder({}, Names()).build(article(slug))
    place = Place(id=group.id + sequence_of, segment=HERE, offset=0, length=len(group.blob))
    return rows_of(group.manifest, place)


def count(index: Index) -> int:
    return len(index.ask("SELECT slug FROM snapshots"))


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


@pytest.mark.index_file("its files are what is looked at")
def test_closing_leaves_one_file(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    index.apply(Batch(rows=(rows(),)))
    index.close()
    with_reader = Index.to_read(tmp_path)
    assert count(with_reader) == 1
    with_reader.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [FILE_NAME, layout.MARK]


def test_a_missing_index_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(IndexUnusable, match="slugline reindex --mirror"):
        Index.to_read(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [layout.MARK]


@pytest.mark.index_file("a file that is none")
@pytest.mark.parametrize("content", [b"this is no database, by far" * 100, b"\0" * 4096])
def test_a_broken_index_says_what_to_run(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(IndexUnusable, match="slugline reindex"):
        Index.to_read(tmp_path)


@pytest.mark.index_file("a file of somebody else's")
def test_somebody_elses_database_is_not_written_to(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
    other.execute("INSERT INTO meta VALUES ('schema', '99')")
    other.commit()
    other.close()
    for opened in (Index.to_read, Index.to_write):
        with pytest.raises(IndexUnusable, match="another slugline"):
            opened(tmp_path)


def test_names_and_validators_keep_what_was_seen_last_whatever_comes_last(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    new = Builder({}, Names()).build(article(edition=" again", seen=hour(5))).manifest
    place = Place(id="urn:uuid:2", segment=HERE, offset=0, length=10_000)
    index.apply(Batch(rows=(rows_of(new, place),)))
    old = rows()
    index.apply(Batch(validators=old.validators, names=old.names))
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


def test_a_segment_that_is_taken_out_leaves_its_articles_as_the_others_have_them(
    tmp_path: Path,
) -> None:
    index = Index.to_write(tmp_path)
    builder = Builder({}, Names())
    for number, segment in enumerate((HERE, "news.example/s-2.warc.gz"), 1):
        drafts = [article(edition=segment, url=f"https://news.example/{number}")]
        drafts += [article(f"only-in-{number}"), event("gone-seen", f"event-in-{number}")]
        groups = [builder.build(draft) for draft in drafts]
        places = [Place(id=g.id, segment=segment, offset=n, length=1) for n, g in enumerate(groups)]
        rows = (rows_of(g.manifest, p) for g, p in zip(groups, places, strict=True))
        index.apply(Batch(rows=tuple(rows)))
    assert table(index)["story"] == ("https://news.example/2", 2, 2)
    index.forget_segment("news.example/s-2.warc.gz")
    assert table(index) == {
        "story": ("https://news.example/1", 1, 1),
        "only-in-1": ("https://news.example/news/only-in-1", 1, 1),
        "event-in-1": ("https://news.example/news/event-in-1", 1, 0),
    }
    index.close()


def test_a_row_is_added_once(tmp_path: Path) -> None:
    index = Index.to_write(tmp_path)
    row = {"site": "a", "key": "k", "value": "100 % of :it?"}
    assert index.add("memory", row)
    assert not index.add("memory", row | {"value": "other"})
    assert index.ask("SELECT * FROM memory") == [row]
    index.close()
