"""One site's share of a run: what each entry comes to, and how a run ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crawler.article.soft_404 import ROOM
from crawler.conductor import mirror
from crawler.config.settings import Config
from crawler.discovery.records import RecordHint
from crawler.events import Began, Event
from crawler.request import MirrorRequest
from storage.archive import Archive
from storage.errors import StoreFailed
from tests.crawler.copying import alternate
from tests.crawler.runs import history, reasons, run
from tests.crawler.small_site import Page, SmallSite, article


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


class PowerCut(Exception):
    """Ends a run in the middle, with nothing tidied up."""


class TestEnds:
    """How a site's run ends when it does not end well."""

    async def test_a_host_whose_turn_is_over_ends_it_and_says_what_is_left(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        names = [f"/{number}" for number in range(6)]
        site.pages |= {name: article(name) for name in names}
        site.pages["/2"] = Page(status=503, headers={"Retry-After": "9999"})
        site.list(*names)
        ran = await run(f"{site.base}/", tmp_path / "m", workers=1, concurrency=1, probe=False)
        assert {row.slug for row in history(tmp_path / "m")} == {"0", "1"}
        assert "4 entries left for the next run" in ran.failures[f"{site.base}/"]

    @pytest.mark.parametrize("rules", [Page(status=503), Page(body="User-agent: *\nDisallow: /")])
    async def test_rules_that_the_user_overrules_stop_nothing(
        self, site: SmallSite, tmp_path: Path, rules: Page
    ) -> None:
        site.pages |= {"/": Page(body="<h1>Home</h1>"), "/robots.txt": rules}
        site.pages["/a"] = article("Story")
        site.list("/a")
        going = run(f"{site.base}/", tmp_path / "m", ignore_robots=True, probe=False)
        ran = await asyncio.wait_for(going, 30)
        assert ran.failures == {}
        assert reasons(tmp_path / "m", "a") == ["first"]

    async def test_an_alternates_host_whose_turn_is_over_leaves_the_article_partial(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        async with SmallSite({"/a.md": Page(status=503)}) as other:
            head = alternate("text/markdown", f"{other.base}/a.md")
            site.pages["/a"] = article("Story", head=head)
            site.list("/a")
            ran = await run(
                f"{site.base}/", tmp_path / "m", strikes=1, allow_address=("127.0.0.0/8",)
            )
        (row,) = history(tmp_path / "m")
        assert (row.state, set(row.missing)) == ("partial", {"markdown"})
        assert ran.failures == {}

    async def test_a_store_that_fails_ends_the_run_with_its_error(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        names = [f"/{number}" for number in range(400)]

        def spoiling(name: str) -> Callable[[Mapping[str, str]], Page]:
            def spoil(_sent: Mapping[str, str]) -> Page:
                segments = tmp_path / "m" / "segments"
                if not segments.exists():
                    segments.write_text("a file where a folder belongs")
                return article(f"Story {name}")

            return spoil

        site.pages |= {name: spoiling(name) for name in names}
        site.list(*names)
        with pytest.raises(StoreFailed):
            await asyncio.wait_for(run(f"{site.base}/", tmp_path / "m", probe=False), 30)
        (tmp_path / "m" / "segments").unlink()
        assert history(tmp_path / "m") == []

    async def test_a_stopped_run_is_cut_off_within_its_grace(self, tmp_path: Path) -> None:
        stop, begun, never = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET /robots.txt"):
                writer.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                writer.close()
                return
            begun.set()
            stop.set()
            await never.wait()
            writer.close()

        server = await asyncio.start_server(hang, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a"
        ran = await asyncio.wait_for(run(url, tmp_path / "m", stop=stop, grace=0.1), 20)
        never.set()
        server.close()
        await server.wait_closed()
        assert begun.is_set()
        assert ran.summary.snapshots == 0
        with Archive.open(tmp_path / "m") as archive:
            assert [row.finished for row in archive.runs()] == [False]

    async def test_of_articles_without_dates_a_run_cut_off_costs_a_few_and_no_more(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        """What waits to be told from an error page is lost with the run, and is little."""
        names = [f"/{number}" for number in range(60)]
        site.pages |= {name: article(f"Story {name}") for name in names}
        site.list(*names)

        def listen(event: Event) -> None:
            if isinstance(event, Began) and event.url.endswith("/50"):
                raise PowerCut

        settings = Config().settings().changed(rate=0, workers=1, concurrency=1, probe=False)
        request = MirrorRequest(urls=(f"{site.base}/",), into=tmp_path / "m", settings=settings)
        with pytest.raises(PowerCut):
            await mirror(request, listen, asyncio.Event())
        before = set(site.asked) & set(names)
        site.asked.clear()
        await run(f"{site.base}/", tmp_path / "m", probe=False)
        again = before & set(site.asked)
        assert len(before) == 50
        assert 0 < len(again) <= ROOM + 2
        assert len(history(tmp_path / "m")) == 60

    async def test_articles_in_hand_are_finished_within_the_grace(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        stop = asyncio.Event()

        def stopping(_sent: Mapping[str, str]) -> Page:
            stop.set()
            return article("Story")

        names = [f"/{number}" for number in range(5)]
        site.pages |= {name: article(name) for name in names} | {"/0": stopping}
        site.list(*names)
        await run(f"{site.base}/", tmp_path / "m", stop=stop, workers=1, concurrency=1, grace=20)
        assert [row.slug for row in history(tmp_path / "m")] == ["0"]


async def test_feeds_of_a_site_that_lists_its_articles_are_read_among_them(
    site: SmallSite, tmp_path: Path
) -> None:
    paths = [f"/news/story-{number}" for number in range(20)]
    site.pages |= {path: article(f"Tale {number}") for number, path in enumerate(paths)}
    feed = '<link rel="alternate" type="application/atom+xml" href="/feed">'
    site.pages["/"] = Page(body=f"<html><head>{feed}</head><body>News</body></html>")
    site.list(*paths)
    ran = await run(f"{site.base}/", tmp_path, concurrency=1)
    assert ran.summary.articles == len(paths)
    assert site.asked.index("/feed") < site.asked.index(paths[-1])


async def test_records_that_are_none_of_the_sites_are_said(site: SmallSite, tmp_path: Path) -> None:
    site.pages["/a"] = article("Story")
    urls = (f"{site.base}/a", "http://other.example/a")
    hints = tuple(RecordHint(record=None, url=url, line=1) for url in urls)
    ran = await run(f"{site.base}/", tmp_path / "m", records=hints)
    assert ran.failures.keys() == {"http://other.example/a"}
    assert [row.slug for row in history(tmp_path / "m")] == ["a"]


class TestChoice:
    """A choice of formats or URLs that leaves no article is said to be it, and a failure."""

    @pytest.fixture
    async def stories(self, site: SmallSite) -> SmallSite:
        """Publish two articles, named by the sitemap and by the start page."""
        site.pages |= {"/": Page(body="<h1>Home</h1><a href=/a>x</a>")}
        site.pages |= {path: article(f"Story {path}") for path in ("/a", "/b")}
        site.list("/a", "/b")
        return site

    async def test_formats_that_no_article_comes_in_are_named(
        self, stories: SmallSite, tmp_path: Path
    ) -> None:
        ran = await run(f"{stories.base}/", tmp_path, formats=("pdf", "ps"), probe=False)
        assert ran.failures == {
            f"{stories.base}/": "none of 2 articles comes in a wanted format (pdf, ps)"
        }

    @pytest.mark.parametrize("choice", [{"include": ("*/no/*",)}, {"exclude": ("*/[ab]",)}])
    async def test_include_and_exclude_that_leave_no_article_are_named(
        self, stories: SmallSite, tmp_path: Path, choice: dict[str, Any]
    ) -> None:
        ran = await run(f"{stories.base}/", tmp_path, **choice)
        assert ran.failures == {
            f"{stories.base}/": "no article was had of what include and exclude leave; "
            f"one URL that they leave out is {stories.base}/a"
        }

    async def test_a_choice_that_fits_what_an_earlier_run_kept_is_none(
        self, stories: SmallSite, tmp_path: Path
    ) -> None:
        for _ in range(2):
            ran = await run(f"{stories.base}/", tmp_path, exclude=("*/b",), verify="due")
            assert ran.failures == {}

    async def test_it_is_not_blamed_where_what_it_left_has_vanished(
        self, stories: SmallSite, tmp_path: Path
    ) -> None:
        await run(f"{stories.base}/", tmp_path, exclude=("*/b",))
        stories.pages["/a"] = Page(status=404)
        assert (await run(f"{stories.base}/", tmp_path, exclude=("*/b",))).failures == {}

    async def test_a_site_without_articles_does_not_fail(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages["/"] = Page(body="<h1>Home</h1>")
        assert (await run(f"{site.base}/", tmp_path)).failures == {}
