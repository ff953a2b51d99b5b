"""What a mirror remembers of hosts from run to run: robots.txt, waits, and where start URLs led.

JSON text under keys of the whole mirror, not of a site, since one host may serve several. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct, field

from crawler.robots_cache import RobotsEntry
from crawler.transport.answer import KIB

T = TypeVar("T")
#: Stands for the mirror where a site's name would be; no site has an empty one.
MIRROR = ""
ROBOTS = "robots "
NOT_BEFORE = "not-before"
LEADS = "leads"
#: Bytes of a robots.txt that is kept: all but a few in a thousand are smaller.
MOST_ROBOTS = 64 * KIB


class HostMemory(Struct, frozen=True, kw_only=True):
    """Robots files as answered, and moments before which a host must not be asked, by host key.

    ``leads`` are the URLs on other hosts that start URLs led to.
    """

    robots: tuple[RobotsEntry, ...] = ()
    not_before: dict[str, datetime] = field(default_factory=dict)
    leads: dict[str, str] = field(default_factory=dict)


def recall(stored: Mapping[str, str], *, robots: bool) -> HostMemory:
    """Read what `changes` gave in earlier runs; without ``robots`` those files are left out."""
    entries = (_entry(text) for key, text in stored.items() if robots and key.startswith(ROBOTS))
    return HostMemory(
        robots=tuple(entry for entry in entries if entry is not None),
        not_before=_mapping(stored.get(NOT_BEFORE, ""), datetime),
        leads=_mapping(stored.get(LEADS, ""), str),
    )


def changes(
    stored: Mapping[str, str], learned: HostMemory, now: datetime
) -> Iterator[tuple[str, str]]:
    """Yield key and text of all that is not ``stored`` yet; an empty text forgets what is over."""
    wanted = {
        ROBOTS + entry.origin: msgspec.json.encode(entry).decode()
        for entry in learned.robots
        if len(entry.body) <= MOST_ROBOTS
    }
    for key in stored.keys() - wanted.keys():
        entry = _entry(stored[key]) if key.startswith(ROBOTS) else None
        wanted[key] = stored[key] if entry is not None and entry.fresh(now) else ""
    ahead = {host: moment for host, moment in learned.not_before.items() if moment > now}
    wanted[NOT_BEFORE] = msgspec.json.encode(ahead).decode() if ahead else ""
    wanted[LEADS] = msgspec.json.encode(learned.leads).decode() if learned.leads else ""
    yield from ((key, text) for key, text in wanted.items() if stored.get(key, "") != text)


def _entry(text: str) -> RobotsEntry | None:
    # What another version wrote is asked for again.
    try:
        return msgspec.json.decode(text, type=RobotsEntry) if text else None
    except msgspec.DecodeError:
        return None


def _mapping(text: str, kind: type[T]) -> dict[str, T]:
    try:
        return msgspec.json.decode(text, type=dict[str, kind]) if text else {}  # type: ignore[valid-type]  # a type at run time
    except msgspec.DecodeError:
        return {}
