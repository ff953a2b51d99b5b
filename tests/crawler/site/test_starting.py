"""What a URL named by the user is: an article, a page to start from, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crawler.discovery.records import RecordHint
from crawler.events import Failed, Note, SiteStarted
from crawler.site.starting import Start, by_owner, unsent_headers
from storage.model import Site
from tests.crawler.runs import history, run
from tests.crawler.small_site import Page, SmallSite, article

SITE = Site(name="news.example", scope="https://news.example/")


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def hint(url: str) -> RecordHint:
    return RecordHint(record=None, url=url, line=1)


def test_a_record_goes_to_the_longest_start_url_that_holds_it() -> None:
    urls = ("https://news.example/", "https://news.example/sport/")
    inner, outer = hint("https://news.example/sport/a"), hint("https://news.example/a")
    wanted, outside = by_owner(urls, [inner, outer])
    assert wanted == {urls[0]: [outer], urls[1]: [inner]}
    assert outside == []


def test_a_record_under_no_start_url_is_told_apart() -> None:
    stray = hint("https://other.example/a")
    assert by_owner(("https://news.example/",), [stray])[1] == [stray]


NAMED = "http://news.example/"


def test_headers_that_a_start_url_leaves_behind_are_named_with_what_to_write() -> None:
    start = Start(site=SITE, url="https://news.example/", discover=True)
    said = unsent_headers(start, ("Authorization",), (NAMED,))
    assert "(Authorization) are not sent" in said
    assert said.endswith("write https://news.example there")


@pytest.mark.parametrize(
    ("headers", "named"), [((), (NAMED,)), (("Authorization",), (NAMED, "https://news.example/b"))]
)
def test_nothing_is_said_where_none_is_left_behind(
    headers: tuple[str, ...], named: tuple[str, ...]
) -> None:
    start = Start(site=SITE, url="https://news.example/", discover=True)
    assert unsent_headers(start, headers, named) == ""


async def test_private_headers_stay_with_the_port_that_was_named_and_that_is_said(
    site: SmallSite, tmp_path: Path
) -> None:
    async with SmallSite({"/": Page(body="<p>front"), "/a": article("A")}) as other:
        other.list("/a")
        site.pages["/"] = Page(status=301, headers={"Location": f"{other.base}/"})
        ran = await run(
            f"{site.base}/",
            tmp_path / "m",
            probe=False,
            headers={"Authorization": "hush-hush"},
            allow_address=("127.0.0.0/8",),
        )
    assert {sent.get("Authorization") for sent in site.heard} == {"hush-hush"}
    assert {sent.get("Authorization") for sent in other.heard} == {None}
    (note,) = (each for each in ran.events if isinstance(each, Note) and each.trouble)
    assert note.message.endswith(f"write {other.base} there")
    assert [row.private for row in history(tmp_path / "m")] == [False]


async def test_a_host_that_answers_but_not_at_its_start_is_gone_over_by_its_lists(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story")
    site.list("/a")
    ran = await run(f"{site.base}/", tmp_path / "m")
    assert [row.slug for row in history(tmp_path / "m")] == ["a"]
    assert ran.failures == {}


async def test_a_start_with_nothing_there_and_no_list_is_a_failure(
    site: SmallSite, tmp_path: Path
) -> None:
    ran = await run(f"{site.base}/nothing/", tmp_path / "m")
    assert "404" in ran.failures[f"{site.base}/nothing/"]


async def test_two_articles_of_one_host_are_one_site_after_another(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/a": article("One"), "/b": article("Two")}
    ran = await run(f"{site.base}/a", tmp_path / "m", more=(f"{site.base}/b",))
    assert sorted(row.slug for row in history(tmp_path / "m")) == ["a", "b"]
    assert {e.site for e in ran.events if isinstance(e, SiteStarted)} == {
        row.site for row in history(tmp_path / "m")
    }
    assert not [event for event in ran.events if isinstance(event, Failed)]


async def test_a_start_that_moves_to_another_host_is_mirrored_there(
    site: SmallSite, tmp_path: Path
) -> None:
    async with SmallSite({"/": Page(body="<a href=/a>a</a>"), "/a": article("Story")}) as there:
        site.pages["/"] = Page(status=301, headers={"Location": f"{there.base}/"})
        await run(f"{site.base}/", tmp_path / "m", allow_address=("127.0.0.0/8",))
        (row,) = history(tmp_path / "m")
        assert row.url == f"{there.base}/a"
