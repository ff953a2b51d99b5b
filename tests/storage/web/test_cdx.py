"""The CDX server: what pywb's clients ask and are told, and the records that lines name."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.web.cdx import MOST_FILTERS, CdxQuestion, read_filter, read_question
from storage.web.request import Refusal, Request
from tests.storage.drafts import SEEN, SITE, article, hour, segments_of, stored, words
from tests.storage.web.serving import Client, client_of

URL = f"https://{SITE}/news/story"
LINE = {"url": URL, "mime": "text/html", "status": "200", "urlkey": "example,news)/news/story"}


def asked(**query: str) -> Request:
    every = tuple(query.items())
    return Request(parts={}, query=query, base="http://here", now=SEEN, every=every)


def question(**query: str) -> CdxQuestion:
    return read_question(asked(**query))


async def lines(client: Client, **query: Any) -> list[dict[str, str]]:
    """Ask in JSON, and read the lines."""
    got = await client.get("/cdx?" + urlencode({"output": "json"} | query, doseq=True))
    assert got.status == 200, got.text
    return [msgspec.json.decode(line) for line in got.text.splitlines()]


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


async def test_a_urls_captures_are_listed_by_time(tmp_path: Path) -> None:
    stored(tmp_path, *(article(edition=str(n), seen=hour(n), reason="edit") for n in range(3)))
    async with client_of(tmp_path) as client:
        found = await lines(client, url=URL)
        assert [one["timestamp"] for one in found] == [f"{hour(n):%Y%m%d%H%M%S}" for n in range(3)]
        assert {one["urlkey"] for one in found} == {"example,news)/news/story"}
        assert await lines(client, url=URL, sort="reverse") == found[::-1]
        assert await lines(client, url=URL, limit=1) == found[:1]
        assert await lines(client, url=URL, to="20260620130000") == found[:2]
        closest = await lines(client, url=URL, closest="20260620135959")
        assert closest[0] == found[2]
        assert len(await lines(client, url=f"{SITE}/news/*")) == 6
        assert len(await lines(client, url=SITE, matchType="host", filter="=mime:text/html")) == 3
        assert await lines(client, url="nowhere.example") == []


async def test_a_line_is_cdxj_and_its_fields_may_be_chosen(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html",)))
    async with client_of(tmp_path) as client:
        (line,) = (await client.text(f"/cdx?url={URL}")).splitlines()
        assert line.startswith('example,news)/news/story 20260620120000 {"url":')
        chosen = await client.text(f"/cdx?url={URL}&fl=timestamp,statuscode")
        assert chosen == "20260620120000 200\n"
        assert (await client.get(f"/cdx?url={URL}&fl=timestamp&fields=%1A")).status == 400
        pages = await client.get(f"/cdx?url={URL}&showNumPages=true")
        assert msgspec.json.decode(pages.body) == {"pages": 1, "pageSize": 1, "blocks": 1}


async def test_the_record_that_a_line_names_is_given_by_range(tmp_path: Path) -> None:
    again = article(seen=hour(1), reason="edit", not_modified=("html",), formats=("html",))
    stored(tmp_path, article(formats=("html",)), again)
    async with client_of(tmp_path) as client:
        for one in await lines(client, url=URL):
            start = int(one["offset"])
            span = f"bytes={start}-{start + int(one['length']) - 1}"
            got = await client.get(f"/warc/{one['filename']}", Range=span)
            assert (got.status, got.type) == (206, "application/warc")
            assert got.headers["Content-Range"] == f"bytes {span[6:]}/*"
            assert words("story", "html", "") in gzip.decompress(got.body)


@pytest.mark.parametrize(
    ("span", "status"),
    [
        ("", 400),
        ("bytes=0-1,2-3", 400),
        ("bytes=-5", 400),
        ("items=0-5", 400),
        ("bytes=1-2", 404),
        (f"bytes={10**18 - 1}-", 404),
    ],
)
async def test_no_other_bytes_are_given(tmp_path: Path, span: str, status: int) -> None:
    stored(tmp_path, article())
    (segment,) = segments_of(tmp_path)
    async with client_of(tmp_path) as client:
        got = await client.get(f"/warc/{SITE}/{segment.name}", Range=span)
        assert got.status == status
        assert (await client.get("/warc/..%2F../index.sqlite", Range="bytes=0-")).status == 404


async def test_a_parameter_that_stands_twice_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        assert (await client.get(f"/cdx?url={URL}&url={URL}")).status == 400
        assert (await client.get(f"/cdx?url={URL}&filter=a&filter=b")).status == 200
