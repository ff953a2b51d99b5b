"""What a missing article means: two looks, a while apart, and never many at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from crawler.vanishing import (
    GONE_WAIT,
    Missed,
    Proofs,
    Sighting,
    ask_again,
    conclude,
    matches,
    moved_for_good,
    next_event,
    renamed,
    wait,
)
from storage.model import Payload
from tests.crawler.readings import NOW, first, says

DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def missing(count: int, status: int = 404) -> list[Sighting]:
    return [
        Sighting(slug=f"s{n}", url=f"https://news.example/s{n}", status=status, why="not there")
        for n in range(count)
    ]


def seen(ago: timedelta) -> Missed:
    return Missed(event="gone-seen", at=NOW - ago)


@pytest.mark.parametrize(
    ("before", "status", "event"),
    [
        (None, 404, "gone-seen"),
        (None, 410, "gone-seen"),
        (seen(DAY - SECOND), 404, None),
        (seen(DAY), 404, "gone"),
        (seen(HOUR - SECOND), 410, None),
        (seen(HOUR), 410, "gone"),
        (seen(DAY), 301, "gone"),
        (seen(-DAY), 404, None),
        (Missed(event="gone", at=NOW - 9 * DAY), 404, None),
    ],
)
def test_it_takes_two_looks_a_while_apart(
    before: Missed | None, status: int, event: str | None
) -> None:
    assert next_event(before, status, NOW, DAY) == event


def test_a_410_never_waits_longer_than_the_user_says() -> None:
    assert wait(410, timedelta(minutes=5)) == timedelta(minutes=5)
    assert wait(410, DAY) == GONE_WAIT
    assert wait(404, DAY) == DAY


@pytest.mark.parametrize(
    ("gone", "living", "concluded"), [(5, 1, 5), (6, 1, 0), (20, 980, 20), (21, 979, 0)]
)
def test_many_at_once_conclude_nothing(gone: int, living: int, concluded: int) -> None:
    found = conclude(missing(gone), {}, living=living, known=1000, now=NOW, gone_after=DAY)
    assert len(found.events) == concluded
    assert bool(found.mass) == (not concluded)


def test_those_seen_missing_before_do_not_stop_each_other() -> None:
    standing = {f"s{n}": seen(DAY) for n in range(30)}
    found = conclude(missing(30), standing, living=100, known=130, now=NOW, gone_after=DAY)
    assert {event for _, event in found.events} == {"gone"}


def test_where_nothing_at_all_is_found_nothing_is_concluded() -> None:
    for known, mass in ((5, False), (6, True)):
        found = conclude(missing(2), {}, living=0, known=known, now=NOW, gone_after=DAY)
        assert bool(found.mass) is mass


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.lists(st.sampled_from([None, "gone-seen", "gone"]), min_size=60, max_size=60),
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_nothing_is_gone_that_was_not_seen_gone_before(
    count: int, living: int, before: list[str | None], ago: timedelta
) -> None:
    standing = {
        f"s{n}": Missed(event="gone" if each == "gone" else "gone-seen", at=NOW - ago)
        for n, each in enumerate(before)
        if each
    }
    found = conclude(
        missing(count), standing, living=living, known=living + count, now=NOW, gone_after=DAY
    )
    for sighting, event in found.events:
        earlier = standing.get(sighting.slug)
        assert (event == "gone") == (earlier is not None)
        assert earlier is None or (earlier.event == "gone-seen" and ago >= DAY)
    assert not found.mass or not found.events


@pytest.mark.parametrize(
    ("verdict", "attempts", "age", "gone", "due"),
    [
        ("gone", 0, HOUR, False, True),
        ("gone", 0, HOUR - SECOND, False, False),
        ("gone", 0, 9 * DAY, True, False),
        ("failed", 1, SECOND, False, True),
        ("failed", 2, SECOND, False, False),
        ("failed", 2, HOUR, False, True),
        ("failed", 9, DAY, False, False),
        ("failed", 9, 7 * DAY, False, True),
        ("skipped", 0, 9 * DAY, False, False),
    ],
)
def test_what_failed_is_asked_again_ever_more_rarely(
    verdict: str, attempts: int, age: timedelta, gone: bool, due: bool
) -> None:
    assert ask_again(verdict, attempts, age, gone=gone, gone_after=DAY) is due


def hops(*statuses: int) -> tuple[Payload, ...]:
    url = "https://news.example/a"
    return tuple(Payload(role="hop", url=url, status=each, fetched_at=NOW) for each in statuses)


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [((), False), ((301,), True), ((308, 301), True), ((302,), False), ((301, 302), False)],
)
def test_only_redirects_for_good_are_moves(statuses: tuple[int, ...], moved: bool) -> None:
    assert moved_for_good(hops(*statuses)) is moved


def test_the_same_title_or_the_same_words_are_the_same_article() -> None:
    newest = first(says("markdown", body="Words."))
    record = newest.record
    assert record is not None
    other = {"title": "Another", "body_md": "Else."}
    assert matches(newest, structs.replace(record, body_md="Else."))
    assert matches(newest, structs.replace(record, title="Another"))
    assert not matches(newest, structs.replace(record, **other))
    assert matches(newest, structs.replace(record, **other), newest.content)
    nothing = structs.replace(record, title=None, body_md=None)
    empty = structs.replace(newest, record=nothing, content={})
    assert not matches(empty, nothing)
    assert not matches(structs.replace(newest, record=None), record)


def test_the_same_slug_and_publication_date_are_a_rename() -> None:
    newest = first(says("markdown"))
    assert newest.record is not None
    dated = structs.replace(newest.record, published_at=NOW)
    newest = structs.replace(newest, record=dated)
    assert renamed(newest, "bridge", dated)
    assert not renamed(newest, "another", dated)
    assert not renamed(newest, None, dated)
    assert not renamed(newest, "bridge", structs.replace(dated, published_at=NOW - DAY))
    undated = structs.replace(dated, published_at=None)
    assert not renamed(structs.replace(newest, record=undated), "bridge", undated)


def test_evidence_weighs_what_its_bodies_weigh() -> None:
    answers = (*hops(301), structs.replace(hops(404)[0], body=b"12345"))
    assert Proofs(payloads=answers).size == 5
