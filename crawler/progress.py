"""Reporters: a run's events as a person or a program reads them, always on stderr.

Each is called with one event after the other and closed at the end. RichProgress draws on a
terminal, PlainProgress writes lines to a file or a pipe, JsonLog one JSON object an event, Quiet
only trouble. All counting is Tally's; here is only form. Results belong to stdout, not here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Protocol, TextIO

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from crawler import events
from crawler.lines import (
    discovery_line,
    milestone_line,
    progress_line,
    remark,
    state,
    trouble,
)
from crawler.summary import render_summary
from crawler.tally import Tally
from crawler.wording import clean, count

__all__ = ["JsonLog", "PlainProgress", "Quiet", "Reporter", "RichProgress", "render_summary"]

#: Redraws a second: a person reads no faster, and each costs some milliseconds of the one core.
REDRAWS = 4
#: Hosts and waits shown at once; more would push the rest off a small terminal.
HOSTS_SHOWN = 5
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


class RichProgress:
    """Draws the run on a terminal: bar, rate, hosts, what waits and why, time left.

    Mutable state: the tally, shared with the drawing thread under one lock.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``clock`` lets waits count down on the screen while no event comes."""
        self.tally = Tally()
        self._console = console or Console(stderr=True)
        self._clock = clock
        self._lock = Lock()
        self._live = Live(
            console=self._console,
            get_renderable=self.draw,
            refresh_per_second=REDRAWS,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._open = False

    def __call__(self, event: events.Event) -> None:
        """Count ``event``; say above the drawing what should be read."""
        with self._lock:
            self.tally.take(event)
        if not self._open and not isinstance(event, events.RunFinished):
            self._live.start()
            self._open = True
        line = trouble(event) or remark(event)
        if line:
            self._console.print(Text(line), soft_wrap=True)

    def close(self) -> None:
        """Take the drawing off the screen."""
        if self._open:
            self._live.stop()
            self._open = False

    def draw(self) -> Group:
        """Build what stands on the screen now."""
        now = self._clock()
        with self._lock:
            line = Text(progress_line(self.tally, now))
            return Group(self._bar(), line, *self._hosts(now))

    def _bar(self) -> Table:
        known, done = self.tally.known, self.tally.done
        # a bar ends no line of its own, a table's row does
        row = Table.grid(expand=True)
        row.add_row(ProgressBar(total=known or None, completed=done, pulse=not known))
        return row

    def _hosts(self, now: datetime) -> list[Table]:
        busiest = sorted(
            self.tally.hosts.values(), key=lambda host: (-host.waits(now), -host.requests)
        )
        if not busiest:
            return []
        table = Table.grid(padding=(0, 2))
        for host in busiest[:HOSTS_SHOWN]:
            table.add_row(
                Text(clean(host.name)), Text(f"{host.requests:,}"), Text(state(host, now))
            )
        if len(busiest) > HOSTS_SHOWN:
            table.add_row(Text(f"and {count(len(busiest) - HOSTS_SHOWN, 'more host')}"))
        return [table]


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
        self._stream.write(self._encoder.encode(event).decode() + "\n")

    def close(self) -> None:
        """Flush; the stream stays open."""
        self._stream.flush()


class Quiet:
    """Writes a line where something failed or is short, and nothing else."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """``stream``: where the lines go, stderr by default."""
        self.tally = Tally()
        self._stream = stream or sys.stderr

    def __call__(self, event: events.Event) -> None:
        """Count ``event``; write it if it is trouble."""
        self.tally.take(event)
        line = trouble(event)
        if line:
            self._stream.write(line + "\n")

    def close(self) -> None:
        """Flush; the stream stays open."""
        self._stream.flush()
