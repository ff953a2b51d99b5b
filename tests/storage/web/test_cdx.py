"""The CDX server: what pywb's clients ask and are told, and the records that lines name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.web.cdx import MOST_FILTERS, CdxQuestion, read_filter, read_question
from storage.web.request import Refusal, Request
from tests.storage.drafts import SEEN, SITE

URL = f"https://{SITE}/news/story"
LINE = {"url": URL, "mime": "text/html", "status": "200", "urlkey": "example,news)/news/story"}


def asked(**query: str) -> Request:
    every = tuple(query.items())
    return Request(parts={}, query=query, base="http://here", now=SEEN, every=every)


def question(**query: str) -> CdxQuestion:
    return read_question(asked(**query))


@pytest.mark.parametrize(
    ("url", "host", "path", "match"),
    [
        ("https://News.example/a?b=1#c", "news.example", "/a?b=1", "exact"),
        ("news.example", "news.example", "/", "exact"),
        ("news.example/a*", "news.example", "/a", "prefix"),
        ("*.example", "example", "/", "domain"),
        ("https://me:word@news.example/", "news.example", "/", "exact"),
    ],
)
def test_a_url_is_read_as_it_was_meant(url: str, host: str, path: str, match: str) -> None:
    found = question(url=url)
    assert (found.host, found.path, found.match) == (host, path, match)


def test_a_url_may_be_as_long_as_a_crawler_takes_it() -> None:
    assert question(url=f"{URL}/{'a' * 3_000}").path.endswith("aaa")
    with pytest.raises(Refusal):
        question(url="a" * 5_000)


@pytest.mark.parametrize(
    ("name", "written", "moment"),
    [
        ("from", "2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("to", "2026", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("to", "202602", datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)),
        ("from", "2026-06-20T12:00:00Z", datetime(2026, 6, 20, 12, tzinfo=UTC)),
    ],
)
def test_a_moment_may_be_less_than_exact(name: str, written: str, moment: datetime) -> None:
    found = question(**{"url": URL, name: written})
    assert (found.since if name == "from" else found.until) == moment


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"url": URL, "from": "19"},
        {"url": URL, "to": "20260230"},
        {"url": URL, "closest": "soon"},
        {"url": URL, "matchType": "all"},
        {"url": URL, "sort": "up"},
        {"url": URL, "output": "xml"},
        {"url": URL, "limit": "-1"},
        {"url": URL, "page": "one"},
        {"url": URL, "filter": "~mime:("},
        {"url": URL, "filter": "~mime:" + "a" * 300},
        {"url": "a\x00b"},
    ],
)
def test_what_is_asked_wrongly_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        question(**query)
    assert refused.value.status == 400


def test_too_many_filters_are_refused() -> None:
    every = (("url", URL), *[("filter", "mime:a")] * (MOST_FILTERS + 1))
    request = Request(parts={}, query={"url": URL}, base="", now=SEEN, every=every)
    with pytest.raises(Refusal):
        read_question(request)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("mime:html", True),
        ("=mime:html", False),
        ("=mimetype:text/html", True),
        ("~statuscode:[23]..", True),
        ("!~status:2", False),
        ("!=status:404", True),
        ("=nothing:", True),
        ("example", True),
    ],
)
def test_a_filter_lets_through_what_it_says(text: str, passes: bool) -> None:
    line = LINE | {"timestamp": "20260620120000"}
    assert read_filter(text)(line) is passes


@given(st.text(max_size=60))
def test_any_filter_is_read_or_refused(text: str) -> None:
    try:
        passes = read_filter(text)
    except Refusal:
        return
    assert passes(LINE | {"timestamp": "20260620120000"}) in (True, False)
