"""The server's edge: aiohttp in, aiohttp out, and what keeps a public server standing.

Only GET and HEAD (RFC 9110 section 9.3); bounded request lines, fields, connections and time for
both directions; every error a short answer of ours, and what went wrong inside on stderr in one
line. Nothing here reads the archive: workers.py does, on threads.
"""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from msgspec import Struct

from storage.archive import Archive
from storage.errors import ArchiveError
from storage.web.answer import Answer
from storage.web.follower import Follower
from storage.web.reading import MOST_PARTS, MOST_SIZES, Parts, RecentAnswers, Sizes, ThreadArchive
from storage.web.refusing import Complaints, complaints, refusal
from storage.web.request import MANY, Refusal, Request, not_there
from storage.web.route import Route
from storage.web.routes import ROUTES
from storage.web.workers import Workers
from storage.web.zipping import zipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

#: Seconds for a request's head to arrive, and for a kept connection to ask again.
HEAD_SECONDS = 15.0
#: Seconds for an answer to be taken by the client: 8 MB at 1 Mbit/s.
TAKE_SECONDS = 60.0
#: Connections at once: half of the 1,024 files that a process may commonly open.
MOST_CONNECTIONS = 512
#: Bytes of the request line and of one header field: a slug of 1,024 characters, four bytes each,
#: has 12 KiB when it is percent-encoded.
MOST_LINE = 16 << 10
#: Seconds that answers in the making get when the server is stopped.
_STOP_SECONDS = 5.0
_METHODS = frozenset({"GET", "HEAD"})
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


class ServeSettings(Struct, frozen=True, kw_only=True):
    """What is served and where. ``public_url``: this server's address where a proxy stands before.

    ``private``: what was fetched with a private header is shown too. The rest is what a client may
    take: seconds for a request's head to arrive and for a kept connection to ask again, seconds
    for an answer to be taken, and connections at once.
    """

    root: Path
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    private: bool = False
    head_seconds: float = HEAD_SECONDS
    take_seconds: float = TAKE_SECONDS
    connections: int = MOST_CONNECTIONS


class Serving:
    """One server at work. State: its threads and its connections."""

    def __init__(self, settings: ServeSettings) -> None:
        """Open what is needed to answer. Raises ArchiveError where there is no mirror to read."""
        with Archive.open(settings.root):
            pass
        self.settings = settings
        self.address = ""
        self._complaints = Complaints()
        self.follower = Follower(settings.root, private=settings.private)
        sizes: Sizes = RecentAnswers(MOST_SIZES)
        parts: Parts = RecentAnswers(MOST_PARTS)
        self._workers = Workers(
            lambda: ThreadArchive(
                settings.root,
                self.follower.path,
                self.follower.texts.place,
                sizes,
                parts,
                private=settings.private,
            )
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Serving]:
        """Listen while the context is entered; ``address`` is where. Raises OSError."""
        app = web.Application(middlewares=[self._in_our_words])
        for route in ROUTES:
            handler = self._handler(route)
            app.router.add_route("*", _pattern(route), handler, expect_handler=_expected)
        rest = "/{rest:(?s:.*)}"
        app.router.add_route("*", rest, self._handler(None), expect_handler=_expected)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        loop = asyncio.get_running_loop()
        self.follower.start()
        listener: asyncio.Server | None = None
        try:
            listener = await loop.create_server(
                lambda: self._protocol(runner), self.settings.host, self.settings.port
            )
            host, port, *_ = listener.sockets[0].getsockname()
            self.address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            yield self
        finally:
            if listener is not None:
                listener.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(runner.cleanup(), _STOP_SECONDS)
            await loop.run_in_executor(None, self._close)

    def _close(self) -> None:
        self._workers.close()
        self.follower.close()

    def _protocol(self, runner: web.AppRunner) -> asyncio.Protocol:
        server = runner.server
        if server is None or len(server.connections) >= self.settings.connections:
            return _Full()
        return _Connection(
            server,
            self._complain,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=self.settings.head_seconds,
            max_line_size=MOST_LINE,
            max_field_size=MOST_LINE,
            max_headers=100,
            lingering_time=0,
            logger=complaints(),
            access_log=None,
        )

    def _handler(
        self, route: Route | None
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            answer = await self._answered(route, request)
            return await _sent(request, answer, self.settings.take_seconds)

        return handle

    @web.middleware
    async def _in_our_words(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer what has no path of ours either: ``OPTIONS *``, a proxy's ``CONNECT host:443``."""
        try:
            return await handler(request)
        except web.HTTPException:
            return await self._handler(None)(request)

    def _complain(self, request: web.BaseRequest, error: BaseException) -> None:
        asked, now = f"{request.method} {request.path}", asyncio.get_running_loop().time()
        if line := self._complaints.line(asked, error, now):
            sys.stderr.write(f"{line}\n")

    async def _answered(self, route: Route | None, request: web.Request) -> Answer:
        try:
            asked_of = _allowed(route, request)
            asked = self._request(asked_of, request)
            answer = await self._workers.answer(asked_of.answer, asked, heavy=asked_of.heavy)
            return zipped(answer, asked.accept_encoding)
        except Refusal as refused:
            return refusal(route, refused)
        except ArchiveError as error:
            self._complain(request, error)
            self.follower.doubt(error)
            why = "The archive can't give this just now; whoever runs it was told why."
            return refusal(route, Refusal(503, why, 60))
        except Exception as error:  # noqa: BLE001  - a bug must cost one page, not the server
            self._complain(request, error)
            return refusal(route, Refusal(500, "This page failed; whoever runs it was told why."))

    def _request(self, route: Route, request: web.Request) -> Request:
        target = request.raw_path
        if not target.isascii():
            raise Refusal(400, "The address holds bytes that are not ASCII: percent-encode them.")
        parts = dict(request.match_info)
        url = ""
        if "url" in parts:
            # As it was sent: aiohttp's own idea of the path is decoded, and has no query.
            url = _path_of(target).split("/", route.path.partition("{url}")[0].count("/"))[-1]
        query = {name: request.query.getall(name)[0] for name in request.query}
        for name in route.query:
            if name not in MANY and len(request.query.getall(name, ())) > 1:
                raise Refusal(400, f"{name} stands more than once in the address.")
        fields = request.headers
        return Request(
            parts=parts,
            query=query,
            url=url,
            base=self._base(request),
            now=datetime.now(UTC),
            accept_datetime=fields.get("Accept-Datetime", ""),
            accept_encoding=fields.get("Accept-Encoding", ""),
            if_none_match=fields.get("If-None-Match", ""),
            range=fields.get("Range", ""),
            every=tuple(request.query.items()),
        )

    def _base(self, request: web.Request) -> str:
        if self.settings.public_url:
            return self.settings.public_url.rstrip("/")
        host = request.headers.get("Host", "")
        if host and not _HOST.fullmatch(host):
            raise Refusal(400, "The Host field is no name of a host.")
        return f"http://{host}" if host else self.address


class _Connection(web.RequestHandler):
    """One connection: what aiohttp could not read as a request is answered in our own words."""

    def __init__(
        self,
        manager: web.Server,
        complain: Callable[[web.BaseRequest, BaseException], None],
        **settings: Any,
    ) -> None:
        super().__init__(manager, **settings)
        self._complain = complain

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  - aiohttp's words are its own
    ) -> web.StreamResponse:
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and exc is not None:
            self._complain(request, exc)
        sentence = "This is no request that could be read." if status < 500 else "This failed."  # noqa: PLR2004  - whose fault it is
        response = _response(refusal(None, Refusal(status, sentence)))
        response.force_close()
        return response


class _Full(asyncio.Protocol):
    """A connection too many: told so, and closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  - what create_server makes
        transport.write(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n"
        )
        transport.close()


def _allowed(route: Route | None, request: web.Request) -> Route:
    if request.method not in _METHODS:
        raise Refusal(405, "This server only reads: GET and HEAD.")
    if route is None:
        raise not_there("There is no such page.")
    return route


async def _expected(request: web.Request) -> web.StreamResponse | None:
    """Refuse what a client expects, but for a body to be waited for, of which we read none.

    RFC 9110 section 10.1.1: the answer itself may come in place of a 100.
    """
    if request.headers.get("Expect", "").lower() == "100-continue":
        return None
    sentence = "Expect takes 100-continue alone (RFC 9110 section 10.1.1)."
    return _response(refusal(None, Refusal(417, sentence)))


def _path_of(target: str) -> str:
    """Return a request target's path and query (RFC 9112 section 3.2: it may be a whole URL)."""
    return target if target.startswith("/") else "/" + target.split("/", 3)[-1]


def _pattern(route: Route) -> str:
    """Return an address for aiohttp's router, whose own parts would not take braces."""
    return re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", route.path).replace("{url:[^/]+}", "{url:(?s:.+)}")


async def _sent(request: web.Request, answer: Answer, seconds: float) -> web.StreamResponse:
    """Send an answer, to the last byte that the client takes in time."""
    response = _response(answer)
    transport = request.transport
    if transport is not None:
        # No buffer of ours: sending ends when the system has taken all, and not before.
        transport.set_write_buffer_limits(0)
    try:
        async with asyncio.timeout(seconds):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if transport is not None:
            _cut_off(transport)
    return response


def _cut_off(transport: asyncio.Transport) -> None:
    """Close a connection so that the system keeps nothing for the client either."""
    connected = transport.get_extra_info("socket")
    if connected is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _response(answer: Answer) -> web.Response:
    kind, *rest = answer.fields()
    response = web.Response(status=answer.status, body=answer.body, headers=dict([kind]))
    for name, value in rest:
        response.headers.add(name, value)
    return response


async def serve(settings: ServeSettings, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is told the address.

    Raises ArchiveError where there is no mirror, OSError where the address can't be had.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Serving(settings).listening() as serving:
        ready(serving.address)
        await stop.wait()
