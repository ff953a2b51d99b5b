"""Where the queue is: from a URL to what PostgreSQL's client library is told. Pure.

The URL is an index's (storage.layout): ``schema=`` names the archive's schema, and the queue has
one of its own beside it, so that an index can be dropped and made again without the queue.
"""

from __future__ import annotations

import re
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct
from psycopg.conninfo import make_conninfo

from storage.layout import Places, check_urls

#: The archive's schema where the URL names none, and what the queue's is called after it.
_SCHEMA, _QUEUE = "slugline", "_queue"
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

    Raises storage's UnusablePlace for a password or another scheme, NoQueue for a bad schema.
    """
    check_urls(Places(root=root.root, index=url))
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    schema = dict(asked).get("schema", _SCHEMA) + _QUEUE
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
        raise NoQueue(f"{schema!r} is no schema: small letters, digits and _, at most 56 of them")
    kept = urlencode([(name, value) for name, value in asked if name not in {"schema", "options"}])
    host = parts.hostname or dict(asked).get("host", "")
    return QueuePlace(
        url=parts._replace(query=kept).geturl(),
        schema=schema,
        shown=f"{parts.path.lstrip('/') or 'the database'} on {host or 'this machine'}",
    )
