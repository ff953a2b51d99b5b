"""A segment taken out of the index: its articles are left as the others have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import layout
from storage.files import Names
from storage.groups import Builder
from storage.index.deriving import rows_of
from storage.index.index import Batch, Index
from storage.index.rows import Place
from tests.storage.drafts import article, event
from tests.storage.index.made import HERE


@pytest.fixture(autouse=True)
def _mirror(elsewhere: None, tmp_path: Path) -> None:
    layout.make(tmp_path)


def table(index: Index) -> dict[str, tuple[str, int, int]]:
    found = index.ask("SELECT * FROM articles")
    return {row["slug"]: (row["url"], row["last"], row["newest"]) for row in found}


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
