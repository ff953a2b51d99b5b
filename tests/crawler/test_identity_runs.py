"""Identity over whole runs: which URL is the article, what its key is, what is no edit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.crawler.runs import history, reasons, run
from tests.crawler.small_site import Page, SmallSite, article

UPDATED = "2026-06-19T09:13:50.166750+00:00"


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def with_json(path: str) -> str:
    return f'<link rel="alternate" type="application/json" href="BASE{path}.json">'


def record(slug: str, updated_at: str, body: str = "The words.") -> Page:
    value = {"slug": slug, "title": "Live", "body_md": body, "updated_at": updated_at}
    return Page(body=msgspec.json.encode(value).decode(), type="application/json")


async def test_two_articles_of_one_name_are_two_and_url_order_decides(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/2026/live": article("Live now"), "/2025/live": article("Live then")}
    site.list("/2026/live", "/2025/live")
    await run(f"{site.base}/", tmp_path / "m")
    await run(f"{site.base}/", tmp_path / "m")
    kept = {row.url.removeprefix(site.base): row.slug for row in history(tmp_path / "m")}
    assert kept == {"/2025/live": "live", "/2026/live": "2026~live"}


async def test_a_template_that_makes_every_canonical_the_front_page_merges_nothing(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/"] = Page(body="<title>Home</title><link rel=canonical href='/'><h1>Home</h1>")
    paths = ["/a", "/b", "/c"]
    site.pages |= {path: article(f"Story {path}", canonical="BASE/") for path in paths}
    site.list(*paths)
    await run(f"{site.base}/", tmp_path / "m")
    rows = history(tmp_path / "m")
    assert sorted(row.url.removeprefix(site.base) for row in rows) == paths
    assert {finding.kind for row in rows for finding in row.findings} == {"canonical-conflict"}


async def test_a_print_version_is_another_name_of_its_article(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story", canonical="BASE/a")
    site.pages["/a?print=1"] = article("Story", canonical="BASE/a")
    site.list("/a", "/a?print=1")
    await run(f"{site.base}/", tmp_path / "m")
    (row,) = history(tmp_path / "m")
    assert (row.slug, row.url) == ("a", f"{site.base}/a")


async def test_a_source_of_the_date_that_fails_once_opens_no_snapshot(
    site: SmallSite, tmp_path: Path
) -> None:
    page = article("Live", modified="2026-06-19T09:13:50Z", head=with_json("/live"))
    site.pages |= {"/live": page, "/live.json": record("live", UPDATED)}
    site.list("/live")
    await run(f"{site.base}/", tmp_path / "m")
    site.pages["/live.json"] = Page(status=500)
    await run(f"{site.base}/", tmp_path / "m")
    site.pages["/live.json"] = record("live", UPDATED)
    await run(f"{site.base}/", tmp_path / "m")
    (row,) = history(tmp_path / "m")
    assert row.updated_at == datetime(2026, 6, 19, 9, 13, 50, 166750, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2026-06-19T09:13:50Z",
        "2026-06-19 11:13:50.166+02:00",
        "2026-06-19",
        "2026-06-19T09:13:50",
        "2026-06-19T09:13Z",
    ],
)
async def test_a_time_that_changes_its_precision_or_zone_opens_no_snapshot(
    site: SmallSite, tmp_path: Path, written: str
) -> None:
    site.pages["/live"] = article("Live", modified=UPDATED)
    site.list("/live")
    await run(f"{site.base}/", tmp_path / "m")
    site.pages["/live"] = article("Live", modified=written)
    await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", "live") == ["first"]


async def test_a_date_that_is_only_inferred_opens_no_snapshot(
    site: SmallSite, tmp_path: Path
) -> None:
    for day in (19, 20, 21):
        moment = f"Fri, {day} Jun 2026 09:00:00 GMT"
        page = article("Live")
        site.pages["/live"] = msgspec.structs.replace(page, headers={"Last-Modified": moment})
        site.list("/live")
        await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", "live") == ["first"]


async def test_an_edit_without_any_declared_date_is_undated_and_no_accusation(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/live"] = article("Live")
    site.list("/live")
    await run(f"{site.base}/", tmp_path / "m")
    site.pages["/live"] = article("Live", words="Other words altogether, and many more. " * 20)
    await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", "live") == ["first", "undated"]


async def test_an_edit_under_a_date_without_a_time_is_same_day(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/live"] = article("Live", modified="2026-06-19")
    site.list("/live")
    await run(f"{site.base}/", tmp_path / "m")
    words = "Other words altogether, and many more. " * 20
    site.pages["/live"] = article("Live", modified="2026-06-19", words=words)
    await run(f"{site.base}/", tmp_path / "m")
    assert reasons(tmp_path / "m", "live") == ["first", "same-day"]


async def test_a_publisher_who_forbids_copies_is_obeyed(site: SmallSite, tmp_path: Path) -> None:
    page = article("Live", modified=UPDATED)
    site.pages["/live"] = msgspec.structs.replace(page, headers={"X-Robots-Tag": "noarchive"})
    site.list("/live")
    await run(f"{site.base}/", tmp_path / "m")
    await run(f"{site.base}/", tmp_path / "m")
    (row,) = history(tmp_path / "m")
    assert "noarchive" in {finding.kind for finding in row.findings}
    kept = b"".join(file.read_bytes() for file in (tmp_path / "m").rglob("*") if file.is_file())
    assert b"in no other place" not in kept
    assert not list((tmp_path / "m").glob("files/**/*.html"))


async def test_changed_bytes_alone_are_kept_where_the_user_says_so(
    site: SmallSite, tmp_path: Path
) -> None:
    site.list("/live")
    for nonce in ("one", "two"):
        head = f'<meta name="nonce" content="{nonce}">'
        site.pages["/live"] = article("Live", modified=UPDATED, head=head)
        await run(f"{site.base}/", tmp_path / "words")
        await run(f"{site.base}/", tmp_path / "bytes", keep="bytes")
    assert reasons(tmp_path / "words", "live") == ["first"]
    assert reasons(tmp_path / "bytes", "live") == ["first", "undated"]


async def test_a_pdf_that_was_replaced_is_kept_beside_the_old_one(
    site: SmallSite, tmp_path: Path
) -> None:
    link = '<link rel="alternate" type="application/pdf" href="/bylaw.pdf">'
    site.pages["/bylaw"] = article("The bylaw", modified=UPDATED, head=link)
    site.list("/bylaw")
    monday, tuesday = "Mon, 01 Jun 2026 12:00:00 GMT", "Tue, 02 Jun 2026 12:00:00 GMT"
    for when, body in (
        (monday, "%PDF-1.7 first"),
        (tuesday, "%PDF-1.7 second"),
        (tuesday, "%PDF-1.7 made at each request"),
    ):
        dated = {"Last-Modified": when}
        site.pages["/bylaw.pdf"] = Page(body=body, type="application/pdf", headers=dated)
        await run(f"{site.base}/", tmp_path / "m", verify="all")
    assert reasons(tmp_path / "m", "bylaw") == ["first", "undated"]
    (file,) = (tmp_path / "m" / "files").rglob("bylaw.pdf")
    assert file.read_bytes() == b"%PDF-1.7 second"


async def test_an_undeclared_markdown_twin_is_found_by_its_suffix(
    site: SmallSite, tmp_path: Path
) -> None:
    words = "The harbour clock was wound again this morning by somebody unseen. " * 12
    for name in ("/a", "/b"):
        site.pages[name] = article(f"Clock {name}", words=words)
        site.pages[f"{name}.md"] = Page(body=f"# Clock {name}\n\n{words}", type="text/markdown")
    site.list("/a", "/b")
    await run(f"{site.base}/", tmp_path / "m")
    assert [row.formats for row in history(tmp_path / "m")] == [("html", "markdown")] * 2
    assert not [path for path in site.asked if path.endswith(".jsonld") and path != "/a.jsonld"]
