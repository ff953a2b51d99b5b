"""What a terminal shows of a run: a Reporter (reporters.py) that draws, with rich.

A module of its own, so that a run that cron started loads none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from crawler import events
from crawler.progress.lines import progress_line, remark, state, trouble
from crawler.progress.tally import Tally
from crawler.progress.wording import clean, count

#: Redraws a second: a person reads no faster, and each costs some milliseconds of the one core.
REDRAWS = 4
#: Hosts and waits shown at once; more would push the rest off a small terminal.
HOSTS_SHOWN = 5


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
        # Nothing is said of a request, and most events are one.
        line = "" if type(event) is events.Requested else trouble(event) or remark(event)
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
