"""Where the queue is: from a URL to what PostgreSQL's client library is told. Pure.

The URL is an index's (storage.layout): ``schema=`` names the archive's schema, and the queue has
one of its own beside it, so that an index can be dropped and made again without the queue.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct
from psycopg.conninfo import make_conninfo

from storage.index.database_url import DatabaseUrl
from storage.layout import Places, check_urls

#: What the queue's schema is called after the archive's.
_QUEUE = "_queue"
#: How a connection notices that its other end is gone: silence, then some probes, in seconds.
_ALIVE = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


class QueueError(Exception):
    """The queue can't be used; the sentence says whose fault it is, ``exit_code`` too."""

    exit_code: ClassVar[int] = 1


class QueueAway(QueueError):
    """Its database can't be reached now; later it may be."""


class NoQueue(QueueError):
    """No queue was named, or in no way that can be used (user's fault)."""

    exit_code = 2


class QueuePlace(Struct, frozen=True, kw_only=True):
    """``url`` for the client library, the queue's ``schema``, and ``shown``, without a user."""

    url: str
    schema: str
    shown: str

    @property
    def conninfo(self) -> str:
        """What every connection is made with."""
        options = f"-csearch_path={self.schema}"
        return make_conninfo(self.url, **_ALIVE, application_name="slugline", options=options)


def queue_place(url: str, root: Places) -> QueuePlace:
    """Return the place that ``url`` names; ``root`` is whose queue it is, for the check.

    Raises storage's UnusablePlace for a password, another scheme or a bad schema.
    """
    check_urls(Places(root=root.root, index=url))
    there = DatabaseUrl.parse(url)
    parts = urlsplit(there.plain)
    asked = dict(parse_qsl(parts.query))
    host = parts.hostname or asked.get("host", "")
    return QueuePlace(
        url=there.plain,
        schema=there.schema + _QUEUE,
        shown=f"{parts.path.lstrip('/') or 'the database'} on {host or 'this machine'}",
    )
