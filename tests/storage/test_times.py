"""Dates: what each grammar takes, what it refuses, and when two are one moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.date_forms import USUAL
from storage.model import Stamp, Unit
from storage.times import (
    MAX_DATE,
    WhenError,
    finer,
    format_seed,
    format_utc,
    parse_declared,
    parse_http_date,
    parse_rfc3339,
    parse_when,
    plausible,
    same_moment,
)

NOW = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=3_650_000)).map(
    lambda since: datetime(2, 1, 1, tzinfo=UTC) + since
)
OFFSETS = st.integers(min_value=-1439, max_value=1439)


def utc(year: int, month: int, day: int, *clock: int) -> datetime:
    hour, minute, second, microsecond = (*clock, 0, 0, 0, 0)[:4]
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)


def stamp(text: str) -> Stamp:
    found = parse_declared(text)
    assert found is not None, text
    return found


# RFC 3339


@pytest.mark.parametrize(
    ("text", "at", "unit", "offset"),
    [
        ("1985-04-12T23:20:50.52Z", utc(1985, 4, 12, 23, 20, 50, 520000), "millisecond", 0),
        ("1996-12-19T16:39:57-08:00", utc(1996, 12, 20, 0, 39, 57), "second", -480),
        ("1963-06-19t08:30:06.283185z", utc(1963, 6, 19, 8, 30, 6, 283185), "microsecond", 0),
        ("2026-06-19 08:09:44+00:00", utc(2026, 6, 19, 8, 9, 44), "second", 0),
        ("2026-06-19T08:09:44-00:00", utc(2026, 6, 19, 8, 9, 44), "second", 0),
        ("2026-06-19T08:09:44.1234569Z", utc(2026, 6, 19, 8, 9, 44, 123456), "microsecond", 0),
        ("2026-06-19T08:09:44+23:59", utc(2026, 6, 18, 8, 10, 44), "second", 1439),
        ("1990-12-31T23:59:60Z", utc(1990, 12, 31, 23, 59, 59), "second", 0),
        ("1998-12-31T15:59:60.123-08:00", utc(1998, 12, 31, 23, 59, 59), "second", -480),
        ("2000-02-29T00:00:00Z", utc(2000, 2, 29), "second", 0),
    ],
)
def test_rfc3339_is_read_to_the_microsecond(
    text: str, at: datetime, unit: Unit, offset: int
) -> None:
    assert parse_rfc3339(text) == Stamp(at=at, unit=unit, offset=offset)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-06-19",
        "2026-06-19T08:09:44",
        "2026-06-19T08:09Z",
        "2026-06-19T08:09:44+0000",
        "2026-06-19T08:09:44+00",
        "2026-06-19T08:09:44,5Z",
        "2026-06-19T08:09:44.Z",
        "2026-06-19T24:00:00Z",
        "2026-06-19T08:60:00Z",
        "2026-06-19T08:09:61Z",
        "2026-06-19T08:09:60Z",
        "1998-12-31T22:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-6-19T08:09:44Z",
        "+12026-06-19T08:09:44Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "2026-06-19T08:09:44+24:00",
        "2026-06-19T08:09:44+99:99",
        "2026-06-19T08:09:44+01:60",
        "2026-06-19T08:09:44Z+00:00",
        "2026-06-19T08:09:44Z\n",
        " 2026-06-19T08:09:44Z",
        "2026-06-19_08:09:44Z",
        "2026-W25-5T08:09:44Z",
        "2026-170T08:09:44Z",
        "20260619T080944Z",
        "\u0968\u0966\u0968\u096c-\u0966\u096c-\u0967\u096fT08:09:44Z",
        "2026-06-1\uff19T08:09:44Z",
        "2026-06-19T08:09:44." + "1" * 10_000_000 + "Z",
    ],
    ids=lambda text: repr(text[:40]),
)
def test_what_is_not_rfc3339_is_refused(text: str) -> None:
    assert parse_rfc3339(text) is None


@given(MOMENTS, OFFSETS)
def test_every_zone_of_a_moment_is_that_moment(moment: datetime, offset: int) -> None:
    text = moment.astimezone(timezone(timedelta(minutes=offset))).isoformat()
    found = parse_rfc3339(text)
    assert found is not None
    assert (found.at, found.offset) == (moment, offset)


# RFC 9110


@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_the_three_http_dates_are_one_moment(text: str) -> None:
    expected = Stamp(at=utc(1994, 11, 6, 8, 49, 37), unit="second", offset=0)
    assert parse_http_date(text) == expected
    assert parse_declared(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "0",
        "-1",
    ],
)
def test_what_is_not_an_http_date_is_refused(text: str) -> None:
    assert parse_http_date(text) is None


def test_a_two_digit_http_year_is_at_most_fifty_years_ahead() -> None:
    old, new = "Sunday, 06-Nov-77 08:49:37 GMT", "Sunday, 06-Nov-76 08:49:37 GMT"
    assert [parse_http_date(text) for text in (old, new)] == [
        Stamp(at=utc(1977, 11, 6, 8, 49, 37), unit="second", offset=0),
        Stamp(at=utc(2076, 11, 6, 8, 49, 37), unit="second", offset=0),
    ]


# what publishers write


@pytest.mark.parametrize(
    ("text", "at", "unit", "offset"),
    [
        ("2026-06-19 09:13:50.166750+00:00", utc(2026, 6, 19, 9, 13, 50, 166750), "microsecond", 0),
        ("2026-06-19T10:09:44+0200", utc(2026, 6, 19, 8, 9, 44), "second", 120),
        ("2026-06-19T10:09:44+02", utc(2026, 6, 19, 8, 9, 44), "second", 120),
        ("2026-06-19T08:09:44,5Z", utc(2026, 6, 19, 8, 9, 44, 500000), "millisecond", 0),
        ("2026-06-19T08:09:44", utc(2026, 6, 19, 8, 9, 44), "second", None),
        ("2026-06-19 08:09", utc(2026, 6, 19, 8, 9), "minute", None),
        ("2026-06-19T10:09+02:00", utc(2026, 6, 19, 8, 9), "minute", 120),
        ("2026-06-19 10:09:44 +0200", utc(2026, 6, 19, 8, 9, 44), "second", 120),
        (
            "2026-06-19 10:09:44.25 +0200 CEST",
            utc(2026, 6, 19, 8, 9, 44, 250000),
            "millisecond",
            120,
        ),
        ("2026-06-19 08:09:44 UTC", utc(2026, 6, 19, 8, 9, 44), "second", 0),
        ("20260619T080944Z", utc(2026, 6, 19, 8, 9, 44), "second", 0),
        ("20260619T0809", utc(2026, 6, 19, 8, 9), "minute", None),
        ("  2026-06-19\n", utc(2026, 6, 19), "day", None),
        ("20260619", utc(2026, 6, 19), "day", None),
        ("2026-06-19+02:00", utc(2026, 6, 18, 22), "day", 120),
        ("2026-06", utc(2026, 6, 1), "month", None),
        ("2026", utc(2026, 1, 1), "year", None),
        ("Fri, 19 Jun 2026 10:09:44 +0200", utc(2026, 6, 19, 8, 9, 44), "second", 120),
        ("Fri, 19 Jun 2026 04:09:44 EDT", utc(2026, 6, 19, 8, 9, 44), "second", -240),
        ("fri, 19 jun 2026 08:09:44 gmt", utc(2026, 6, 19, 8, 9, 44), "second", 0),
        ("19 Jun 26 08:09 UT", utc(2026, 6, 19, 8, 9), "minute", 0),
        ("Fri, 19 June 2026 08:09:44 Z (noon)", utc(2026, 6, 19, 8, 9, 44), "second", 0),
        ("Fri, 19 Jun 2026 08:09:44 CEST", utc(2026, 6, 19, 8, 9, 44), "second", None),
        ("Fri, 19 Jun 2026 08:09:44 A", utc(2026, 6, 19, 8, 9, 44), "second", None),
        ("Fri, 19 Jun 2026 08:09:44", utc(2026, 6, 19, 8, 9, 44), "second", None),
        ("19 Jun 2026", utc(2026, 6, 19), "day", None),
        ("1 Jan 126 00:00 GMT", utc(2026, 1, 1), "minute", 0),
        ("1 Jan 98 00:00 GMT", utc(1998, 1, 1), "minute", 0),
    ],
)
def test_publishers_dates_are_read_with_unit_and_zone(
    text: str, at: datetime, unit: Unit, offset: int | None
) -> None:
    assert parse_declared(text) == Stamp(at=at, unit=unit, offset=offset)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "yesterday",
        "03/04/2026",
        "2026/06/19",
        "06-19-2026",
        "19.06.2026",
        "1781856584",
        "202606",
        "2026-6-9",
        "2026-00",
        "2026-02-30",
        "0000",
        "0000-00-00 00:00:00",
        "2026-06-19T08",
        "2026-06-19T08:09:44+99:99",
        "2026-06-19T08:09:44+24",
        "2026-06-19T08:09:44 PM",
        "19 Jun 2026 08:09 PM",
        "19 Jun 2026 8:09 PM",
        "19 Jun 26",
        "Foo, 19 Jun 2026 08:09:44 GMT",
        "19 Brumaire 2026",
        "32 Jun 2026 08:09:44 GMT",
        "June 19, 2026",
        "2026-W25-5",
        "2026-170",
        "9" * 10_000_000,
        " " * 10_000_000 + "2026-06-19",
        "2026-06-19T08:09:44." + "9" * 5_000,
        "٢٠٢٦-٠٦-١٩",
        "\x00",
        "\ud800",
    ],
    ids=lambda text: ascii(text[:40]),
)
def test_what_could_be_two_dates_or_none_is_none(text: str) -> None:
    assert parse_declared(text) is None


@given(st.text(max_size=MAX_DATE + 2) | st.text("0123456789-+:., TZGMTJunFri()", max_size=40))
def test_no_text_makes_a_reader_raise(text: str) -> None:
    for reader in (parse_rfc3339, parse_http_date, parse_declared):
        found = reader(text)
        assert found is None or found.at.utcoffset() == timedelta()


@given(st.from_regex(USUAL, fullmatch=True))
def test_the_usual_form_means_what_rfc_3339_says(text: str) -> None:
    assert parse_declared(text) == parse_rfc3339(text)


@given(MOMENTS)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    for text in (format_utc(moment), format_seed(moment)):
        found = parse_declared(text)
        assert found is not None
        assert found.at == moment


# two values


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("2026-06-19T08:09:44Z", "2026-06-19T10:09:44+02:00"),
        ("2026-06-19T08:09:44Z", "2026-06-19T08:09:44.499999Z"),
        ("2026-06-19T08:09:44Z", "2026-06-19T08:09:44.999999Z"),
        ("2026-06-19T08:09:45Z", "2026-06-19T08:09:44.500000Z"),
        ("2026-06-19T08:09:44.166Z", "2026-06-19T08:09:44.166750Z"),
        ("2026-06-19T08:09Z", "2026-06-19T08:09:59.999Z"),
        ("2026-06-19", "2026-06-19T00:30:00+02:00"),
        ("2026-06-19", "2026-06-19T23:59:59"),
        ("2026-06-18", "2026-06-18T22:30:00Z"),
        ("2026-06-19+02:00", "2026-06-18T22:30:00Z"),
        ("2026-06", "2026-06-01T00:30:00+02:00"),
        ("2026", "2026-06-19"),
        ("2026-06-19", "2026-06-19-05:00"),
        ("2026-06-19T08:09:44", "2026-06-19T08:09:44Z"),
        ("2026-06-19T10:09:44", "2026-06-19T10:09:44+02:00"),
        ("2026-06-19T08:09", "2026-06-19T10:09:44+02:00"),
        ("2026-06-19T08:09:44", "2026-06-19T08:09:44.9"),
    ],
)
def test_one_moment_written_twice_is_the_same(a: str, b: str) -> None:
    assert same_moment(stamp(a), stamp(b))
    assert same_moment(stamp(b), stamp(a))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("2026-06-19T08:09:44Z", "2026-06-19T08:09:45Z"),
        ("2026-06-19T08:09:45Z", "2026-06-19T08:09:44.499999Z"),
        ("2026-06-19T08:09:43Z", "2026-06-19T08:09:44.500000Z"),
        ("2026-06-19T08:09:44.167Z", "2026-06-19T08:09:44.166750Z"),
        ("2026-06-19T08:10Z", "2026-06-19T08:09:59.999Z"),
        ("2026-06-18", "2026-06-19T00:30:00+02:00"),
        ("2026-06-19", "2026-06-18T22:30:00Z"),
        ("2026-06-19+02:00", "2026-06-19-05:00"),
        ("2026-05", "2026-06-01T00:30:00+02:00"),
        ("2026-06-19T08:09:44", "2026-06-19T09:09:44Z"),
        ("2026-06-19T08:09:44Z", "2026-06-19T08:09:44+02:00"),
    ],
)
def test_two_moments_are_not_the_same(a: str, b: str) -> None:
    assert not same_moment(stamp(a), stamp(b))
    assert not same_moment(stamp(b), stamp(a))


WRITTEN = st.builds(
    lambda moment, size, zone: stamp(moment.isoformat()[:size] + (zone if size > 7 else "")),
    st.datetimes(datetime.fromisoformat("2026-06-18"), datetime.fromisoformat("2026-06-20")),
    st.sampled_from([4, 7, 10, 16]),
    st.sampled_from(["", "Z", "+02:00", "-05:00", "+14:00", "-12:00"]),
)


@given(WRITTEN, WRITTEN)
def test_sameness_has_no_direction(a: Stamp, b: Stamp) -> None:
    assert same_moment(a, b) is same_moment(b, a)
    assert same_moment(a, a)


@given(
    st.builds(
        Stamp,
        at=st.datetimes(timezones=st.just(UTC)),
        unit=st.sampled_from(
            ["year", "month", "day", "minute", "second", "millisecond", "microsecond"]
        ),
        offset=st.none() | OFFSETS,
    ),
    st.none() | OFFSETS,
)
def test_comparing_never_raises_even_at_the_ends_of_time(one: Stamp, offset: int | None) -> None:
    edge = Stamp(at=datetime.max.replace(tzinfo=UTC), unit="microsecond", offset=offset)
    assert same_moment(one, edge) in (True, False)
    assert same_moment(edge, one) is same_moment(one, edge)


def test_the_finer_stamp_wins_and_the_first_on_a_tie() -> None:
    day, second = stamp("2026-06-19"), stamp("2026-06-19T08:09:44Z")
    other = stamp("2026-06-19T08:09:45Z")
    assert finer(day, second) is second
    assert finer(second, day) is second
    assert finer(second, other) is second


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(1990, 1, 1), True),
        (utc(1990, 1, 1) - timedelta(microseconds=1), False),
        (NOW + timedelta(hours=24), True),
        (NOW + timedelta(hours=24, microseconds=1), False),
        (datetime.max.replace(tzinfo=UTC), False),
    ],
)
def test_plausible_is_from_1990_to_a_day_ahead(at: datetime, *, expected: bool) -> None:
    assert plausible(Stamp(at=at, unit="microsecond"), NOW) is expected


# writing


def test_moments_are_written_in_utc_with_six_digits_or_none() -> None:
    whole = datetime(2026, 6, 19, 10, 9, 44, tzinfo=timezone(timedelta(hours=2)))
    part = whole.replace(microsecond=166750)
    assert format_utc(whole) == "2026-06-19T08:09:44Z"
    assert format_utc(part) == "2026-06-19T08:09:44.166750Z"
    assert format_seed(whole) == "2026-06-19 08:09:44+00:00"
    assert format_seed(part) == "2026-06-19 08:09:44.166750+00:00"


def test_a_moment_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        format_utc(NOW.replace(tzinfo=None))


# a user's WHEN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-19", utc(2026, 6, 19, 23, 59, 59, 999999)),
        ("9999-12-31", datetime.max.replace(tzinfo=UTC)),
        ("2026-06-19T08:09:44Z", utc(2026, 6, 19, 8, 9, 44)),
        ("2026-06-19T10:09:44.5+02:00", utc(2026, 6, 19, 8, 9, 44, 500000)),
        (" 2026-06-19 08:09 ", utc(2026, 6, 19, 8, 9)),
        ("2026-06-19T08:09:44.166750", utc(2026, 6, 19, 8, 9, 44, 166750)),
        ("now", NOW),
    ],
)
def test_when_is_read_as_a_moment_in_utc(text: str, expected: datetime) -> None:
    assert parse_when(text, NOW) == expected


def test_when_a_day_is_a_start_its_first_moment_counts() -> None:
    assert parse_when("2026-06-19", NOW, start=True) == utc(2026, 6, 19)


@pytest.mark.parametrize("text", ["", "2026", "2026-06", "2026-02-30", "19/06/2026", "noon", "r1"])
def test_a_wrong_when_is_named_with_what_is_allowed(text: str) -> None:
    with pytest.raises(WhenError) as caught:
        parse_when(text, NOW)
    assert repr(text) in str(caught.value)
    assert "2026-06-19T08:09:44Z" in str(caught.value)


def test_a_huge_when_is_refused_in_a_short_sentence() -> None:
    with pytest.raises(WhenError) as caught:
        parse_when("2" * 1_000_000, NOW)
    assert len(str(caught.value)) < 500
