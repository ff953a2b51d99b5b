"""How discovery documents are come by: once a run, conditionally, or from memory."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from crawler.discovery.documents import Documents, ListDocument
from crawler.discovery.memory import Memory
from crawler.events import Event, Failed, Note
from tests.crawler.fetching import NOW, fetching
from tests.crawler.raw_server import answer, raw_server
from tests.crawler.small_site import Page, Route, SmallSite

XML = "application/xml"
MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


class Reader:
    """Runs over a site, one after another. Mutable: what is stored, and what was said."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.stored: dict[str, str] = {}
        self.events: list[Event] = []
        self.whole = True

    async def read(
        self,
        *paths: str,
        now: datetime = NOW,
        promised: bool = True,
        keep: bool = True,
    ) -> list[ListDocument | None]:
        """Have the documents at ``paths`` in one run, and remember them for the next."""
        memory = Memory(self.stored, now, MONTH, trust=True)

        async def allowed(url: str) -> bool:
            return not url.endswith("/forbidden")

        async with fetching(named=(self.base,), attempts=1, now=lambda: now) as fetcher:
            documents = Documents(
                "site",
                fetcher,
                memory,
                allowed=allowed,
                report=self.events.append,
                clock=lambda: now,
            )
            found = []
            for path in paths:
                source = await documents.get(self.base + path, promised=promised)
                found.append(source)
                if source is not None and keep:
                    await documents.keep(source)
        self.stored |= dict(memory.changes())
        self.whole = documents.whole
        return found


def tagged(body: str) -> Page:
    return Page(body=body, type=XML, headers={"ETag": '"1"'})


def unless_matching(body: str) -> Route:
    """Answer 304 to who has the page already."""

    def page(headers: Mapping[str, str]) -> Page:
        return Page(status=304) if headers.get("If-None-Match") == '"1"' else tagged(body)

    return page


async def test_one_that_stands_is_asked_for_and_read_from_memory(site: SmallSite) -> None:
    site.pages["/s.xml"] = unless_matching("<urlset/>")
    reader = Reader(site.base)
    (first,) = await reader.read("/s.xml")
    (second,) = await reader.read("/s.xml", now=NOW + HOUR)
    assert first is not None
    assert second is not None
    assert (second.body, second.media_type) == (first.body, first.media_type)
    assert second.answer is None
    assert len(site.asked) == 2


async def test_one_that_changed_is_read_as_it_is_now(site: SmallSite) -> None:
    site.pages["/s.xml"] = tagged("<urlset/>")
    reader = Reader(site.base)
    await reader.read("/s.xml")
    site.pages["/s.xml"] = tagged("<urlset>1</urlset>")
    (found,) = await reader.read("/s.xml", now=NOW + HOUR)
    assert found is not None
    assert found.body == b"<urlset>1</urlset>"
    assert site.heard[1]["If-None-Match"] == '"1"'


async def test_one_that_was_not_kept_is_asked_for_plainly(site: SmallSite) -> None:
    site.pages["/s.xml"] = tagged("<urlset/>")
    reader = Reader(site.base)
    await reader.read("/s.xml", keep=False)
    await reader.read("/s.xml", now=NOW + HOUR)
    assert "If-None-Match" not in site.heard[1]


@pytest.mark.parametrize(("age", "sent"), [(59, False), (60, True)])
async def test_a_date_younger_than_a_minute_is_no_validator(
    site: SmallSite, *, age: int, sent: bool
) -> None:
    date = format_datetime(NOW - timedelta(seconds=age), usegmt=True)
    site.pages["/s.xml"] = Page(body="<urlset/>", type=XML, headers={"Last-Modified": date})
    reader = Reader(site.base)
    await reader.read("/s.xml")
    await reader.read("/s.xml", now=NOW + HOUR)
    assert ("If-Modified-Since" in site.heard[1]) is sent


async def test_it_is_kept_with_its_content_coding_undone() -> None:
    async with raw_server() as site:
        body = gzip.compress(b"<urlset/>")
        head = ("Content-Encoding: gzip", 'ETag: "1"')
        site.routes["/s.xml"] = answer(body=body, headers=head)
        reader = Reader(site.url(""))
        await reader.read("/s.xml")
        site.routes["/s.xml"] = answer("304 Not Modified")
        (found,) = await reader.read("/s.xml", now=NOW + HOUR)
    assert found is not None
    assert found.body == b"<urlset/>"


async def test_one_is_had_once_under_all_its_names(site: SmallSite) -> None:
    site.pages["/s.xml"] = Page(status=301, headers={"Location": "BASE/t.xml"})
    site.pages["/t.xml"] = tagged("<urlset/>")
    found = await Reader(site.base).read("/t.xml", "/s.xml", "/t.xml")
    assert [each is not None for each in found] == [True, False, False]


async def test_a_guess_that_leads_to_one_that_was_read_is_not_made_again(site: SmallSite) -> None:
    site.pages["/s.xml"] = Page(status=301, headers={"Location": "BASE/t.xml"})
    site.pages["/t.xml"] = tagged("<urlset/>")
    reader = Reader(site.base)
    await reader.read("/t.xml", "/s.xml", promised=False)
    site.asked.clear()
    await reader.read("/t.xml", "/s.xml", promised=False, now=NOW + HOUR)
    assert site.asked == ["/t.xml"]


@pytest.mark.parametrize(("status", "again"), [(404, False), (410, False), (500, True)])
async def test_a_guess_where_nothing_is_is_not_made_again(
    site: SmallSite, *, status: int, again: bool
) -> None:
    site.pages["/llms.txt"] = Page(status=status)
    reader = Reader(site.base)
    await reader.read("/llms.txt", promised=False)
    await reader.read("/llms.txt", promised=False, now=NOW + HOUR)
    assert len(site.asked) == 1 + again


async def test_a_name_the_site_gave_is_tried_each_time(site: SmallSite) -> None:
    reader = Reader(site.base)
    await reader.read("/s.xml")
    await reader.read("/s.xml", now=NOW + HOUR)
    assert len(site.asked) == 2
    assert reader.whole
    assert all(isinstance(event, Note) for event in reader.events)


async def test_one_that_is_named_and_can_not_be_read_leaves_the_lists_incomplete(
    site: SmallSite,
) -> None:
    site.pages["/s.xml"] = Page(status=500)
    reader = Reader(site.base)
    await reader.read("/s.xml")
    assert not reader.whole
    assert [type(event) for event in reader.events] == [Failed]


async def test_one_that_robots_txt_forbids_is_not_asked_for(site: SmallSite) -> None:
    assert await Reader(site.base).read("/forbidden") == [None]
    assert site.asked == []


async def test_one_whose_stored_bytes_are_damaged_is_asked_for_anew(site: SmallSite) -> None:
    site.pages["/s.xml"] = unless_matching("<urlset/>")
    reader = Reader(site.base)
    await reader.read("/s.xml")
    reader.stored = {k: '"AAAA"' if k.startswith("body ") else v for k, v in reader.stored.items()}
    (found,) = await reader.read("/s.xml", now=NOW + HOUR)
    assert found is not None
    assert found.answer is not None
