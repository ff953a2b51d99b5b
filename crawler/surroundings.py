"""What a run uses of its surroundings where it is one of several at once: in a worker's process.

Values only. A run by hand has none of it: it opens its own writer, asks whom it wants to, and goes
to the originals on other hosts by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from crawler.politeness.permit import Permit
from storage.writer import Writer


class Surroundings(Struct, frozen=True, kw_only=True):
    """The ``writer`` that a process's runs share, the ``permit`` without which no host is asked.

    ``foreign`` takes the originals on other hosts, each with the least time between two captures.
    ``memory`` stands where a site's name would, for what is remembered of hosts: it is the run's
    own, since others write at the same time, and one for all would be read whole by each.
    """

    writer: Writer
    memory: str
    permit: Permit
    foreign: Callable[[str, timedelta], None]
