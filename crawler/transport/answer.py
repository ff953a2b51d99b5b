"""What a fetch is given and what it gives back: values only, no network, no clock.

Words are HTTP's (RFC 9110). Header fields are kept as received, in UTF-8 with stray bytes as
surrogate escapes, so that they can be written out again exactly; ``Answer.header`` and
``Answer.values`` give text without surrogates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct, field

from crawler.transport.resolve import Resolve
from storage import codings

Headers: TypeAlias = tuple[tuple[str, str], ...]
Network: TypeAlias = IPv4Network | IPv6Network
KIB = 1024
MIB = 1024 * KIB


class FetchSettings(Struct, frozen=True, kw_only=True):
    """Every number and choice of fetching. Times are seconds, sizes are bytes as received.

    ``rate`` is requests a second to one host; 0 means no pace and no adaptive delay, only what a
    server asks for itself. ``headers`` maps a host key (``host:port``) to private header
    fields that are sent to that host alone, ``proxies`` one to a proxy's URL or to "", for none
    (where it does not name a host: ``proxy``).
    config.toml gives each default its reason.
    """

    agent: str
    # pace
    rate: float = 2.0
    concurrency: int = 2
    connections: int = 256
    max_crawl_delay: float = 30.0
    max_delay: float = 60.0
    retry_after_cap: float = 300.0
    strikes: int = 5
    # time
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    total_timeout: float = 300.0
    min_transfer_rate: int = KIB
    slow_grace: float = 10.0
    # size
    max_body: int = 64 * MIB
    spool_bytes: int = MIB
    max_header: int = 64 * KIB
    max_redirects: int = 5
    # retries
    attempts: int = 4
    backoff_base: float = 0.5
    backoff_cap: float = 30.0
    retry_budget: int = 20
    retry_share: float = 0.1
    # what is sent, and where to
    encodings: str = "gzip"
    accept: str = "*/*"
    resolve: tuple[Resolve, ...] = ()
    allow_address: tuple[Network, ...] = ()
    ca_bundle: Path | None = None
    proxy: str | None = None
    proxies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, Headers] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Name agent and pace only: proxies and header fields may hold secrets."""
        return f"FetchSettings(agent={self.agent!r}, rate={self.rate}, …)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Give rich the same, for it reads the fields of a struct otherwise."""
        return [("agent", self.agent), ("rate", self.rate)]


class Hop(Struct, frozen=True, kw_only=True):
    """A redirect that was followed: the answer at ``url`` that pointed to ``location``."""

    url: str
    status: int
    reason: str
    headers: Headers
    body: bytes | memoryview
    fetched_at: datetime
    location: str


class Answer(Struct, frozen=True, kw_only=True, dict=True):
    """What a server said about a URL, whatever the status; the body is as received.

    ``url`` is the one asked for, ``final_url`` the one that answered after ``hops``. Transfer
    coding is taken off, content coding kept; a body over the spool size is a view of a file that
    vanishes with it. ``redacted`` names header fields that were cut (cookies, credentials).
    ``private``: a private header was sent on the way. ``cut``: reading stopped where the caller
    asked it to. ``attempts`` counts tries at ``final_url``.
    """

    url: str
    final_url: str
    status: int
    reason: str
    headers: Headers
    body: bytes | memoryview
    fetched_at: datetime
    hops: tuple[Hop, ...] = ()
    redacted: tuple[str, ...] = ()
    private: bool = False
    cut: bool = False
    attempts: int = 1

    @cached_property
    def fields(self) -> Mapping[str, tuple[str, ...]]:
        """The values of each header field, in order, by the name in lower case."""
        found: dict[str, tuple[str, ...]] = {}
        for name, value in self.headers:
            key = name.lower()
            text = value if value.isascii() else readable(value)
            found[key] = (*found[key], text) if key in found else (text,)
        return found

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of the header field ``name``, in order."""
        return self.fields.get(name.lower(), ())

    def header(self, name: str) -> str | None:
        """Return the first value of the header field ``name``, or None."""
        values = self.fields.get(name.lower())
        return values[0] if values else None

    @property
    def coding(self) -> str:
        """The content codings in the order they were applied (RFC 9110 section 8.4), or empty."""
        return ", ".join(self.values("content-encoding"))

    def decoded(self, limit: int) -> bytes:
        """Return the body with its content codings undone, at most ``limit`` bytes.

        Raises storage.codings.CodingError: unknown, corrupt, cut short, or past the limit.
        """
        return codings.decode(self.body, self.coding, limit)


def readable(value: str) -> str:
    """Give a header value without surrogates: what is no UTF-8 is read as ISO 8859-1."""
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value
