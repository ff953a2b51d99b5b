"""Whole runs against the demo's newsroom: what is kept, what is not, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import Fault, NewsroomServer
from crawler.discovery.records import parse_records
from crawler.events import Discovered, Event, Happened, Passed, Stored
from crawler.request import RequestError
from storage.archive import Archive
from storage.times import format_utc
from tests.crawler.runs import history, reasons, run
from tests.crawler.small_site import Page, SmallSite, article

FORMATS = ("html", "markdown", "text", "jsonld")


@pytest.fixture
async def site() -> AsyncIterator[NewsroomServer]:
    async with NewsroomServer(lambda base: Newsroom.create(base, 6)) as server:
        yield server


def first_slug(site: NewsroomServer) -> str:
    return site.newsroom.records[0].slug


async def test_every_article_is_one_complete_snapshot(site: NewsroomServer, tmp_path: Path) -> None:
    ran = await run(f"{site.base}/", tmp_path / "m")
    rows = history(tmp_path / "m")
    assert {row.slug for row in rows} == set(site.newsroom.stories)
    assert {row.formats for row in rows} == {FORMATS}
    assert {row.state for row in rows} == {"complete"}
    assert ran.summary.snapshots == len(site.newsroom.records)
    assert ran.failures == {}


async def test_the_key_is_the_articles_updated_at_to_the_microsecond(
    site: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{site.base}/", tmp_path / "m")
    kept = {row.slug: row.updated_at for row in history(tmp_path / "m")}
    assert kept == {record.slug: record.updated_at for record in site.newsroom.records}


async def test_every_body_comes_out_as_it_was_served(site: NewsroomServer, tmp_path: Path) -> None:
    await run(f"{site.base}/", tmp_path / "m")
    with Archive.open(tmp_path / "m") as archive:
        for row in archive.newest_all():
            manifest = archive.manifest(row)
            for shown in manifest.representations:
                path = shown.url.removeprefix(site.base)
                assert archive.body(manifest, shown.format).decoded == site.newsroom.page(path).body


async def test_the_record_is_the_newsrooms_own(site: NewsroomServer, tmp_path: Path) -> None:
    await run(f"{site.base}/", tmp_path / "m")
    with Archive.open(tmp_path / "m") as archive:
        kept = {row.slug: archive.manifest(row).record for row in archive.newest_all()}
    assert kept == {record.slug: record for record in site.newsroom.records}


async def test_each_representation_is_asked_for_once(site: NewsroomServer, tmp_path: Path) -> None:
    await run(f"{site.base}/", tmp_path / "m")
    asked = [path for path in site.paths() if path.startswith("/news/") and path[-1] != "/"]
    assert len(asked) == len(set(asked)) == 4 * len(site.newsroom.records)


async def test_a_second_run_over_the_same_site_stores_nothing(
    site: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{site.base}/", tmp_path / "m")
    again = await run(f"{site.base}/", tmp_path / "m")
    assert again.summary.snapshots == 0
    assert again.summary.unchanged == len(site.newsroom.records)


async def test_an_unchanged_lastmod_needs_no_request_where_nothing_is_verified(
    site: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{site.base}/", tmp_path / "m")
    asked = len(site.requests)
    again = await run(f"{site.base}/", tmp_path / "m", verify="none")
    assert again.summary.unchanged == len(site.newsroom.records)
    news = [path for path in site.paths()[asked:] if path.startswith("/news/") and path[-1] != "/"]
    assert news == []


@pytest.mark.parametrize("validators", ["content", "none"])
async def test_an_open_and_a_silent_edit_are_told_apart(
    site: NewsroomServer, tmp_path: Path, validators: str
) -> None:
    site.validators = "none" if validators == "none" else "content"
    site.nonce = True
    openly, silently = (record.slug for record in site.newsroom.records[:2])
    await run(f"{site.base}/", tmp_path / "m")
    site.newsroom = site.newsroom.edit(openly).edit_silently(silently)
    ran = await run(f"{site.base}/", tmp_path / "m")
    assert ran.summary.snapshots == 2
    assert reasons(tmp_path / "m", openly) == ["first", "edit"]
    assert reasons(tmp_path / "m", silently) == ["first", "silent-edit"]


async def test_validators_made_from_the_date_do_not_hide_a_silent_edit(
    site: NewsroomServer, tmp_path: Path
) -> None:
    site.validators = "date"
    slug = first_slug(site)
    await run(f"{site.base}/", tmp_path / "m")
    site.newsroom = site.newsroom.edit_silently(slug)
    await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", slug) == ["first", "silent-edit"]


async def test_a_revert_is_kept_as_a_revision_of_its_own(
    site: NewsroomServer, tmp_path: Path
) -> None:
    slug = first_slug(site)
    await run(f"{site.base}/", tmp_path / "m")
    site.newsroom = site.newsroom.edit_silently(slug)
    await run(f"{site.base}/", tmp_path / "m")
    site.newsroom = site.newsroom.revert(slug)
    await run(f"{site.base}/", tmp_path / "m")
    rows = history(tmp_path / "m", slug)
    assert [row.reason for row in rows] == ["first", "silent-edit", "reverted"]


async def test_a_format_that_fails_once_is_no_edit(site: NewsroomServer, tmp_path: Path) -> None:
    slug = first_slug(site)
    await run(f"{site.base}/", tmp_path / "m")
    site.fault(f"/news/{slug}.txt", Fault(status=500))
    await run(f"{site.base}/", tmp_path / "m")
    site.fault(f"/news/{slug}.txt", None)
    await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", slug) == ["first"]


async def test_a_missing_format_makes_a_partial_snapshot_that_is_completed_later(
    site: NewsroomServer, tmp_path: Path
) -> None:
    slug = first_slug(site)
    site.fault(f"/news/{slug}.md", Fault(status=404))
    ran = await run(f"{site.base}/", tmp_path / "m")
    assert ran.summary.partial == 1
    (row,) = history(tmp_path / "m", slug)
    assert row.state == "partial"
    assert "404" in row.missing["markdown"]
    site.fault(f"/news/{slug}.md", None)
    await run(f"{site.base}/", tmp_path / "m")
    rows = history(tmp_path / "m", slug)
    assert [(row.reason, row.state, row.revision) for row in rows] == [
        ("first", "partial", 0),
        ("completed", "complete", 1),
    ]


async def test_a_withdrawn_and_a_new_format_are_no_edits(
    site: NewsroomServer, tmp_path: Path
) -> None:
    slug = first_slug(site)
    await run(f"{site.base}/", tmp_path / "m")
    site.newsroom = site.newsroom.drop_format(slug, "text")
    await run(f"{site.base}/", tmp_path / "m")
    site.newsroom = site.newsroom.restore_format(slug, "text")
    await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", slug) == ["first", "format-removed", "format-added"]


async def test_html_under_a_text_url_is_a_failed_format_and_keeps_the_good_copy(
    site: NewsroomServer, tmp_path: Path
) -> None:
    slug = first_slug(site)
    await run(f"{site.base}/", tmp_path / "m")
    page = b"<!doctype html><html><body><h1>Sign in</h1></body></html>"
    site.fault(f"/news/{slug}.md", Fault(status=200, body=page, media_type="text/html"))
    await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", slug) == ["first"]


async def test_a_known_article_that_nothing_names_any_more_is_still_looked_at(
    site: NewsroomServer, tmp_path: Path
) -> None:
    slug = first_slug(site)
    await run(f"{site.base}/", tmp_path / "m")
    site.newsroom = site.newsroom.delete(slug)
    asked = len(site.requests)
    ran = await run(f"{site.base}/", tmp_path / "m")
    assert f"/news/{slug}" in site.paths()[asked:]
    assert [event.slug for event in ran.events if isinstance(event, Happened)] == [slug]
    assert slug in {row.slug for row in history(tmp_path / "m")}


async def test_a_section_is_mirrored_alone(site: NewsroomServer, tmp_path: Path) -> None:
    ran = await run(f"{site.base}/news/", tmp_path / "m")
    assert ran.summary.articles == len(site.newsroom.records)
    assert not [path for path in site.paths() if path.startswith("/section")]


async def test_the_url_of_one_article_mirrors_that_article(
    site: NewsroomServer, tmp_path: Path
) -> None:
    record = site.newsroom.records[2]
    ran = await run(record.url, tmp_path / "m")
    assert [row.slug for row in history(tmp_path / "m")] == [record.slug]
    assert ran.summary.sites == 1
    assert len(site.requests) <= 5


async def test_the_markdown_url_of_an_article_leads_to_the_whole_article(
    site: NewsroomServer, tmp_path: Path
) -> None:
    record = site.newsroom.records[2]
    await run(record.alternates["markdown"], tmp_path / "m")
    (row,) = history(tmp_path / "m")
    assert (row.slug, row.url) == (record.slug, record.url)
    assert set(row.formats) == set(FORMATS)


async def test_a_records_file_stands_in_for_discovery(site: NewsroomServer, tmp_path: Path) -> None:
    record = site.newsroom.records[1]
    hints = parse_records(msgspec.json.encode([record]), "records.json")
    await run(f"{site.base}/", tmp_path / "m", records=hints)
    assert [row.slug for row in history(tmp_path / "m")] == [record.slug]
    assert "/sitemap.xml" not in site.paths()


async def test_without_sitemap_and_feed_links_lead_to_every_article(
    site: NewsroomServer, tmp_path: Path
) -> None:
    for path in ("/sitemap.xml", "/sitemap-1.xml", "/feed.atom", "/feed.xml", "/llms.txt"):
        site.fault(path, Fault(status=404))
    ran = await run(f"{site.base}/", tmp_path / "m")
    assert {row.slug for row in history(tmp_path / "m")} == set(site.newsroom.stories)
    assert "link" in {event.source for event in ran.events if isinstance(event, Discovered)}


async def test_a_list_of_many_pages_is_followed_to_its_end(tmp_path: Path) -> None:
    async with SmallSite() as small:
        for number in range(1, 13):
            links = (
                f"<a href=/story-{number}>s</a><a rel=next href=/list?page={number + 1}>next</a>"
            )
            small.pages[f"/list?page={number}"] = Page(body=f"<html><body>{links}</body></html>")
            small.pages[f"/story-{number}"] = article(f"Story {number}")
        small.pages["/"] = Page(body="<html><body><a href='/list?page=1'>all</a></body></html>")
        await run(f"{small.base}/", tmp_path / "m", probe=False)
    assert len(history(tmp_path / "m")) == 12


async def test_pages_of_links_are_no_articles_and_it_is_said_why(
    site: NewsroomServer, tmp_path: Path
) -> None:
    ran = await run(f"{site.base}/", tmp_path / "m")
    passed = [event for event in ran.events if isinstance(event, Passed)]
    assert passed
    assert all(event.why for event in passed)
    assert not {event.url for event in passed} & {record.url for record in site.newsroom.records}


async def test_robots_txt_binds_a_url_named_by_hand(site: NewsroomServer, tmp_path: Path) -> None:
    record = site.newsroom.records[0]
    site.fault("/robots.txt", Fault(status=200, body=b"User-agent: *\nDisallow: /news/\n"))
    ran = await run(record.url, tmp_path / "m")
    assert "robots.txt" in ran.failures[record.url]
    assert history(tmp_path / "m") == []
    forced = await run(record.url, tmp_path / "m", ignore_robots=True)
    assert forced.summary.snapshots == 1


async def test_a_robots_txt_that_fails_forbids_all(site: NewsroomServer, tmp_path: Path) -> None:
    site.fault("/robots.txt", Fault(status=503))
    ran = await run(f"{site.base}/", tmp_path / "m")
    assert history(tmp_path / "m") == []
    assert any("robots.txt" in reason for reason in ran.failures.values())


async def test_only_asked_for_formats_are_kept(site: NewsroomServer, tmp_path: Path) -> None:
    await run(f"{site.base}/", tmp_path / "m", formats=("markdown",))
    assert {row.formats for row in history(tmp_path / "m")} == {("markdown",)}


async def test_an_article_without_an_asked_for_format_is_passed_over(tmp_path: Path) -> None:
    async with SmallSite() as small:
        twin = '<link rel=alternate type="text/markdown" href="/broken.md">'
        small.pages |= {"/plain": article("Plain"), "/broken": article("Broken", head=twin)}
        small.list("/plain", "/broken")
        ran = await run(f"{small.base}/", tmp_path / "m", formats=("markdown",))
    assert history(tmp_path / "m") == []
    passed = {event.url: event.why for event in ran.events if isinstance(event, Passed)}
    assert passed[f"{small.base}/plain"] == "it comes in none of the wanted formats"
    assert "markdown: the server answered 404" in ran.failures[f"{small.base}/broken"]


@pytest.mark.parametrize("others", [("/x/y",), ("/x/y", "/x/z"), ("/",)])
async def test_start_urls_inside_each_other_are_one_sites(
    tmp_path: Path, others: tuple[str, ...]
) -> None:
    async with SmallSite() as small:
        small.pages |= {"/x": Page(body="<a href=/x/y>y</a><a href=/x/z>z</a>")}
        small.pages |= {"/x/y": article("Why"), "/x/z": article("Zed"), "/": small.pages["/x"]}
        urls = tuple(small.base + path for path in (*others, "/x"))
        async with asyncio.timeout(30):
            ran = await run(urls[0], tmp_path / "m", more=urls[1:], probe=False)
        assert {row.slug for row in history(tmp_path / "m")} == {"y", "z"}
        assert len(history(tmp_path / "m")) == ran.summary.articles == 2
        assert ran.failures == {}


async def test_an_unknown_host_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nowhere\.invalid"):
        await run("http://nowhere.invalid/", tmp_path / "m")
    assert not (tmp_path / "m").exists()


async def test_a_stopped_run_is_saved_and_the_next_one_continues_it(tmp_path: Path) -> None:
    async with NewsroomServer(lambda base: Newsroom.create(base, 60)) as site:
        for record in site.newsroom.records[10:]:
            site.fault(f"/news/{record.slug}", Fault(delay=0.2))
        stop = asyncio.Event()

        def listen(event: Event) -> None:
            if isinstance(event, Stored):
                stop.set()

        await run(f"{site.base}/", tmp_path / "m", stop=stop, listen=listen, workers=4)
        kept = {row.slug for row in history(tmp_path / "m")}
        asked = len(site.requests)
        assert 0 < len(kept) < 60
        site.faults.clear()
        await run(f"{site.base}/", tmp_path / "m")
        rows = history(tmp_path / "m")
        assert sorted(row.slug for row in rows) == sorted(site.newsroom.stories)
        again = {path.removeprefix("/news/") for path in site.paths()[asked:]}
        assert not again & kept


async def test_times_of_torn_sets_are_read_again_until_they_agree(
    site: NewsroomServer, tmp_path: Path
) -> None:
    record = site.newsroom.records[0]
    stale = site.newsroom.page(f"/news/{record.slug}.md").body
    site.newsroom = site.newsroom.edit(record.slug)
    site.fault(f"/news/{record.slug}.md", Fault(status=200, body=stale, times=1))
    ran = await run(f"{site.base}/", tmp_path / "m")
    (row,) = history(tmp_path / "m", record.slug)
    assert row.updated_at == site.newsroom.record(record.slug).updated_at
    assert row.findings == ()
    assert ran.summary.torn == 0


async def test_a_set_that_stays_torn_is_kept_under_its_newest_time_with_a_finding(
    site: NewsroomServer, tmp_path: Path
) -> None:
    record = site.newsroom.records[0]
    stale = site.newsroom.page(f"/news/{record.slug}.md").body
    site.newsroom = site.newsroom.edit(record.slug)
    site.fault(f"/news/{record.slug}.md", Fault(status=200, body=stale))
    ran = await run(f"{site.base}/", tmp_path / "m")
    (row,) = history(tmp_path / "m", record.slug)
    assert row.updated_at == site.newsroom.record(record.slug).updated_at
    assert [finding.kind for finding in row.findings] == ["formats-disagree"]
    assert ran.summary.torn == 1


async def test_an_original_on_another_host_is_an_article_of_its_own(tmp_path: Path) -> None:
    async with NewsroomServer(lambda base: Newsroom.create(base, 2)) as source:
        original = source.newsroom.records[0].url

        def make(base: str) -> Newsroom:
            newsroom = Newsroom.create(base, 3, seed=5)
            return newsroom.edit_silently(newsroom.records[0].slug, canonical_source=original)

        async with NewsroomServer(make) as site:
            port = source.port
            near = original.replace("127.0.0.1", "source.example")
            slug = site.newsroom.records[0].slug
            site.newsroom = site.newsroom.edit_silently(slug, canonical_source=near)
            await run(
                f"{site.base}/",
                tmp_path / "m",
                resolve=(f"source.example:{port}:127.0.0.1:{port}",),
            )
    with Archive.open(tmp_path / "m") as archive:
        newest = {row.slug: row for row in archive.newest_all(canonicals=True)}
        record = archive.manifest(newest[slug]).record
        assert record is not None
        assert record.canonical_source == near
        captured = [row for row in newest.values() if row.implicit]
        assert [row.url for row in captured] == [near]
        assert len(list(archive.newest_all())) == 3


async def test_log_times_are_written_with_all_six_digits(
    site: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{site.base}/", tmp_path / "m")
    row = history(tmp_path / "m")[0]
    shown = row.as_log()["updated_at"]
    assert shown == format_utc(row.updated_at)
    assert row.observed_at - row.updated_at > timedelta(0)
