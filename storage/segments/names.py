"""Segments' names: ``<site>/<started_at>-<n>.warc.gz``, and the order that they give. Pure.

Where several machines may write one archive, the writer's own mark ends the name (FORMAT.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import TypeAlias

from storage.layout import SEGMENTS

SUFFIX = ".warc.gz"
#: A segment's file name: when its run began (UTC), which of that run's it is, and whose.
_NAME = re.compile(
    r"(?P<started>\d{8}T\d{12}Z)-(?P<number>\d{1,9})(?:-(?P<writer>[0-9a-f]{8}))?\.warc\.gz"
)
_STAMP = "%Y%m%dT%H%M%S%fZ"

#: Gives names for a site's next segment, to be tried one after the other.
Naming: TypeAlias = Callable[[str], Iterator[str]]


def place_of(name: str, offset: int | None = None) -> str:
    """Tell a person where in a mirror a segment stands, and a byte of it."""
    file = f"{SEGMENTS}/{name}"
    return file if offset is None else f"{file} at byte {offset}"


def order(name: str) -> tuple[str, str, int, str]:
    """Sort segments by it: by site, then in the order of their making."""
    site, _, file = name.rpartition("/")
    parsed = _NAME.fullmatch(file)
    if parsed is None:
        return (site, "", 0, file)
    return (site, parsed["started"], int(parsed["number"]), file)


def started_of(name: str) -> str:
    """Return the moment in a segment's name, as ``20261123T015700123456Z``; "" in a foreign one."""
    return order(name)[1]


def stamp_of(started_at: datetime) -> str:
    """Write a run's start as segments' names have it."""
    return started_at.astimezone(UTC).strftime(_STAMP)


def site_and_file(name: str) -> tuple[str, str]:
    """Return a name's two parts. Raises ValueError for a name that leaves the segments' folder."""
    site, slash, file = name.partition("/")
    if not slash or {site, file} & {"", ".", ".."} or "/" in file or "\0" in name:
        raise ValueError(f"no segment's name: {name!r}")
    return site, file


def check_name(name: object) -> None:
    """Raise ValueError for what is no site's folder and a file in it."""
    if not isinstance(name, str):
        raise ValueError(f"no segment's name: {name!r}")  # noqa: TRY004  - a wrong value of an index
    site_and_file(name)


def writer_of(name: str) -> str:
    """Return who wrote a segment: the mark that ends its name, else the name, whose own it is."""
    site, _, file = name.rpartition("/")
    parsed = _NAME.fullmatch(file)
    return f"{site}/{parsed['writer']}" if parsed and parsed["writer"] else name


def is_name(name: str) -> bool:
    """Tell whether a path below the segments' folder is a segment's."""
    site, _, file = name.partition("/")
    return bool(site) and "/" not in file and file.endswith(SUFFIX) and not file.startswith(".")


def by_number(started_at: datetime) -> Naming:
    """Name the segments of a run that began then, from 1 for each site."""
    stamp = stamp_of(started_at)
    return lambda site: (f"{site}/{stamp}-{number}{SUFFIX}" for number in count(1))


def by_writer(started_at: datetime, writer: str) -> Naming:
    """Name the segments of a run's writer: none of these names is ever given twice."""
    stamp, numbers = stamp_of(started_at), count(1)
    return lambda site: (f"{site}/{stamp}-{number}-{writer}{SUFFIX}" for number in numbers)
