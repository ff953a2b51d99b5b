"""From an entry URL to the whole article, or to the page that it is instead."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from crawler.article.copies import CopyFailed
from crawler.article.format_set import Known
from crawler.article.reading import ArticleReader, NoArticle, Reading
from crawler.frontier import Entry
from crawler.urls import in_scope
from storage.model import Record
from tests.crawler.copying import alternate, copying, markdown
from tests.crawler.fetching import NOW
from tests.crawler.small_site import Page as Answer
from tests.crawler.small_site import SmallSite, article

WORDS = "The harbour clock was wound again this morning by somebody unseen. " * 12


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


async def look(
    site: SmallSite, path: str, *, scope: str = "/", entry: Entry | None = None, **options: Any
) -> Reading | NoArticle:
    async with copying(site.base) as copyist:
        reader = ArticleReader(
            copyist,
            in_site=lambda url: in_scope(url, site.base + scope),
            clock=lambda: NOW,
            **options,
        )
        return await reader.read(entry or Entry(url=site.base + path, source="sitemap"), Known())


async def read(site: SmallSite, path: str, **options: Any) -> Reading:
    seen = await look(site, path, **options)
    assert isinstance(seen, Reading)
    return seen


def paths(site: SmallSite, reading: Reading) -> dict[str, str]:
    return {
        name: copy.representation.url.removeprefix(site.base)
        for name, copy in reading.copies.items()
    }


class TestEntries:
    """What an entry URL leads to."""

    async def test_a_text_entry_gives_way_to_the_page_that_it_names(self, site: SmallSite) -> None:
        site.pages |= {"/story": article("Story", words=WORDS)}
        site.pages["/twin.md"] = markdown("Story", words=WORDS, canonical="/story")
        reading = await read(site, "/twin.md")
        assert reading.url == f"{site.base}/story"
        assert paths(site, reading) == {"html": "/story", "markdown": "/twin.md"}
        assert reading.copies["markdown"].representation.declared_by == ("sitemap",)

    async def test_a_text_entry_that_names_none_gives_way_to_the_page_beside_it(
        self, site: SmallSite
    ) -> None:
        site.pages |= {"/a": article("Story", words=WORDS), "/a.md": markdown("A", words=WORDS)}
        reading = await read(site, "/a.md")
        assert reading.url == f"{site.base}/a"
        assert site.asked.count("/a.md") == 1

    async def test_a_text_without_a_page_is_an_article_of_its_own(self, site: SmallSite) -> None:
        site.pages["/a.md"] = markdown("Story")
        reading = await read(site, "/a.md")
        assert reading.url == f"{site.base}/a.md"
        assert reading.copies.keys() == {"markdown"}

    async def test_a_page_that_sends_its_reader_on_at_once_is_followed(
        self, site: SmallSite
    ) -> None:
        onward = '<meta http-equiv="refresh" content="0; url=/b">'
        site.pages["/a"] = Answer(body=f"<html><head>{onward}</head><body></body></html>")
        site.pages["/b"] = article("Story")
        reading = await read(site, "/a", probe=False)
        assert reading.url == f"{site.base}/b"
        assert reading.aliases == {f"{site.base}/a"}

    async def test_an_entry_that_leads_out_of_the_site_is_none_of_it(self, site: SmallSite) -> None:
        site.pages["/news/a"] = Answer(status=302, headers={"Location": "/shop/a"})
        site.pages["/shop/a"] = article("Story")
        with pytest.raises(CopyFailed, match="leads out of the site") as caught:
            await look(site, "/news/a", scope="/news/")
        assert caught.value.disallowed

    async def test_a_page_of_links_is_a_page_and_says_why(self, site: SmallSite) -> None:
        site.pages["/list"] = Answer(body="<html><h1>All</h1><a href=/a>A</a><a href=/b>B</a>")
        seen = await look(site, "/list")
        assert isinstance(seen, NoArticle)
        assert seen.facts.anchors == (f"{site.base}/a", f"{site.base}/b")
        assert seen.why

    async def test_a_records_list_vouches_for_a_page_without_any_sign(
        self, site: SmallSite
    ) -> None:
        site.pages["/short"] = Answer(body="<html><h1>Short</h1><p>Two words.</p>")
        assert isinstance(await look(site, "/short"), NoArticle)
        entry = Entry(url=f"{site.base}/short", source="records-file", named=True)
        assert isinstance(await look(site, "/short", entry=entry), Reading)

    async def test_a_json_record_tells_what_its_page_does_not(self, site: SmallSite) -> None:
        record = {"type": "page", "title": {"rendered": "About"}, "content": {"rendered": "x"}}
        encoded = msgspec.json.encode(record).decode()
        site.pages["/about.json"] = Answer(body=encoded, type="application/json")
        head = alternate("application/json", "/about.json")
        site.pages["/about"] = Answer(body=f"<html><head>{head}</head><h1>About</h1>{WORDS}")
        seen = await look(site, "/about")
        assert isinstance(seen, NoArticle)
        assert "JSON record" in seen.why


class TestFormats:
    """Which formats come along."""

    async def test_a_records_hint_declares_formats_that_no_page_names(
        self, site: SmallSite
    ) -> None:
        site.pages |= {"/a": article("Story"), "/t.md": markdown("Story")}
        record = Record(
            slug="a", url=f"{site.base}/a", alternates={"markdown": f"{site.base}/t.md"}
        )
        entry = Entry(url=f"{site.base}/a", source="records-file", named=True, hint=record)
        reading = await read(site, "/a", entry=entry)
        assert paths(site, reading)["markdown"] == "/t.md"
        assert reading.copies["markdown"].representation.declared_by == ("records-file",)

    async def test_nothing_is_probed_where_a_text_format_is_declared(self, site: SmallSite) -> None:
        site.pages["/a"] = article("Story", head=alternate("text/plain", "/a.txt"))
        site.pages["/a.txt"] = Answer(body="The words of the story.", type="text/plain")
        await read(site, "/a")
        assert sorted(site.asked) == ["/a", "/a.txt", "/robots.txt"]

    async def test_a_probed_format_that_is_not_there_leaves_nothing_missing(
        self, site: SmallSite
    ) -> None:
        site.pages["/a"] = article("Story")
        reading = await read(site, "/a")
        assert "/a.md" in site.asked
        assert reading.missing == {}
        assert "markdown" not in reading.alternates

    async def test_a_declared_format_that_is_not_there_is_missing_and_still_an_alternate(
        self, site: SmallSite
    ) -> None:
        site.pages["/a"] = article("Story", head=alternate("text/plain", "/a.txt"))
        reading = await read(site, "/a")
        assert reading.missing.keys() == {"text"}
        assert reading.alternates["text"] == f"{site.base}/a.txt"

    async def test_the_record_of_a_followed_canonical_gives_its_own_page(
        self, site: SmallSite
    ) -> None:
        head = alternate("text/markdown", "/a.md")
        site.pages |= {"/p": article("Story", canonical="BASE/a", head=head)}
        site.pages |= {"/a": article("Story", head=head), "/a.md": markdown("Story")}
        reading = await read(site, "/p")
        assert paths(site, reading) == {"html": "/a", "markdown": "/a.md"}
        assert reading.alternates["html"] == f"{site.base}/a"


class TestFindings:
    """What a reader should know of it."""

    async def test_formats_that_name_other_canonicals_are_told_with_who_said_what(
        self, site: SmallSite
    ) -> None:
        head = alternate("text/markdown", "/a.md")
        site.pages["/a"] = article("Story", canonical="BASE/a", head=head)
        site.pages["/a.md"] = markdown("Story", canonical="/b")
        reading = await read(site, "/a")
        (finding,) = reading.findings
        assert (finding.kind, finding.formats) == ("canonical-conflict", ("markdown",))
        assert reading.claims == {"html": f"{site.base}/a", "markdown": f"{site.base}/b"}

    async def test_an_original_on_another_host_is_an_edge_and_no_conflict(
        self, site: SmallSite
    ) -> None:
        site.pages["/a"] = article("Story", canonical="https://source.example/a")
        reading = await read(site, "/a", probe=False)
        assert reading.canonical_source == "https://source.example/a"
        assert (reading.url, reading.findings) == (f"{site.base}/a", ())

    async def test_a_set_that_stays_torn_says_so(self, site: SmallSite) -> None:
        head = alternate("text/markdown", "/a.md")
        site.pages["/a"] = article("Story", modified="2026-06-18T09:00:00Z", head=head)
        site.pages["/a.md"] = markdown("Story", updated="2026-06-18T08:00:00Z")
        reading = await read(site, "/a")
        assert reading.torn
        assert [each.kind for each in reading.findings] == ["formats-disagree"]


async def test_every_source_speaks_for_itself(site: SmallSite) -> None:
    site.pages["/a"] = article("Page", head=alternate("text/markdown", "/a.md"))
    site.pages["/a.md"] = markdown("Text")
    reading = await read(site, "/a")
    assert {name: facts.title for name, facts in reading.facts.items()} == {
        "html": "Page",
        "markdown": "Text",
    }
