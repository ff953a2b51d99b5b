"""An article as another mirror lists it."""

from __future__ import annotations

from crawler.listed import Listed, Resource


def test_the_first_format_says_where_the_article_is() -> None:
    page, text = Resource(url="https://m.example/a"), Resource(url="https://m.example/a.txt")
    assert Listed(slug="a", formats=(page, text)).url == page.url
