"""Reporters: a run's events as a person or a program reads them, always on stderr.

Each is called with one event after the other and closed at the end. PlainProgress writes lines to
a file or a pipe, JsonLog one JSON object an event, Quiet only trouble; what a terminal gets is
drawing.py's. All counting is Tally's; here is only form. Results belong to stdout, not here.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Protocol, TextIO

import msgspec

from crawler import events
from crawler.progress.lines import discovery_line, milestone_line, progress_line, remark, trouble
from crawler.progress.summary import render_summary
from crawler.progress.tally import Tally
from crawler.progress.wording import count, inert

__all__ = ["JsonLog", "PlainProgress", "Quiet", "Reporter", "render_summary"]

#: Plain lines: a line of progress so often, and at most so many others in that time (seconds).
PLAIN_EVERY = 10.0
PLAIN_MOST = 20


class Reporter(Protocol):
    """What a run tells its events to."""

    tally: Tally

    def __call__(self, event: events.Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Leave the terminal or stream as it was; nothing comes after."""


class PlainProgress:
    """Writes a plain line for each event worth one, a line of progress every PLAIN_EVERY seconds.

    Mutable state: the tally, and when the present stretch began and what it left out.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """``stream``: where the lines go, stderr by default."""
        self.tally = Tally()
        self._stream = stream or sys.stderr
        self._since: datetime | None = None
        self._said = 0
        self._left_out = 0

    def __call__(self, event: events.Event) -> None:
        """Count ``event`` and write its line, if it is worth one and the stretch is not full."""
        self.tally.take(event)
        self._begin_stretch(event.at)
        milestone = milestone_line(event)
        if milestone:
            self._write(event.at, milestone)
            return
        line = trouble(event) or remark(event) or discovery_line(event)
        if not line:
            return
        if self._said >= PLAIN_MOST:
            self._left_out += 1
            return
        self._said += 1
        self._write(event.at, line)

    def close(self) -> None:
        """Say what was left out; the stream stays open."""
        if self._left_out and self.tally.latest:
            self._say_left_out(self.tally.latest)
        self._stream.flush()

    def _begin_stretch(self, at: datetime) -> None:
        if self._since is None:
            self._since = at
        if (at - self._since).total_seconds() < PLAIN_EVERY:
            return
        if self._left_out:
            self._say_left_out(at)
        self._since, self._said = at, 0
        self._write(at, progress_line(self.tally, at))

    def _say_left_out(self, at: datetime) -> None:
        self._write(at, f"and {count(self._left_out, 'line')} more like these, not shown")
        self._left_out = 0

    def _write(self, at: datetime, line: str) -> None:
        self._stream.write(f"{at.astimezone(UTC):%H:%M:%SZ} {line}\n")


class JsonLog:
    """Writes each event as one JSON object a line, its kind under "type"."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """``stream``: where the lines go, stderr by default."""
        self.tally = Tally()
        self._stream = stream or sys.stderr
        self._encoder = msgspec.json.Encoder()

    def __call__(self, event: events.Event) -> None:
        """Count ``event`` and write it."""
        self.tally.take(event)
        self._stream.write(inert(self._encoder.encode(event).decode()) + "\n")

    def close(self) -> None:
        """Flush; the stream stays open."""
        self._stream.flush()


class Quiet:
    """Writes a line where something failed or is short, and nothing else.

    Under the command's name: where cron and journals gather such lines, others speak too.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """``stream``: where the lines go, stderr by default."""
        self.tally = Tally()
        self._stream = stream or sys.stderr

    def __call__(self, event: events.Event) -> None:
        """Count ``event``; write it if it is trouble."""
        self.tally.take(event)
        line = trouble(event)
        if line:
            self._stream.write(f"slugline: {line}\n")

    def close(self) -> None:
        """Flush; the stream stays open."""
        self._stream.flush()
