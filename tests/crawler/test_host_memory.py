"""What a mirror remembers of hosts: as long as it holds, and no more than is worth keeping."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from crawler.host_memory import MOST_ROBOTS, NOT_BEFORE, HostMemory, changes, recall
from crawler.robots_cache import RobotsEntry
from tests.crawler.fetching import NOW

HOUR = timedelta(hours=1)
ORIGIN = "https://site.example"
ENTRY = RobotsEntry(origin=ORIGIN, status=200, body=b"User-agent: *\n\xff", fetched_at=NOW)


def learned(
    robots: list[RobotsEntry], not_before: dict[str, datetime], leads: dict[str, str] | None = None
) -> HostMemory:
    return HostMemory(robots=tuple(robots), not_before=not_before, leads=leads or {})


def test_what_is_left_is_found_again() -> None:
    stored = dict(changes({}, learned([ENTRY], {"site.example:443": NOW + HOUR}), NOW))
    found = recall(stored, robots=True)
    assert found == HostMemory(robots=(ENTRY,), not_before={"site.example:443": NOW + HOUR})


def test_a_run_that_asks_for_everything_still_knows_when_hosts_want_to_be_left_alone() -> None:
    stored = dict(changes({}, learned([ENTRY], {"site.example:443": NOW + HOUR}), NOW))
    found = recall(stored, robots=False)
    assert found.robots == ()
    assert found.not_before


def test_only_what_is_new_is_written() -> None:
    stored = dict(changes({}, learned([ENTRY], {"h:80": NOW + HOUR}), NOW))
    assert dict(changes(stored, learned([ENTRY], {"h:80": NOW + HOUR}), NOW)) == {}


def test_what_another_run_learned_stays_while_it_holds() -> None:
    stored = dict(changes({}, learned([ENTRY], {}), NOW))
    assert dict(changes(stored, learned([], {}), NOW + HOUR)) == {}
    (change,) = changes(stored, learned([], {}), NOW + 25 * HOUR)
    assert change == (f"robots {ORIGIN}", "")


def test_a_moment_that_is_over_is_forgotten() -> None:
    stored = dict(changes({}, learned([], {"h:80": NOW + HOUR}), NOW))
    assert dict(changes(stored, learned([], {"h:80": NOW + HOUR}), NOW + HOUR)) == {NOT_BEFORE: ""}


def test_an_immense_file_is_not_kept() -> None:
    immense = RobotsEntry(origin=ORIGIN, status=200, body=b"#" * (MOST_ROBOTS + 1), fetched_at=NOW)
    assert dict(changes({}, learned([immense], {}), NOW)) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"origin": 1}'])
def test_what_another_version_wrote_is_as_good_as_nothing(text: str) -> None:
    stored = {f"robots {ORIGIN}": text, NOT_BEFORE: text}
    assert recall(stored, robots=True) == HostMemory()
    assert dict(changes(stored, learned([], {}), NOW)).keys() <= stored.keys()


def test_where_a_start_url_led_is_found_again() -> None:
    stored = dict(changes({}, learned([], {}, {f"{ORIGIN}/": "https://www.site.example/"}), NOW))
    assert recall(stored, robots=True).leads == {f"{ORIGIN}/": "https://www.site.example/"}
