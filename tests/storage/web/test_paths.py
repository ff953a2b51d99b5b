"""Addresses of our own pages: one segment a name, whatever it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from storage.web import paths


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_slug_is_one_segment_that_no_client_rewrites(slug: str) -> None:
    path = paths.article_path("s", slug)
    assert path.isascii()
    assert path.count("/") == 3
    assert str(URL(f"http://h{path}", encoded=True).raw_path) == path
    if slug not in {".", ".."}:
        assert unquote(path.rpartition("/")[2]) == slug


def test_dot_segments_are_encoded_twice() -> None:
    assert paths.article_path("s", "..") == "/sites/s/%252E%252E"


def test_a_mirrored_url_stays_readable_and_can_break_no_header() -> None:
    assert paths.uri("https://a.example/x?y=%20&z") == "https://a.example/x?y=%20&z"
    assert paths.uri('https://a.example/"> x\r\n') == "https://a.example/%22%3E%20x%0D%0A"


def test_parts_of_a_query_that_are_not_given_are_left_out() -> None:
    assert paths.site_path("s", topic=None, language="") == "/sites/s"
    assert paths.feed_path("a b", "c&d") == "/feed.atom?site=a+b&slug=c%26d"


def test_a_memento_is_named_by_the_second_in_utc() -> None:
    moment = datetime(2026, 6, 19, 9, 13, 50, 166750, tzinfo=UTC)
    assert paths.memento_path("https://a/", moment) == "/memento/20260619091350/https://a/"
