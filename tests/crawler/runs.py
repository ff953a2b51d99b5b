"""One run of the conductor against a server on loopback, as the tests ask for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from crawler.conductor import mirror
from crawler.config.settings import Config
from crawler.discovery.records import RecordHint
from crawler.events import Event, Failed, Summary
from crawler.request import MirrorRequest
from storage.archive import Archive, SnapshotRow
from storage.model import EntryState


class Ran(Struct, frozen=True, kw_only=True):
    """What a run returned and what it told on the way."""

    summary: Summary
    events: list[Event]

    @property
    def failures(self) -> dict[str, str]:
        return {event.url: event.reason for event in self.events if isinstance(event, Failed)}


async def run(
    url: str,
    into: Path,
    *,
    records: tuple[RecordHint, ...] | None = None,
    verify: Literal["all", "due", "none"] = "all",
    ignore_robots: bool = False,
    stop: asyncio.Event | None = None,
    more: tuple[str, ...] = (),
    listen: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Ran:
    """Mirror ``url`` and ``more`` without limits of pace; ``settings`` go over the defaults.

    ``listen`` hears every event at once.
    """
    events: list[Event] = []

    def tell(event: Event) -> None:
        events.append(event)
        if listen is not None:
            listen(event)

    request = MirrorRequest(
        urls=(url, *more),
        into=into,
        settings=Config().settings().changed(**{"rate": 0, "attempts": 1, **settings}),
        records=records,
        ignore_robots=ignore_robots,
        verify=verify,
    )
    summary = await mirror(request, tell, stop or asyncio.Event())
    return Ran(summary=summary, events=events)


def history(into: Path, slug: str | None = None) -> list[SnapshotRow]:
    """Return the snapshots in the mirror at ``into``, of one article or of all."""
    with Archive.open(into) as archive:
        rows = list(archive.all_history())
    return [row for row in rows if slug in (None, row.slug)]


def reasons(into: Path, slug: str) -> list[str]:
    """Return why each snapshot of the article called ``slug`` was stored, oldest first."""
    return [row.reason for row in history(into, slug)]


def entries(into: Path) -> dict[str, EntryState]:
    """Return what is remembered of the URLs of the one site in the mirror at ``into``."""
    with Archive.open(into) as archive:
        (name,) = (each.name for each in archive.sites())
        return archive.entries(name)
