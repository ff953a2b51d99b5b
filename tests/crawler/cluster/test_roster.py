"""The sites as a fleet sees them: when they are due, and what a job for one asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.cluster.roster import Roster, next_at
from crawler.config.settings import parse_config
from crawler.request import Original, RequestError

MOMENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def roster(text: str) -> Roster:
    return Roster(parse_config(text, {}), Path("news.toml"), Path("mirror"))


def two_sites(schedule: str = "") -> Roster:
    return roster(
        f"""
        [defaults]
        schedule = "{schedule}"
        [fetch]
        grace = 60
        processes = 4
        [[site]]
        url = "https://example.org/a/"
        name = "a"
        rate = 0.5
        [[site]]
        url = "https://example.org/b/"
        name = "b"
        schedule = "*/15 * * * *"
        [[site]]
        url = "https://example.net/"
        """
    )


def test_a_sites_own_line_goes_before_the_default_one() -> None:
    lines = two_sites("@daily").lines
    assert lines["https://example.org/b/"] == "*/15 * * * *"
    assert lines["https://example.org/a/"] == "@daily"


def test_without_any_line_sites_are_due_once_an_hour_each_at_a_minute_of_its_own() -> None:
    urls = [f"https://news{n}.example/" for n in range(300)]
    lines = roster("".join(f'[[site]]\nurl = "{url}"\n' for url in urls)).lines
    minutes = {line.partition(" ")[0] for line in lines.values()}
    assert all(line.endswith(" * * * *") for line in lines.values())
    assert len(minutes) > 50


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("*/15 * * * *", datetime(2026, 11, 23, 12, 15, tzinfo=UTC)),
        ("@daily", datetime(2026, 11, 24, tzinfo=UTC)),
        ("0 0 1 JAN-mar *", datetime(2027, 1, 1, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2026, 11, 29, tzinfo=UTC)),
    ],
)
def test_the_next_moment_of_a_line_is_told_in_utc(line: str, moment: datetime) -> None:
    assert next_at(line, MOMENT) == moment


def test_a_site_that_is_due_at_no_time_is_refused() -> None:
    with pytest.raises(RequestError, match=r"b is due at no time: schedule = '0 0 30 2 \*'"):
        roster('[[site]]\nurl="https://example.org/"\nname = "b"\nschedule = "0 0 30 2 *"')


def test_a_job_asks_for_one_site_and_keeps_the_pace_of_all_on_its_host() -> None:
    request = two_sites().sync("https://example.org/b/", grace=10)
    assert request.urls == ("https://example.org/b/",)
    assert [site.settings.rate for site in request.sites] == [0.5, 2.0]


def test_a_job_ends_in_time_and_starts_no_processes() -> None:
    settings = two_sites().sync("https://example.net/", grace=10).settings
    assert (settings.grace, settings.processes) == (10, 1)


def test_originals_are_not_named_by_the_user_and_must_have_public_addresses() -> None:
    original = Original(url="https://example.com/story", every=timedelta(days=30))
    request = two_sites().originals("example.com:443", [original], grace=10)
    assert (request.urls, request.sites) == ((), ())
    assert request.originals == (original,)


def test_a_site_is_found_by_name_and_by_url() -> None:
    sites = two_sites()
    assert sites.named("b") == sites.named("https://example.org/b/") == "https://example.org/b/"
    with pytest.raises(RequestError, match=r"'c' is no site of news\.toml"):
        sites.named("c")


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://example.org/a/story", True),
        ("https://example.org/c/story", False),
        ("https://example.net/story", True),
        ("https://example.com/story", False),
    ],
)
def test_an_original_on_one_of_the_sites_is_that_sites(url: str, ours: bool) -> None:
    assert two_sites().knows(url) is ours


def test_a_job_for_a_site_that_the_file_does_not_have_is_refused() -> None:
    with pytest.raises(RequestError, match=r"is no site of news\.toml"):
        two_sites().sync("https://example.com/", grace=10)
