"""The one aiohttp session of a run: TLS, name look-up, proxy, buffers, and what it must not do.

Cookies are never kept, bodies never unpacked, redirects never followed, the environment never
read, and a request is never sent twice by the library: each of these is decided by us.
"""

from __future__ import annotations

import base64
import ssl
from pathlib import Path

from aiohttp import (
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.client_proto import ResponseHandler
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


class ConnectError(ValueError):
    """A CA bundle or proxy that the user gave can't be used; the message names it."""


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
    """A request that knows whether it is the first on its connection."""

    fresh = False


class _Connector(TCPConnector):
    """Marks requests that a new connection is made for, the failed ones too."""

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


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    try:
        return await handler(request)
    except (ClientOSError, ServerDisconnectedError) as error:
        reused = isinstance(request, _Request) and not request.fresh
        raise Dropped(error, reused=reused) from error


def open_session(settings: FetchSettings, guard: Guard) -> ClientSession:
    """Make the session; it must be closed. Raises ConnectError for a bad CA bundle."""
    connector = _Connector(
        limit=0,  # politeness.py counts
        resolver=guard.resolver(),
        ttl_dns_cache=NAME_SECONDS,
        ssl=tls(settings.ca_bundle),
    )
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
        middlewares=(_once,),
    )


def tls(ca_bundle: Path | None) -> ssl.SSLContext:
    """Return a context that verifies servers by the system's authorities, or by the bundle's alone.

    Raises ConnectError where the bundle is unreadable or holds none.
    """
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "no certificate in it"
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
