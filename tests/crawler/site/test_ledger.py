"""What a site's runs leave for the next: failures known, work unfinished, turns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crawler.events import Failed, Stored
from crawler.site.ledger import KEY, LastRun, Ledger, last_run

AT = datetime(2026, 6, 19, 9, 13, 50, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
URL = "https://example.org/a"


class Shelf:
    """A writer's memory: what is remembered can be read by the next ledger."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}

    def remember(self, site: str, key: str, value: str) -> None:
        self.kept.setdefault(site, {})[key] = value

    def ledger(self, *sites: str) -> Ledger:
        before = {site: last_run(self.kept.get(site, {}).get(KEY)) for site in sites}
        return Ledger(before, self.remember)

    def last(self, site: str) -> LastRun:
        return last_run(self.kept[site].get(KEY))


def failure(url: str = URL) -> Failed:
    return Failed(at=AT, site="a", url=url, reason="it burns")


def run(shelf: Shelf, *failing: str, finished: bool = True, at: datetime = AT) -> list[bool]:
    """Run over all of site a; returns whether each failure was known."""
    ledger = shelf.ledger("a")
    ledger.begin("a", at)
    known = [ledger.judge(failure(url)).known for url in failing]
    ledger.end("a", at, finished=finished, good=finished)
    return known


def test_a_failure_is_new_once_and_new_again_after_it_went_well() -> None:
    shelf = Shelf()
    assert [run(shelf, URL), run(shelf, URL), run(shelf), run(shelf, URL)] == [
        [False], [True], [], [False],
    ]  # fmt: skip


def test_what_an_unfinished_run_did_not_ask_for_stays_known() -> None:
    shelf = Shelf()
    run(shelf, URL)
    run(shelf, finished=False)
    assert run(shelf, URL) == [True]


def test_work_is_unfinished_since_the_first_of_its_runs() -> None:
    shelf = Shelf()
    run(shelf, finished=False, at=AT)
    run(shelf, finished=False, at=LATER)
    assert shelf.last("a") == LastRun(unfinished_since=AT)
    run(shelf, at=LATER)
    assert shelf.last("a") == LastRun(good_at=LATER)


def test_a_run_that_was_killed_is_unfinished() -> None:
    shelf = Shelf()
    run(shelf, at=AT)
    shelf.ledger("a").begin("a", LATER)
    assert shelf.last("a") == LastRun(unfinished_since=LATER, good_at=AT)


def test_a_part_of_a_site_changes_nothing_but_its_failures() -> None:
    shelf = Shelf()
    run(shelf, finished=False)
    ledger = shelf.ledger("a")
    ledger.judge(failure())
    ledger.add("a")
    assert shelf.last("a") == LastRun(unfinished_since=AT, failures=(URL,))


def test_unfinished_sites_come_first_then_those_that_went_well_longest_ago() -> None:
    ledger = Ledger(
        {
            "late": LastRun(good_at=LATER),
            "early": LastRun(good_at=AT),
            "open": LastRun(good_at=LATER, unfinished_since=AT),
        },
        Shelf().remember,
    )
    assert sorted(["late", "new", "early", "open"], key=ledger.turn) == [
        "open", "new", "early", "late",
    ]  # fmt: skip


def test_a_missing_format_is_new_once_and_another_one_is_new_again() -> None:
    shelf, known = Shelf(), []
    for missing in (["markdown"], ["markdown"], ["markdown", "text"], [], ["text"]):
        ledger = shelf.ledger("a")
        ledger.begin("a", AT)
        known.append(ledger.weigh(stored(*missing)).known)
        ledger.end("a", AT, finished=True, good=True)
    assert known == [False, True, False, False, False]


def test_what_is_missing_stays_known_through_runs_that_store_nothing() -> None:
    shelf = Shelf()
    ledger = shelf.ledger("a")
    ledger.weigh(stored("markdown"))
    ledger.add("a")
    run(shelf)
    assert shelf.ledger("a").weigh(stored("markdown")).known


def stored(*missing: str) -> Stored:
    return Stored(
        at=AT,
        site="a",
        slug="a",
        url=URL,
        updated_at=AT,
        revision=0,
        reason="edit",
        state="partial" if missing else "complete",
        formats=("html",),
        missing=dict.fromkeys(missing, "the server answered 404"),
    )


def test_an_unreadable_note_is_none() -> None:
    assert last_run("{") == LastRun()
    assert last_run(None) == LastRun()
