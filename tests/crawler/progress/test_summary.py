"""The summary: a person reads what was kept, what is short and why, and what to type next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.events import ErrorLine, Failed, Passed, Stored, Summary
from crawler.progress.summary import render_summary
from crawler.progress.tally import Tally

T0 = datetime(2026, 6, 19, 8, 0, tzinfo=UTC)


def test_a_run_without_trouble() -> None:
    summary = Summary(
        run="r", sites=1, articles=2000, requests=8012, bytes=45_000_000, snapshots=2000, seconds=66
    )
    assert render_summary(summary, mirror="my news").splitlines() == [
        "Done: 2,000 articles on 1 site in 1 min 6 s, with 8,012 requests (42.9 MiB).",
        "  kept       2,000 new snapshots",
        "",
        "Read it: slugline list --mirror 'my news'",
        "         slugline log SLUG --mirror 'my news'",
        "Run it again to catch edits: an unannounced one is found within 30 days.",
    ]


def test_what_is_partial_or_failed_says_why_and_what_to_do() -> None:
    tally = Tally()
    for n in range(5):
        tally.take(
            Stored(
                at=T0,
                site="s",
                slug=str(n),
                url=f"https://h/{n}",
                updated_at=T0,
                revision=0,
                reason="first",
                state="partial",
                formats=("html",),
                missing={"text": "404"},
            )
        )
    tally.take(Failed(at=T0, site="s", url="https://h/old", reason="x", known=True))
    errors = (ErrorLine(url="https://h/x\x1b[2J", reason="answered 500"),)
    summary = Summary(
        run="r", sites=1, articles=9, requests=40, snapshots=5, unchanged=3, partial=5, failed=1,
        silent_edits=1, torn=1, gone=2, errors=errors, seconds=4,
    )  # fmt: skip
    assert render_summary(summary, tally).splitlines()[1:] == [
        "  kept       5 new snapshots, 1 silent edit among them",
        "  unchanged  3 articles",
        "  torn       1 article, whose formats still disagreed when read again",
        "  gone       2 articles; what was kept of them stays",
        "  partial    5 articles, kept without every declared format",
        "             5 x text is missing: 404",
        "               https://h/0",
        "               https://h/1",
        "               https://h/2",
        "               and 2 more",
        "  failed     1 article or document",
        "             1 x answered 500",
        "               https://h/x�[2J",
        "  as before  1 failure already known from earlier runs",
        "",
        "Run the same command again later: it asks first for what is missing.",
        "How much is short: slugline status --mirror mirror",
        "Read it: slugline list --mirror mirror",
        "         slugline log SLUG --mirror mirror",
        "Run it again to catch edits: an unannounced one is found within 30 days.",
    ]


def test_pages_that_are_no_article_are_counted_and_their_reasons_pointed_to() -> None:
    tally = Tally()
    for verdict in ("page", "page", "skipped", "dead link"):
        tally.take(Passed(at=T0, site="s", url="https://h/tags/", verdict=verdict, why="a list"))
    lines = render_summary(Summary(run="r1", sites=1), tally, mirror="my news").splitlines()
    assert lines[2] == "  no article 2 pages; why: 'my news/runs/r1.jsonl'"


def test_known_articles_that_were_not_there_are_counted() -> None:
    tally = Tally()
    tally.take(Passed(at=T0, site="s", url="https://h/a", verdict="not there", why="404"))
    lines = render_summary(Summary(run="r1", sites=1, articles=39), tally).splitlines()
    assert lines[2] == "  not there  1 known article, kept as it was; why: mirror/runs/r1.jsonl"


@pytest.mark.parametrize(
    ("verify", "found"),
    [
        ("all", "every article is compared, so that an unannounced one is found too."),
        ("due", "an unannounced one is found within 30 days."),
        ("none", "an unannounced one is not found (--verify none)."),
    ],
)
def test_it_is_said_when_an_edit_is_found_that_no_date_tells(verify: Any, found: str) -> None:
    told = render_summary(Summary(run="r", sites=1, articles=1), verify=verify)
    assert told.splitlines()[-1] == f"Run it again to catch edits: {found}"


def test_an_interrupted_run_says_that_it_goes_on() -> None:
    text = render_summary(Summary(run="r", sites=1), interrupted=True)
    assert text.startswith("Interrupted, and saved: 0 articles")
    assert "goes on where this run stopped" in text


def test_a_run_that_found_nothing_says_how_to_look() -> None:
    text = render_summary(Summary(run="r", sites=1, requests=3))
    assert "kept       nothing new" in text
    assert "No article was found: check the URL." in text
    assert text.endswith("What was asked, and what came:\n  mirror/runs/r.jsonl")


def test_many_reasons_end_in_a_number() -> None:
    errors = tuple(ErrorLine(url="https://h/", reason=f"reason {n}") for n in range(9))
    text = render_summary(Summary(run="r", errors=errors))
    assert "9 documents could not be had" in text
    assert "3 for other reasons" in text


def test_a_run_that_found_nothing_says_so_alone_and_names_the_empty_mirror_it_made() -> None:
    errors = (ErrorLine(url="https://h/x", reason="answered 404"),)
    summary = Summary(run="r", sites=1, articles=0, requests=2, failed=1, errors=errors, seconds=1)
    told = render_summary(summary, mirror="m", made=True).splitlines()
    assert told[-3:] == [
        "No article was found: see what failed, above. What was asked, and what came:",
        "  m/runs/r.jsonl",
        "The mirror m is new and empty: it may be removed.",
    ]
    assert not any("it asks first" in line for line in told)
    assert not any("removed" in line for line in render_summary(summary, mirror="m").splitlines())
