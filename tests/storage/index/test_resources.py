"""An archive as resources: the newest of each article that is still there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.archive import Archive
from storage.index.resources import PAGE, Resources
from tests.storage.drafts import SITE, article, event, hour, stored

URL = f"https://{SITE}/news/story"


@contextmanager
def resources_of(root: Path, *, private: bool = False) -> Iterator[Resources]:
    with Archive.open(root) as archive:
        yield Resources(archive.index, SITE, private)


def test_a_page_has_the_newest_of_each_article_and_none_that_is_gone(tmp_path: Path) -> None:
    stored(
        tmp_path, article("a"), article("b"), article("a", edition="1", seen=hour(1)),
        event("gone", "b", seen=hour(2)),
    )  # fmt: skip
    with resources_of(tmp_path) as resources:
        assert [(row.slug, row.sequence) for row in resources.page("")] == [("a", 2)]
        assert resources.page("a") == []
        assert list(resources.pages()) == [""]


def test_a_site_of_many_articles_has_pages(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"s{n:04}", formats=("text",)) for n in range(PAGE + 1)))
    with resources_of(tmp_path) as resources:
        first, second = resources.pages()
        assert (first, second) == ("", f"s{PAGE - 1:04}")
        assert [row.slug for row in resources.page(second)] == [f"s{PAGE:04}"]


def test_the_newest_bytes_of_a_format_may_be_an_earlier_snapshots(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition="1", seen=hour(1), formats=("html",)))
    with resources_of(tmp_path) as resources:
        html, text = resources.newest(URL, "html"), resources.newest(f"{URL}.md", "markdown")
        assert html is not None
        assert text is not None
        assert (html.sequence, text.sequence) == (2, 1)
        assert resources.newest_with("story", "markdown") == text
        assert resources.standing(text) == html
        assert resources.newest(URL, "markdown") is None


def test_an_article_that_is_gone_says_since_when(tmp_path: Path) -> None:
    stored(tmp_path, article(), event("gone", seen=hour(1)))
    with resources_of(tmp_path) as resources:
        row = resources.newest(URL, "html")
        assert row is not None
        standing = resources.standing(row)
        assert standing is not None
        assert standing.gone_at == hour(1)


def test_what_is_private_is_a_resource_for_who_may_see_it(tmp_path: Path) -> None:
    stored(tmp_path, article(private=True))
    with resources_of(tmp_path) as resources:
        assert resources.page("") == []
        assert resources.newest(URL, "html") is None
    with resources_of(tmp_path, private=True) as resources:
        assert len(resources.page("")) == 1
