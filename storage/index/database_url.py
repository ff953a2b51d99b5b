"""The URL of an index in PostgreSQL, taken apart: what libpq is told, and what is ours. Pure."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from msgspec import Struct

from storage.errors import UnusablePlace

#: The schema of an archive whose URL names none.
DEFAULT_SCHEMA = "slugline"
#: Seconds that a lost connection is tried again: a server's restart takes some, a failover more.
PATIENCE_SECONDS = 60.0
#: What is ours of the query; the rest is libpq's.
_OURS = frozenset({"schema", "patience"})
#: Schemas that a database has from the start: making an index anew drops what its schema holds.
_OTHERS = frozenset({"public", "information_schema"})
#: PostgreSQL's names have 63 bytes; ``_queue``, ``_texts`` or ``_new`` may be put behind ours.
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,54}\Z")


class DatabaseUrl(Struct, frozen=True, kw_only=True):
    """``plain`` is libpq's URL, ``schema`` the archive's; ``name``, for people, has both.

    ``patience`` is for how many seconds a lost connection is tried again.
    """

    plain: str
    schema: str
    patience: float
    name: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take apart ``postgresql://host/database?schema=name``. Raises UnusablePlace."""
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True)
        ours = {name: value for name, value in given if name in _OURS}
        rest = urlencode(
            [pair for pair in given if pair[0] not in _OURS], safe="/", quote_via=quote
        )
        schema = ours.get("schema", DEFAULT_SCHEMA)
        if not _SCHEMA.match(schema) or schema.startswith("pg_"):
            raise UnusablePlace("index", url, f"no schema can be called {schema!r}")
        if schema in _OTHERS:
            raise UnusablePlace("index", url, f"the schema {schema} is not an archive's own")
        return cls(
            # urlunsplit would take the slashes from a URL without a host
            plain=url.partition("?")[0] + (f"?{rest}" if rest else ""),
            schema=schema,
            patience=_patience(url, ours.get("patience", "")),
            name=f"{parts.scheme}://{parts.netloc}{parts.path}?schema={schema}",
        )


def _patience(url: str, text: str) -> float:
    try:
        seconds = float(text) if text else PATIENCE_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UnusablePlace("index", url, f"patience={text} is no number of seconds")
    return seconds
