"""The connections of a run: TLS, name look-up, proxies, buffers, and what aiohttp must not do.

Cookies are never kept, bodies never unpacked, redirects never followed, the environment never
read, and a request is never sent twice by the library: each of these is decided by us.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import (
    ClientOSError,
    ClientRequest,
    ClientTimeout,
    ConnectionTimeoutError,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from aiohttp.client_reqrep import ConnectionKey
from msgspec import Struct
from yarl import URL

from crawler.transport.answer import KIB, FetchSettings
from crawler.transport.guard import Guard
from crawler.transport.wire import Dropped, Line, Reply, final_answer

#: Bytes aiohttp holds of a body before it stops reading: most articles arrive in one piece.
READ_BUFFER = 256 * KIB
#: Seconds a name's addresses are kept: short enough to follow a move during a long run.
NAME_SECONDS = 60
#: Header fields of one answer; Apache's own limit is 100, big sites send about 60.
MAX_FIELDS = 256
#: Heads of the greatest size that may come before a body: an interim one's beside the final one's.
HEADS = 2


class ConnectError(ValueError):
    """A CA bundle or proxy that the user gave can't be used; the message names it."""

    exit_code: ClassVar[int] = 2


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy's URL without credentials, and the header fields that hold them."""

    url: URL
    headers: dict[str, str]


class _Connector(TCPConnector):
    """Makes connections that are Lines, any number of them: politeness counts."""

    def __init__(
        self, resolver: AbstractResolver, context: Callable[[], ssl.SSLContext], most: int
    ) -> None:
        """``most``: bytes that may come before a body."""
        super().__init__(limit=0, resolver=resolver, ttl_dns_cache=NAME_SECONDS)
        self._context = context
        self._factory = partial(Line, loop=self._loop, most=most)  # type: ignore[assignment]  # invariant

    def _get_ssl_context(self, req: ClientRequest) -> ssl.SSLContext | None:
        return self._context() if req.is_ssl() else None


class Way(ClientRequest):
    """How one origin is reached, for aiohttp's connector: made once, and used for every request."""

    _key: ConnectionKey | None = None

    @property
    def connection_key(self) -> ConnectionKey:
        """What tells connections that may serve this origin from those that may not."""
        if self._key is None:
            self._key = super().connection_key
        return self._key


class Connections:
    """aiohttp's connections for one run, and the requests on them; they must be closed.

    Needs a running loop. Raises ConnectError for a bad CA bundle.
    """

    def __init__(self, settings: FetchSettings, guard: Guard) -> None:
        self._loop = asyncio.get_running_loop()
        most = settings.max_header * HEADS
        # Made for the first server that wants it: reading the system's authorities takes 30 ms.
        context = cache(partial(tls, settings.ca_bundle))
        if settings.ca_bundle is not None:
            context()
        self._connector = _Connector(guard.resolver(), context, most)
        self._timeout = ClientTimeout(connect=min(settings.connect_timeout, settings.total_timeout))
        self._parsing: dict[str, Any] = {
            "read_until_eof": True,
            "auto_decompress": False,
            "read_timeout": settings.read_timeout,
            "read_bufsize": READ_BUFFER,
            "max_line_size": settings.max_header,
            "max_field_size": settings.max_header,
            "max_headers": MAX_FIELDS,
        }

    async def close(self) -> None:
        """Close every connection."""
        await self._connector.close()

    def way(self, origin: URL, proxy: Proxy | None, greeting: Mapping[str, str]) -> Way:
        """Make the way to ``origin``; ``greeting`` is said to a proxy that opens a tunnel to it."""
        if proxy is None:
            return Way("GET", origin, loop=self._loop)
        # A plain request is the proxy's to read; of a tunnel it reads only what opens it.
        tunnel = {**greeting, **proxy.headers} if origin.scheme == "https" else None
        return Way("GET", origin, loop=self._loop, proxy=proxy.url, proxy_headers=tunnel)

    async def ask(
        self, way: Way, request: bytes, seconds: float, on_sent: Callable[[], None]
    ) -> Reply:
        """Send ``request`` and return its answer, whose head must come within ``seconds``.

        ``on_sent`` is called once it went out. Raises aiohttp's errors, and Dropped.
        """
        began = self._loop.time()
        try:
            connection = await self._connector.connect(way, [], self._timeout)
        except TimeoutError as error:
            raise ConnectionTimeoutError from error
        line = connection.protocol
        assert isinstance(line, Line)  # noqa: S101  - the connector makes no others
        try:
            line.set_response_params(**self._parsing)
            line.say(request, seconds - (self._loop.time() - began))
            on_sent()
            message, content = await final_answer(line)
        except BaseException as error:
            connection.close()
            if line.served and isinstance(error, ClientOSError | ServerDisconnectedError):
                raise Dropped(error) from error
            raise
        line.served = True
        return Reply(connection, line, message, content)


def tls(ca_bundle: Path | None) -> ssl.SSLContext:
    """Return a context that verifies servers by the system's authorities, or by the bundle's alone.

    Raises ConnectError where the bundle is unreadable or holds none.
    """
    try:
        if ca_bundle is not None and not ca_bundle.is_file():
            raise ConnectError(f"the CA bundle {ca_bundle} can't be used: it is no file")
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        broken = isinstance(error, ssl.SSLError)
        reason = "no certificate in it" if broken else error.strerror or str(error)
        raise ConnectError(f"the CA bundle {ca_bundle} can't be used: {reason}") from error
    context.set_alpn_protocols(("http/1.1",))
    return context


def proxy_of(url: str) -> Proxy:
    """Take a proxy's URL apart; raises ConnectError where it is none."""
    try:
        whole = URL(url)
        bare = whole.with_user(None)
    except ValueError as error:
        raise ConnectError("the proxy is no URL") from error
    if whole.scheme not in {"http", "https"} or not whole.raw_host:
        raise ConnectError("the proxy must be an http or https URL")
    if whole.user is None:
        return Proxy(url=bare, headers={})
    pair = base64.b64encode(f"{whole.user}:{whole.password or ''}".encode()).decode()
    return Proxy(url=bare, headers={"Proxy-Authorization": f"Basic {pair}"})
