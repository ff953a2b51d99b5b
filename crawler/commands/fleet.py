"""What worker, schedule and enqueue share: the sites, the queue, and the extra that they need."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from procrastinate import App

    from crawler.cluster.place import QueuePlace
    from crawler.cluster.roster import Roster

T = TypeVar("T")


def needed(command: str) -> None:
    """Raise MissingExtra where what the ``command`` needs is not installed."""
    from importlib.util import find_spec

    from storage.errors import MissingExtra

    for package in ("psycopg", "procrastinate"):
        if find_spec(package) is None:
            raise MissingExtra(f"slugline {command}", package, "cluster")


def fleet(config: Path, into: Path | None) -> tuple[Roster, QueuePlace]:
    """Return the sites and the queue that ``config`` names; ``into`` is the mirror's folder.

    The queue is [cluster]'s, else that of the mirror's index; for a mirror that is not there yet,
    what it would be made with (SLUGLINE_INDEX).
    """
    from crawler.cluster.place import NoQueue, queue_place
    from crawler.cluster.roster import Roster
    from crawler.config.settings import load_config
    from storage.layout import MARK, Places, check

    read = load_config(config, os.environ)
    roster = Roster(read, config, into)
    places = check(roster.into) if (roster.into / MARK).is_file() else Places(root=roster.into)
    url = read.cluster.queue or places.index or os.environ.get("SLUGLINE_INDEX")
    if not url:
        raise NoQueue(
            f"{config} names no queue, and the index of {roster.into} is a file: write "
            '[cluster] queue = "postgresql://HOST/DATABASE"'
        )
    return roster, queue_place(url, places)


def asked(place: QueuePlace, ask: Callable[[App], Awaitable[T]]) -> T:
    """Run ``ask`` with the queue at ``place`` open, and made where it was not there.

    Raises cluster.place.QueueError where it can't be used.
    """
    import asyncio

    from procrastinate.exceptions import ConnectorException
    from psycopg import Error

    from crawler.cluster.queue import queue_app
    from crawler.cluster.tables import prepare, unreachable

    async def go() -> T:
        await prepare(place)
        async with queue_app(place).open_async() as app:
            return await ask(app)

    try:
        return asyncio.run(go())
    except (ConnectorException, Error) as error:
        raise unreachable(place, error.__cause__ or error) from error
