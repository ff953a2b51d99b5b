"""A worker in the foreground: its signals, and what it says."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

from procrastinate.exceptions import ProcrastinateException

from crawler.allocator import give_back_large_blocks
from crawler.cluster.heart import Times
from crawler.cluster.jobs import Shop
from crawler.cluster.place import QueuePlace
from crawler.cluster.roster import Roster
from crawler.cluster.tables import prepare
from crawler.cluster.waiting import Losses, when_there, while_lost
from crawler.cluster.worker import work
from crawler.commands.failures import INTERRUPTED, complain
from crawler.conductor import open_writer
from crawler.events import Event
from crawler.progress.reporters import JsonLog
from crawler.progress.wording import clean
from storage.writer import Writer


def run(roster: Roster, place: QueuePlace, concurrency: int, *, quiet: bool, as_json: bool) -> None:
    """Work until a signal; ``quiet`` says only what goes wrong, ``as_json`` writes every event."""
    give_back_large_blocks()
    if os.environ.get("SLUGLINE_DEBUG") != "1":
        for library in ("procrastinate", "psycopg"):
            # what they have to say, the worker says in a sentence
            logging.getLogger(library).setLevel(logging.CRITICAL)
    asyncio.run(_work(roster, place, concurrency, quiet=quiet, as_json=as_json))


async def _work(
    roster: Roster, place: QueuePlace, concurrency: int, *, quiet: bool, as_json: bool
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stopper(stop))
    loop.set_exception_handler(_unheard)
    report: Callable[[Event], None] = JsonLog() if as_json else _nobody
    say = _nobody if quiet else _say

    async def work_with_it(losses: Losses) -> None:
        async with AsyncExitStack() as stack:

            async def opened() -> Writer:
                await prepare(place)
                return await stack.enter_async_context(open_writer(roster.defaults))

            writer = await when_there(opened, stop, _say)
            if writer is None:
                return
            losses.began()
            for note in writer.notes:
                complain(note)
            shop = Shop(roster=roster, writer=writer, times=Times(), say=say, report=report)
            await work(place, shop, concurrency, stop)

    await while_lost(work_with_it, stop, _say)


def _unheard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Pass over what procrastinate's tasks say of a lost queue: the worker says it once."""
    if not isinstance(context.get("exception"), ProcrastinateException):
        loop.default_exception_handler(context)


def _nobody(_: object) -> None:
    """Tell nobody."""


def _say(line: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {clean(line)}\n")
    sys.stderr.flush()


def _stopper(stop: asyncio.Event) -> Callable[[], None]:
    def stopped() -> None:
        if stop.is_set():
            complain("stopped at once; others take its sites up")
            os._exit(INTERRUPTED)
        stop.set()
        complain("stopping: the articles in hand are finished; again to stop now")

    return stopped
