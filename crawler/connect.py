"""The one aiohttp session of a run: TLS, name look-up, proxy, buffers, and what it must not do.

Cookies are never kept, bodies never unpacked, redirects never followed, the environment never
read, and a request is never sent twice by the library: each of these is decided by us.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    StreamReader,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.tracing import Trace
from msgspec import Struct
from yarl import URL

from crawler.answer import KIB, FetchSettings
from crawler.guard import Guard

#: Bytes aiohttp holds of a body before it stops reading: most articles arrive in one piece.
READ_BUFFER = 256 * KIB
#: Seconds a name's addresses are kept: short enough to follow a move during a long run.
NAME_SECONDS = 60
#: Header fields of one answer; Apache's own limit is 100, big sites send about 60.
MAX_FIELDS = 256
#: Interim answers (RFC 9110 section 15.2) before the final one: honest servers send one or two.
MAX_INTERIM = 16
#: Heads of the greatest size that may come before a body: an interim one's beside the final one's.
HEADS = 2
_SWITCHING = 101
_FINAL = 200


class ConnectError(ValueError):
    """A CA bundle or proxy that the user gave can't be used; the message names it."""

    exit_code: ClassVar[int] = 2


class Dropped(Exception):
    """The connection was lost, or never made; ``cause`` is aiohttp's error.

    ``reused``: it had served before, so the server may have closed it while it was idle, and
    the same request on a new one may well succeed (RFC 9112 section 9.3.1).
    """

    def __init__(
        self, cause: ClientOSError | ServerDisconnectedError, *, reused: bool = False
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.reused = reused


class _Request(ClientRequest):
    """A request that knows whether it is the first on its connection, and says when it is sent."""

    fresh = False
    on_sent: Callable[[], None] | None = None

    async def send(self, conn: Connection) -> ClientResponse:
        """Go out on ``conn``; a request without a body is with the system when this returns."""
        response = await super().send(conn)
        if self.on_sent is not None:
            self.on_sent()
        return response


class EndlessHead(BadHttpMessage):
    """A server that goes on and on before its answer; ``message`` says with what."""


class _Handler(ResponseHandler):
    """One connection, stricter than aiohttp's.

    aiohttp reads empty lines and interim answers without end, takes what comes on an idle
    connection for the answer to the next request, and a body that has no length for complete
    where the connection was reset (RFC 9112 sections 9.2 and 8 say otherwise).
    Mutable state: bytes and interim answers that came before the final answer's head was whole.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        super().__init__(loop)
        self._most = most
        self._awaited = False
        self._before = 0
        self._interim = 0

    def set_response_params(self, **params: Any) -> None:
        """Begin to wait for an answer."""
        self._awaited, self._before, self._interim = True, 0, 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; unasked, or past the bound, they end the connection."""
        idle = self._payload is None or self._payload.is_eof()
        if data and idle and not self._awaited:
            self.force_close()
            if self.transport is not None:
                self.transport.abort()
            return
        super().data_received(data)
        if self._awaited:
            self._before += len(data)
            if self._before > self._most:
                self._end(f"what comes before the body is over {self._most:,} bytes")

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take one answer's head in, interim (RFC 9110 section 15.2) or final."""
        if data[0].code >= _FINAL or data[0].code == _SWITCHING:
            self._awaited = False
        else:
            self._interim += 1
        if self._interim <= MAX_INTERIM:
            super().feed_data(data, size)
        else:
            self._end(f"over {MAX_INTERIM} interim answers")

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let a body that was under way fail where the connection was lost by an error."""
        if exc is not None and self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(exc)
        super().connection_lost(exc)

    def _end(self, why: str) -> None:
        if self._awaited and self.transport is not None:
            self._awaited = False
            self.set_exception(EndlessHead(why))
            self.transport.close()


class _Connector(TCPConnector):
    """Marks requests that a new connection is made for, the failed ones too."""

    def __init__(self, resolver: AbstractResolver, tls: ssl.SSLContext, most: int) -> None:
        """Hold any number of connections: politeness.py counts. ``most``: bytes before a body."""
        super().__init__(limit=0, resolver=resolver, ttl_dns_cache=NAME_SECONDS, ssl=tls)
        self._factory = partial(_Handler, loop=self._loop, most=most)  # type: ignore[assignment]  # invariant

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],
        timeout: ClientTimeout,  # noqa: ASYNC109  - aiohttp names it
    ) -> ResponseHandler:
        if isinstance(req, _Request):
            req.fresh = True
        return await super()._create_connection(req, traces, timeout)


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy's URL without credentials, and the header fields that hold them."""

    url: URL
    headers: dict[str, str]


def sending(on_sent: Callable[[], None]) -> ClientMiddlewareType:
    """Make what every request goes through: ``on_sent`` is called once it went out.

    A connection that was lost is a Dropped.
    """

    async def send(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if isinstance(request, _Request):
            request.on_sent = on_sent
        try:
            return await handler(request)
        except (ClientOSError, ServerDisconnectedError) as error:
            reused = isinstance(request, _Request) and not request.fresh
            raise Dropped(error, reused=reused) from error

    return send


def open_session(settings: FetchSettings, guard: Guard) -> ClientSession:
    """Make the session; it must be closed. Raises ConnectError for a bad CA bundle."""
    most = settings.max_header * HEADS
    connector = _Connector(guard.resolver(), tls(settings.ca_bundle), most)
    return ClientSession(
        connector=connector,
        request_class=_Request,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=READ_BUFFER,
        timeout=ClientTimeout(connect=settings.connect_timeout, sock_read=settings.read_timeout),
        headers={
            "User-Agent": settings.agent,
            "Accept": settings.accept,
            "Accept-Encoding": settings.encodings or "identity",
        },
        max_line_size=settings.max_header,
        max_field_size=settings.max_header,
        max_headers=MAX_FIELDS,
    )


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
