"""The drawing on a terminal: what it shows, and that it leaves the terminal as it was."""

from __future__ import annotations

import io

from rich.console import Console

from crawler import events
from crawler.progress.drawing import RichProgress
from tests.crawler.progress.test_reporters import (
    A_RUN,
    HOSTILE,
    SITE,
    answered,
    at,
    report,
    url,
    waiting,
)


def terminal() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=True, width=100, _environ={}), stream


def drawn(progress: RichProgress) -> str:
    console = Console(file=io.StringIO(), width=100, _environ={})
    with console.capture() as capture:
        console.print(progress.draw())
    return capture.get()


def test_the_drawing_shows_progress_hosts_and_waits() -> None:
    console, _ = terminal()
    progress = RichProgress(console, clock=lambda: at(10))
    for event in A_RUN[:-1]:
        progress.tally.take(event)
    progress.tally.take(waiting(9, 30))
    text = drawn(progress)
    assert "7 of 7 pages" in text
    assert "3 kept, 1 unchanged" in text
    assert "1 partial, 1 failed" in text
    assert "news.example:443  1  waits 29 s: it answered 429" in text


def test_the_drawing_shows_errors_and_many_hosts() -> None:
    console, _ = terminal()
    progress = RichProgress(console, clock=lambda: at(1))
    progress.tally.take(answered(0, 503))
    for n in range(7):
        progress.tally.take(events.Requested(at=at(0), url=f"http://h{n}/", status=200, size=1))
    text = drawn(progress)
    assert "1 error, last 503" in text
    assert "and 3 more hosts" in text


def test_a_terminal_gets_lines_above_the_drawing_and_is_left_clean() -> None:
    console, stream = terminal()
    report(RichProgress(console, clock=lambda: at(7)))
    written = stream.getvalue()
    assert "failed: https://news.example/news/d" in written
    assert "silent edit: https://news.example/news/b" in written
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1


def test_closing_before_anything_happened_draws_nothing() -> None:
    console, stream = terminal()
    RichProgress(console).close()
    assert stream.getvalue() == ""


def test_what_a_site_wrote_cannot_steer_the_terminal() -> None:
    console, stream = terminal()
    event = events.Failed(at=at(0), site=SITE, url=url("x"), reason=HOSTILE)
    report(RichProgress(console, clock=lambda: at(0)), (event,))
    assert "\x1b]0;" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert "[red]x" in stream.getvalue()
