"""The CDX server's answers: whose captures are listed, page by page, and the records they name."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from storage.index.captures import WINDOW
from tests.storage.drafts import SITE, article, hour, segments_of, stored, words
from tests.storage.indexes import change
from tests.storage.web.serving import Client, Got, client_of

URL = f"https://{SITE}/news/story"


def read(got: Got) -> list[dict[str, str]]:
    assert got.status == 200, got.text
    return [msgspec.json.decode(line) for line in got.text.splitlines()]


async def lines(client: Client, **query: Any) -> list[dict[str, str]]:
    """Ask in JSON, and read the lines."""
    return read(await client.get("/cdx?" + urlencode({"output": "json"} | query, doseq=True)))


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


async def test_a_range_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html",)))
    async with client_of(tmp_path) as client:
        (line,) = await lines(client, url=URL)
        span = f"bytes={line['offset']}-1"
        assert (await client.get(f"/warc/{line['filename']}", Range=span)).status == 416


async def test_a_domain_has_the_captures_of_all_its_hosts(tmp_path: Path) -> None:
    sites = ("news.example", "www.news.example", "old.news.example", "oldnews.example")
    stored(tmp_path, *(article(site=site, formats=("html",)) for site in sites))
    async with client_of(tmp_path) as client:

        async def hosts(**query: str) -> list[str]:
            return sorted(one["url"].split("/")[2] for one in await lines(client, **query))

        assert await hosts(url="*.news.example") == sorted(sites[:3])
        assert await hosts(url="news.example", matchType="host") == list(sites[:2])


async def test_a_body_that_came_again_says_where_its_bytes_stand(tmp_path: Path) -> None:
    again = article(seen=hour(1), reason="edit", formats=("html",), updated=hour(1))
    stored(tmp_path, article(formats=("html",)), again)
    async with client_of(tmp_path) as client:
        first, second = await lines(client, url=URL)
        assert "orig.offset" not in first
        assert second["orig.offset"] == first["offset"]
        assert second["orig.filename"] == first["filename"]
        assert (second["mime"], second["status"]) == ("text/html", "200")
        assert second["digest"] == first["digest"]


async def test_a_body_whose_first_copy_the_index_has_lost_is_listed_alone(tmp_path: Path) -> None:
    again = article(seen=hour(1), reason="edit", formats=("html",), updated=hour(1))
    stored(tmp_path, article(formats=("html",)), again)
    change(tmp_path, "DELETE FROM representations WHERE target_id IS NULL")
    async with client_of(tmp_path) as client:
        (line,) = await lines(client, url=URL)
        assert "orig.offset" not in line


@pytest.mark.segment_files("blocks of an object are held that was never to change")
async def test_a_damaged_snapshot_hides_no_other(tmp_path: Path) -> None:
    stored(tmp_path, article("one", formats=("html",)), article("two", formats=("html",)))
    (segment,) = segments_of(tmp_path)
    async with client_of(tmp_path) as client:
        one, _ = await lines(client, url=f"{SITE}/news/*")
        data = bytearray(segment.read_bytes())
        at = int(one["offset"]) - 50
        data[at : at + 20] = bytes(20)
        segment.write_bytes(data)
        (left,) = await lines(client, url=f"{SITE}/news/*")
        assert left["url"].endswith("/two")


async def test_a_damaged_record_hides_no_other(tmp_path: Path) -> None:
    again = article(seen=hour(1), reason="edit", not_modified=("html",), formats=("html",))
    stored(tmp_path, article(formats=("html",)), again)
    (segment,) = segments_of(tmp_path)
    data = bytearray(segment.read_bytes())
    data[-60:-20] = bytes(40)
    segment.write_bytes(data)
    async with client_of(tmp_path) as client:
        (line,) = await lines(client, url=URL)
        assert line["timestamp"] == f"{hour(0):%Y%m%d%H%M%S}"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a mirror whose captures are more than one answer has lines."""
    root = tmp_path_factory.mktemp("large")
    stored(root, *(article(f"a{n}", formats=("html",)) for n in range(WINDOW + 5)), files=False)
    return root


async def test_a_long_answer_goes_on_page_by_page(large: Path) -> None:
    async with client_of(large) as client:
        first = await client.get(f"/cdx?url={SITE}/news/*&output=json")
        link, _, rel = first.headers["Link"].partition("; ")
        assert rel == 'rel="next"'
        rest = await client.get(link.strip("<>").removeprefix(client.address))
        assert "Link" not in rest.headers
        found = [line["url"] for line in (*read(first), *read(rest))]
        assert len(found) == len(set(found)) == WINDOW + 5
        pages = await client.get(f"/cdx?url={SITE}/news/*&showNumPages=true")
        assert msgspec.json.decode(pages.body)["pages"] == 2


async def test_what_is_nearest_in_time_comes_first_of_many_urls_too(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}", seen=hour(n), formats=("html",)) for n in range(4)))
    async with client_of(tmp_path) as client:
        found = await lines(
            client, url=f"{SITE}/news/*", closest=f"{hour(2):%Y%m%d%H%M%S}", limit=1
        )
        assert [one["url"] for one in found] == [f"https://{SITE}/news/a2"]
