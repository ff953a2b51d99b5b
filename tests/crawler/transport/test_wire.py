"""One connection's patience, by a clock that the test turns; its strictness is test_body.py's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
from aiohttp import ClientConnectionResetError, SocketTimeoutError

from crawler.transport.wire import Line, final_answer

ASKED = b"GET / HTTP/1.1\r\nHost: site\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
#: Seconds of silence, and of a head, that are borne below.
QUIET = 30.0
PATIENCE = 40.0


class Timer:
    """What call_at of a Clock returns."""

    def __init__(self, at: float, callback: Callable[[], object]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def when(self) -> float:
        return self.at

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """As much of an event loop as a connection uses: it stands still until it is turned."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def turn(self, to: float) -> None:
        while due := [timer for timer in self.set if timer.at <= to]:
            timer = min(due, key=Timer.when)
            self.timers.remove(timer)
            self.now = max(self.now, timer.at)
            timer.callback()
        self.now = to

    @property
    def set(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]


class Pipe(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line(clock: Clock) -> Line:
    line = Line(cast("asyncio.AbstractEventLoop", clock), most=1000)
    line.connection_made(Pipe())
    return line


def say(line: Line, patience: float = PATIENCE) -> None:
    line.set_response_params(read_timeout=QUIET, read_bufsize=8, auto_decompress=False)
    line.say(ASKED, patience)


def test_silence_is_counted_from_the_last_bytes(clock: Clock, line: Line) -> None:
    say(line)
    clock.turn(29)
    line.data_received(HEAD[:9])
    clock.turn(39)
    assert line.exception() is None
    line.data_received(HEAD[9:])
    line.allow(300)
    clock.turn(68)
    assert line.exception() is None
    clock.turn(69)
    assert isinstance(line.exception(), SocketTimeoutError)


def test_a_trickle_ends_with_the_time_in_all(clock: Clock, line: Line) -> None:
    say(line)
    for second in range(1, 40):
        clock.turn(second)
        line.data_received(HEAD[second : second + 1])
    clock.turn(40)
    assert type(line.exception()) is TimeoutError


def test_one_timer_serves_all_requests_of_a_connection(clock: Clock, line: Line) -> None:
    for second in range(20):
        clock.turn(second)
        say(line)
        line.data_received(HEAD + b"body")
    assert len(clock.timers) == 1
    clock.turn(1000)
    assert clock.timers == []
    assert line.exception() is None


def test_a_later_request_has_its_own_time(clock: Clock, line: Line) -> None:
    say(line)
    line.data_received(HEAD + b"body")
    clock.turn(20)
    say(line)
    clock.turn(49)
    assert line.exception() is None
    clock.turn(50)
    assert isinstance(line.exception(), SocketTimeoutError)


def test_a_shorter_time_counts_at_once(clock: Clock, line: Line) -> None:
    say(line)
    line.data_received(HEAD + b"body")
    say(line, 5)
    clock.turn(5)
    assert type(line.exception()) is TimeoutError


def test_a_pause_of_ours_is_no_silence(clock: Clock, line: Line) -> None:
    say(line, 300)
    line.data_received(HEAD.replace(b"4", b"99") + b"more than we hold at once")
    clock.turn(100)
    assert line.exception() is None
    line.resume_reading()
    clock.turn(129)
    assert line.exception() is None
    clock.turn(130)
    assert isinstance(line.exception(), SocketTimeoutError)


def test_a_lost_connection_leaves_no_timer(clock: Clock, line: Line) -> None:
    say(line)
    line.connection_lost(None)
    assert clock.set == []


def test_nothing_is_said_on_a_connection_that_closes(line: Line) -> None:
    assert line.transport is not None
    line.transport.close()
    with pytest.raises(ClientConnectionResetError):
        say(line)


async def test_interim_answers_are_passed_over() -> None:
    line = Line(asyncio.get_running_loop(), most=1000)
    line.connection_made(Pipe())
    say(line)
    line.data_received(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HEAD + b"body")
    message, content = await final_answer(line)
    assert (message.code, content.read_nowait()) == (200, b"body")
    line.connection_lost(None)
