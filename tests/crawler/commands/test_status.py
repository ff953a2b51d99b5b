"""status: numbers, freshness, and what fails with why."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from crawler.site.entries import FORGOTTEN
from storage.model import EntryState
from storage.writer import Writer
from tests.crawler.commands.archives import BASE, fill
from tests.crawler.commands.calling import lines, slugline

SITE = "example.org"


async def remember(root: Path) -> None:
    """Leave behind what a run does: states, its book, and a summary with a list that failed."""
    async with Writer(root) as writer:
        await writer.begin_run("sync", ("https://example.org/",), BASE)
        for slug, verdict, verified in (
            ("alpha", "article", BASE), ("beta", "article", None), ("lost", "failed", None),
            ("late", "failed", None),
        ):  # fmt: skip
            writer.note_entry(
                EntryState(
                    site=SITE, url=f"https://example.org/news/{slug}", verdict=verdict,  # type: ignore[arg-type]  # both are verdicts
                    slug=slug, why="the server answered 500" if verdict == "failed" else "",
                    checked_at=BASE + timedelta(hours=1), run="test", attempts=2,
                    verified_at=verified,
                )
            )  # fmt: skip
        writer.remember(SITE, "last-run", '{"good_at": "2026-06-19T10:00:00Z"}')
        errors = [
            {"url": "https://example.org/news/lost", "reason": "the server answered 500"},
            {"url": "https://example.org/sitemap.xml", "reason": "the sitemap is unreadable"},
            {"url": "https://down.example/", "reason": "no answer"},
        ]
        await writer.finish_run({"errors": errors}, finished=True)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("status") / "m"
    asyncio.run(fill(root))
    asyncio.run(remember(root))
    return root


def test_a_program_learns_how_fresh_a_site_is(failing: Path) -> None:
    (row,) = lines(slugline("status", "--json", "--site", SITE, "--mirror", failing))
    assert row["good_at"] == "2026-06-19T10:00:00Z"
    assert row["verified_at"] == "2026-06-19T09:13:50.166750Z"
    assert (row["unverified"], row["failed"], row["partial"]) == (1, 2, 1)
    assert row["troubles"] == [
        {"host": SITE, "why": "the server answered 500", "count": 2},
        {"host": SITE, "why": "no markdown: 404 Not Found", "count": 1},
        {"host": SITE, "why": "the sitemap is unreadable", "count": 1},
    ]


def test_a_person_is_told_in_sentences(failing: Path) -> None:
    shown = slugline("status", "--mirror", failing).stdout
    assert "example.org: last good run 2026-06-19T10:00:00Z (" in shown
    assert "example.org: every verified article was verified 2026-06-19T09:13:50Z (" in shown
    assert "example.org: 1 article never verified" in shown
    assert "example.org: example.org fails 2 times: the server answered 500" in shown
    assert "example.net: no good run yet" in shown


def test_failed_lists_each_case_once_with_why(failing: Path) -> None:
    rows = lines(slugline("status", "--failed", "--json", "--mirror", failing))
    assert [(row["kind"], row["site"], row["url"]) for row in rows] == [
        ("run", "down.example", "https://down.example/"),
        ("partial", SITE, "https://example.org/news/beta"),
        ("failed", SITE, "https://example.org/news/late"),
        ("failed", SITE, "https://example.org/news/lost"),
        ("run", SITE, "https://example.org/sitemap.xml"),
    ]
    assert rows[2]["attempts"] == 2
    shown = slugline("status", "--failed", "--site", "example.net", "--mirror", failing).stdout
    assert shown == "SITE\tKIND\tURL\tTRIES\tASKED\tWHY\n"


def test_a_mirror_whose_runs_are_forgotten_still_answers(mirror: Path) -> None:
    rows = {row["site"]: row for row in lines(slugline("status", "--json", "--mirror", mirror))}
    assert rows["example.net"]["good_at"] is None
    assert rows["example.net"]["troubles"] == []


async def test_what_was_forgotten_on_purpose_is_no_trouble(tmp_path: Path) -> None:
    await fill(tmp_path)
    asked = ("forget", "alpha", "--reason", "asked", "--mirror", tmp_path)
    await asyncio.to_thread(slugline, *asked)
    url = "https://example.org/news/alpha"
    async with Writer(tmp_path) as writer:
        await writer.begin_run("mirror", (url,), BASE)
        await writer.finish_run({"errors": [{"url": url, "reason": FORGOTTEN}]}, finished=True)
    for flags in ((), ("--failed",)):
        told = await asyncio.to_thread(slugline, "status", *flags, "--mirror", tmp_path)
        assert (told.exit_code, FORGOTTEN in told.stdout) == (0, False)


async def test_of_many_troubles_the_commonest_are_told(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with Writer(tmp_path) as writer:
        await writer.begin_run("sync", ("https://example.org/",), BASE)
        for number in range(8):
            writer.note_entry(
                EntryState(
                    site=SITE, url=f"https://example.org/news/{number}", verdict="failed",
                    slug="", why=f"reason {number}", checked_at=BASE, run="test",
                )
            )  # fmt: skip
        await writer.flush()
        shown = (await asyncio.to_thread(slugline, "status", "--mirror", tmp_path)).stdout
    assert shown.count("example.org: example.org fails 1 time: ") == 5
    assert "example.org: 4 more kinds of failure: see --failed" in shown
    began = "2026-06-19T09:13:50Z"
    assert f"last run: began {began}, not finished: it runs, or the next continues it" in shown
