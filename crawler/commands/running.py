"""One run in the foreground: signals, who is told what, and the exit code.

Ctrl-C and SIGTERM are a designed path: the first finishes the articles in hand, a second ends at
once, which the archive stands (nothing half-written is ever visible).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from crawler.commands.failures import FAILED, INTERRUPTED, WELL, complain
from crawler.commands.output import json_line
from crawler.conductor import MirrorRequest, mirror
from crawler.events import Summary
from crawler.progress import JsonLog, PlainProgress, Quiet, Reporter, RichProgress, render_summary
from crawler.tally import Tally
from crawler.wording import duration


@dataclass(frozen=True, slots=True)
class Voice:
    """How a run speaks: ``as_json`` puts the summary on stdout, ``quiet`` keeps to trouble."""

    as_json: bool = False
    quiet: bool = False
    log_format: Literal["text", "json"] = "text"

    def reporter(self) -> Reporter:
        """Make the reporter that suits this voice and stderr."""
        if self.quiet:
            return Quiet()
        if self.log_format == "json":
            return JsonLog()
        return RichProgress() if sys.stderr.isatty() else PlainProgress()


def run(request: MirrorRequest, voice: Voice) -> int:
    """Mirror what ``request`` says, tell it in ``voice``, and return the exit code."""
    reporter = voice.reporter()
    try:
        summary = asyncio.run(_stoppable(request, reporter))
    finally:
        reporter.close()
    if voice.as_json:
        json_line(summary)
    elif not voice.quiet:
        interrupted = reporter.tally.interrupted
        where = str(request.into)
        told = render_summary(summary, reporter.tally, mirror=where, interrupted=interrupted)
        sys.stdout.write(told + "\n")
    return exit_code(reporter.tally)


def exit_code(tally: Tally) -> int:
    """Return the contract's code; a partial snapshot is a failure of its article."""
    if tally.interrupted:
        return INTERRUPTED
    return FAILED if tally.failed or tally.partial else WELL


async def _stoppable(request: MirrorRequest, reporter: Reporter) -> Summary:
    stop = asyncio.Event()
    stopped = _stopper(stop, reporter, request.settings.grace)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped)
    return await mirror(request, reporter, stop)


def _stopper(stop: asyncio.Event, reporter: Reporter, grace: float) -> Callable[[], None]:
    def stopped() -> None:
        if stop.is_set():
            reporter.close()
            complain("stopped at once; the next run goes on from what is saved")
            os._exit(INTERRUPTED)
        stop.set()
        complain(f"stopping: up to {duration(grace)} for the articles in hand; again to stop now")

    return stopped
