"""What the operator hears of discovery: each thing once, and no page that named nothing."""

from __future__ import annotations

import pytest

from crawler.events import Discovered, Event, Note
from crawler.frontier import Entry
from crawler.site.telling import Telling
from tests.crawler.fetching import NOW

URL = "https://news.example/a"


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def telling(heard: list[Event]) -> Telling:
    return Telling("news", heard.append, lambda: NOW)


def test_a_list_is_told_even_where_it_names_nothing_new(
    telling: Telling, heard: list[Event]
) -> None:
    telling.added([Entry(url=URL, source="sitemap")], URL, 0)
    assert heard == [
        Discovered(at=NOW, site="news", source="sitemap", url=URL, count=1, new=0),
    ]


def test_a_page_is_told_only_where_it_links_to_something_new(
    telling: Telling, heard: list[Event]
) -> None:
    links = [Entry(url=URL, source="link")]
    telling.added(links, URL, 0)
    assert heard == []
    telling.added(links, URL, 1)
    assert len(heard) == 1


def test_what_is_left_out_is_said_once_a_kind(telling: Telling, heard: list[Event]) -> None:
    telling.left_out({}, 5)
    telling.left_out({"linked"}, 5)
    telling.left_out({"linked", "listed"}, 5)
    linked, listed = [each.message for each in heard if isinstance(each, Note)]
    assert linked.startswith("5 links of pages wait (pending_links)")
    assert "max_frontier" in listed


def test_no_time_is_estimated_without_a_pace(telling: Telling, heard: list[Event]) -> None:
    telling.estimate(9, 0)
    telling.estimate(0, 2)
    assert heard == []
    telling.estimate(9, 2)
    assert [each.message for each in heard if isinstance(each, Note)] == [
        "9 articles listed: at most 2 requests/s, about 4 requests each, so this takes about 18 s"
    ]
