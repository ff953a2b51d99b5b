"""The counters: events in, state out, the same however they are grouped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import events
from crawler.progress.tally import ENOUGH_FOR_ETA, MOST_HOSTS, MOST_MOMENTS, MOST_TROUBLES, Tally

T0 = datetime(2026, 6, 19, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def began(seconds: float) -> events.Began:
    return events.Began(at=at(seconds), site="s", url="http://h/a")


def unchanged(seconds: float) -> events.Unchanged:
    return events.Unchanged(at=at(seconds), site="s", slug="a", url="http://h/a")


def found(new: int) -> events.Discovered:
    return events.Discovered(
        at=T0, site="s", source="sitemap", url="http://h/s", count=new, new=new
    )


def answer(seconds: float, host: str = "h:80", status: int = 200) -> events.Requested:
    return events.Requested(at=at(seconds), url=f"http://{host}/a", status=status, size=10)


def run_start() -> events.RunStarted:
    return events.RunStarted(at=T0, run="r", command="mirror", scopes=("http://h/",))


def tally_of(*run: events.Event) -> Tally:
    tally = Tally()
    for event in run:
        tally.take(event)
    return tally


def test_known_is_what_was_named_and_never_less_than_done() -> None:
    tally = tally_of(found(3), began(0), began(0), unchanged(1))
    assert (tally.known, tally.done, tally.in_hand) == (3, 1, 1)
    assert tally_of(began(0), unchanged(1), unchanged(2)).known == 2


def test_rate_counts_the_last_seconds_only() -> None:
    tally = tally_of(run_start(), *(answer(n / 10) for n in range(200)))
    assert tally.rate(at(20)) == 10
    assert tally.rate(at(60)) == 0
    assert tally_of(run_start(), answer(0.1)).rate(at(0.2)) == 1


def test_rate_stays_right_when_there_are_more_answers_than_are_kept() -> None:
    tally = tally_of(run_start(), *(answer(n / 2000) for n in range(3 * MOST_MOMENTS)))
    assert tally.latest is not None
    assert abs(tally.rate(tally.latest) - 2000) < 20


def test_time_left_needs_some_articles_and_some_left() -> None:
    few = tally_of(run_start(), found(100), unchanged(1))
    assert few.seconds_left(at(2)) is None
    steady = tally_of(
        run_start(), found(100), *(unchanged(n) for n in range(1, ENOUGH_FOR_ETA + 3))
    )
    assert steady.seconds_left(at(10)) == 90
    assert tally_of(run_start(), *(unchanged(n) for n in range(20))).seconds_left(at(20)) is None


def test_a_waiting_host_waits_until_its_time() -> None:
    wait = events.Waiting(at=T0, host="h:80", seconds=30, why="429")
    other = events.Waiting(at=T0, host="g:80", seconds=60, why="503")
    tally = tally_of(answer(0), wait, other)
    assert [host.name for host in tally.waiting(at(10))] == ["g:80", "h:80"]
    assert [host.name for host in tally.waiting(at(30))] == ["g:80"]
    assert tally.hosts["h:80"].waits(at(10)) == 20


def test_what_is_kept_in_words_is_bounded_and_counts_go_on() -> None:
    tally = Tally()
    for n in range(MOST_HOSTS + 5):
        tally.take(answer(0, f"h{n}:80", 0))
    for n in range(MOST_TROUBLES + 5):
        tally.take(events.Failed(at=T0, site="s", url=f"http://h/{n}", reason="no answer"))
        missing = {"text": "answered 404"}
        tally.take(
            events.Stored(
                at=T0,
                site="s",
                slug=str(n),
                url="http://h/",
                updated_at=T0,
                revision=0,
                reason="first",
                state="partial",
                formats=("html",),
                missing=missing,
            )
        )
    assert (len(tally.hosts), tally.requests) == (MOST_HOSTS, MOST_HOSTS + 5)
    assert (len(tally.failures), tally.failed) == (MOST_TROUBLES, MOST_TROUBLES + 5)
    assert (len(tally.partials), tally.partial) == (MOST_TROUBLES, MOST_TROUBLES + 5)
    assert tally.hosts["h0:80"].troubles == 1


def test_a_failure_already_known_is_counted_apart() -> None:
    tally = tally_of(events.Failed(at=T0, site="s", url="http://h/", reason="x", known=True))
    assert (tally.failed, tally.failed_before, tally.done) == (0, 1, 1)


def test_the_end_keeps_the_summary() -> None:
    summary = events.Summary(run="r", articles=4)
    end = events.RunFinished(at=at(9), summary=summary, interrupted=True)
    tally = tally_of(run_start(), end)
    assert (tally.finished, tally.interrupted, tally.latest) == (summary, True, at(9))


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from((began(0), unchanged(1), found(2), answer(1), answer(1, status=500))),
        max_size=40,
    )
)
def test_counts_hold_together_in_any_order(run: list[events.Event]) -> None:
    tally = tally_of(*run)
    assert tally.known >= tally.done + tally.in_hand
    assert tally.in_hand >= 0
    assert tally.rate(at(2)) >= 0
    assert sum(host.requests for host in tally.hosts.values()) == tally.requests
