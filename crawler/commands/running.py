"""One run in the foreground: signals, who is told what, and the exit code.

Ctrl-C and SIGTERM are a designed path: the first finishes the articles in hand, a second ends at
once, which the archive stands (nothing half-written is ever visible).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from crawler.allocator import give_back_large_blocks
from crawler.article.ownership import Sites
from crawler.commands.failures import FAILED, INTERRUPTED, WELL, UsageError, complain
from crawler.commands.output import json_line
from crawler.conductor import mirror
from crawler.events import Summary
from crawler.progress.metrics import SiteNumbers, render, write
from crawler.progress.reporters import JsonLog, PlainProgress, Quiet, Reporter, render_summary
from crawler.progress.tally import Tally
from crawler.progress.wording import count, duration
from crawler.request import MirrorRequest
from crawler.site.ledger import last_runs
from storage import layout
from storage.archive import Archive
from storage.errors import ArchiveError, SegmentsAway


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
        if not sys.stderr.isatty():
            return PlainProgress()
        from crawler.progress.drawing import RichProgress

        return RichProgress()


def run(
    request: MirrorRequest,
    voice: Voice,
    *,
    strict: bool = False,
    metrics: Path | None = None,
) -> int:
    """Mirror what ``request`` says, tell it in ``voice``, and return the exit code.

    ``strict`` counts what was known before too; ``metrics`` is a file for the run's numbers.
    Raises UsageError where that file can't be written, and what conductor.mirror raises.
    """
    give_back_large_blocks()
    reporter = voice.reporter()
    made = not (request.into / layout.MARK).exists()
    try:
        summary = asyncio.run(_stoppable(request, reporter))
    finally:
        reporter.close()
    if isinstance(summary, SegmentsAway):
        complain(f"interrupted: {summary}")
        return INTERRUPTED
    if voice.as_json:
        json_line(summary)
    elif not voice.quiet:
        interrupted = reporter.tally.interrupted
        where = str(request.into)
        told = render_summary(
            summary,
            reporter.tally,
            mirror=where,
            made=made,
            interrupted=interrupted,
            verify=request.verify,
        )
        sys.stdout.write(told + "\n")
    code = exit_code(reporter.tally)
    if code != INTERRUPTED:
        _read_words(request.into)
    if not strict and metrics is None:
        return code
    sites = standing(request)
    if strict and code == WELL:
        code = _strictly(reporter.tally, sites)
    if metrics is not None:
        text = render(summary, reporter.tally, sites, code=code, at=datetime.now(UTC))
        try:
            write(metrics, text)
        except OSError as error:
            raise UsageError(f"--metrics {metrics}: {error.strerror}") from error
    return code


def _read_words(root: Path) -> None:
    """Bring the full-text index up to what the run stored; what fails is the next search's."""
    if not (root / layout.FULLTEXT).exists():
        return
    from storage.search import opening as fulltext_opening

    try:
        with Archive.open(root) as archive:
            fulltext_opening.catch_up(archive)
    except ArchiveError as error:
        complain(f"the full-text index is behind: {error}")


def standing(request: MirrorRequest) -> list[SiteNumbers]:
    """Return the numbers of the sites that were asked for, as the mirror has them now."""
    with Archive.open(request.into) as archive:
        owners = Sites(archive.sites())
        names = {site.name for url in request.urls if (site := owners.owner(url)) is not None}
        books = last_runs(archive, names)
        return [
            SiteNumbers(
                site=each.site,
                articles=each.articles,
                partial=each.partial,
                failed=each.failed,
                gone=each.gone,
                bytes=each.bytes,
                good_at=books[each.site].good_at,
                unfinished=books[each.site].unfinished_since is not None,
            )
            for each in archive.status()
            if each.site in names
        ]


def _strictly(tally: Tally, sites: Iterable[SiteNumbers]) -> int:
    """Return the code that counts failures known before, and say how many there are."""
    partial, failed = (sum(getattr(each, name) for each in sites) for name in ("partial", "failed"))
    failed = max(failed, tally.failed_before)
    if not partial and not failed:
        return WELL
    complain(f"{count(failed, 'failure')}, {count(partial, 'partial article')}, known before")
    return FAILED


def exit_code(tally: Tally) -> int:
    """Return the contract's code; a snapshot with a format newly missing is a failure."""
    if tally.interrupted:
        return INTERRUPTED
    return FAILED if tally.failed or tally.partial > tally.partial_before else WELL


async def _stoppable(request: MirrorRequest, reporter: Reporter) -> Summary | SegmentsAway:
    """Run until a signal; return how it went, or what kept a stopped run from handing all over."""
    stop = asyncio.Event()
    stopped = _stopper(stop, reporter, request.settings.grace)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped)
    try:
        return await mirror(request, reporter, stop)
    except SegmentsAway as error:
        if not stop.is_set():
            raise
        return error


def _stopper(stop: asyncio.Event, reporter: Reporter, grace: float) -> Callable[[], None]:
    def stopped() -> None:
        if stop.is_set():
            reporter.close()
            complain("stopped at once; the next run goes on from what is saved")
            os._exit(INTERRUPTED)
        stop.set()
        complain(f"stopping: up to {duration(grace)} for the articles in hand; again to stop now")

    return stopped
