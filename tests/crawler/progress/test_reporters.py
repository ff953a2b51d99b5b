"""The reporters: what each writes of a run, and that no site's words steer the terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from crawler import events
from crawler.progress.reporters import PLAIN_MOST, JsonLog, PlainProgress, Quiet, Reporter

T0 = datetime(2026, 6, 19, 8, 0, tzinfo=UTC)
SITE = "news.example"
HOSTILE = "\x1b]0;owned\x07[red]x\u202e\r\nnew line"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def url(name: str) -> str:
    return f"https://{SITE}/news/{name}"


def started(seconds: float = 0) -> events.RunStarted:
    scope = (f"https://{SITE}/",)
    return events.RunStarted(at=at(seconds), run="r1", command="mirror", scopes=scope)


def stored(seconds: float, name: str, **parts: object) -> events.Stored:
    values: dict[str, object] = {
        "at": at(seconds), "site": SITE, "slug": name, "url": url(name), "updated_at": T0,
        "revision": 0, "reason": "first", "state": "complete", "formats": ("html", "markdown"),
    }  # fmt: skip
    return msgspec.convert(values | parts, events.Stored, strict=False, from_attributes=True)


def failed(seconds: float, name: str, *, known: bool = False) -> events.Failed:
    reason = "answered 500 four times"
    return events.Failed(at=at(seconds), site=SITE, url=url(name), reason=reason, known=known)


def waiting(seconds: float, wait: float) -> events.Waiting:
    return events.Waiting(at=at(seconds), host=f"{SITE}:443", seconds=wait, why="it answered 429")


def answered(seconds: float, status: int = 200) -> events.Requested:
    return events.Requested(at=at(seconds), url=url("a"), status=status, size=2048)


def finished(seconds: float, *, interrupted: bool = False) -> events.RunFinished:
    summary = events.Summary(run="r1", sites=1, articles=3, snapshots=2)
    return events.RunFinished(at=at(seconds), summary=summary, interrupted=interrupted)


A_RUN: tuple[events.Event, ...] = (
    started(),
    events.SiteStarted(at=at(0), site=SITE, scope=f"https://{SITE}/", rate=2.0),
    events.Discovered(at=at(1), site=SITE, source="sitemap", url=url("s.xml"), count=4, new=4),
    events.Began(at=at(1), site=SITE, url=url("a")),
    answered(1.5),
    stored(2, "a"),
    stored(3, "b", reason="silent-edit", revision=1),
    stored(4, "c", state="partial", missing={"text": "answered 404"}),
    failed(5, "d"),
    failed(5, "known", known=True),
    events.Unchanged(at=at(5), site=SITE, slug="e", url=url("e")),
    events.Passed(at=at(5), site=SITE, url=url(""), verdict="page", why="a list"),
    events.Happened(at=at(5), site=SITE, slug="f", url=url("f"), event="gone-seen"),
    waiting(6, 30),
    waiting(6, 0.5),
    events.Note(at=at(6), message="The feed was not looked at.", site=SITE),
    finished(7),
)


def report(reporter: Reporter, run: tuple[events.Event, ...] = A_RUN) -> None:
    for event in run:
        reporter(event)
    reporter.close()


def test_plain_lines_tell_what_is_worth_reading() -> None:
    stream = io.StringIO()
    report(PlainProgress(stream))
    assert stream.getvalue().splitlines() == [
        "08:00:00Z mirror https://news.example/",
        "08:00:00Z https://news.example/: at most 2 requests/s",
        "08:00:01Z sitemap https://news.example/news/s.xml: 4 URLs",
        f"08:00:03Z silent edit: {url('b')}: other words under the same date 2026-06-19 08:00:00Z",
        "08:00:04Z partial: https://news.example/news/c: text: answered 404",
        "08:00:05Z failed: https://news.example/news/d: answered 500 four times",
        "08:00:05Z gone-seen: https://news.example/news/f",
        "08:00:06Z waits 30 s: news.example:443: it answered 429",
        "08:00:06Z news.example: The feed was not looked at.",
        "08:00:07Z finished: 3 articles, 2 new snapshots",
    ]


def test_plain_progress_comes_every_ten_seconds_of_the_run() -> None:
    stream = io.StringIO()
    report(PlainProgress(stream), (started(), *(stored(n, str(n)) for n in range(25))))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("08:00:10Z 11 of 11 pages, ")


def test_plain_lines_are_throttled_and_the_rest_is_counted() -> None:
    stream = io.StringIO()
    failures = tuple(failed(1, str(n)) for n in range(PLAIN_MOST + 5))
    report(PlainProgress(stream), (started(), *failures, failed(11, "later"), finished(12)))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1 + PLAIN_MOST + 1 + 1 + 1 + 1
    assert "08:00:11Z and 5 lines more like these, not shown" in lines


def test_plain_says_at_the_end_what_it_left_out() -> None:
    stream = io.StringIO()
    report(PlainProgress(stream), tuple(failed(1, str(n)) for n in range(PLAIN_MOST + 1)))
    assert stream.getvalue().splitlines()[-1] == "08:00:01Z and 1 line more like these, not shown"


def test_json_log_is_one_object_a_line_that_reads_back() -> None:
    stream = io.StringIO()
    report(JsonLog(stream))
    decoder = msgspec.json.Decoder(events.Event)
    read = [decoder.decode(line) for line in stream.getvalue().splitlines()]
    assert tuple(read) == A_RUN
    assert '"type":"run-finished"' in stream.getvalue()


def test_quiet_says_only_trouble() -> None:
    stream = io.StringIO()
    report(Quiet(stream))
    assert stream.getvalue().splitlines() == [
        "slugline: partial: https://news.example/news/c: text: answered 404",
        "slugline: failed: https://news.example/news/d: answered 500 four times",
    ]


def test_an_interruption_is_said_even_quietly() -> None:
    stream = io.StringIO()
    report(Quiet(stream), (finished(1, interrupted=True),))
    assert stream.getvalue() == "slugline: interrupted: what is done is saved\n"


@pytest.mark.parametrize("kind", ["plain", "quiet"])
def test_what_a_site_wrote_cannot_steer_the_terminal(kind: str) -> None:
    event = events.Failed(at=at(0), site=SITE, url=url("x"), reason=HOSTILE)
    stream = io.StringIO()
    report(PlainProgress(stream) if kind == "plain" else Quiet(stream), (event,))
    assert "\x1b]0;" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert "[red]x" in stream.getvalue()
