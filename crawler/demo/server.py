"""A loopback web server for a newsroom: what ``slugline demo`` mirrors, and the tests too.

Answers as a well-kept news site does: validators (RFC 9110 section 8.8), conditional requests
(section 13), gzip on request, ``Link`` canonical on the alternates (RFC 8288). Faults are switched
on by tests, a path at a time or for the whole site. It only ever listens on the loopback.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from itertools import count
from ssl import SSLContext
from types import TracebackType
from typing import Literal, Self

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from crawler.demo.newsroom import Newsroom, Page

LOOPBACK = "127.0.0.1"
#: Bytes of body under which gzip saves less than its own header costs in time.
WORTH_GZIP = 200
#: Seconds that open connections get when the server stops: its clients are on this machine.
SHUTDOWN = 0.5


class Hit(Struct, frozen=True, kw_only=True):
    """One request and what it was answered: ``status`` 0 where the connection was cut instead."""

    method: str
    host: str
    path: str
    headers: tuple[tuple[str, str], ...]
    status: int
    size: int

    def header(self, name: str) -> str:
        """Return the request header called ``name`` (any case), "" without it."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Fault(Struct, frozen=True, kw_only=True):
    """What is wrong with one path; unset parts are as the newsroom has them.

    ``delay``: seconds before the answer. ``cut``: the body stops half way and the connection is
    closed. ``drop``: the connection is closed without an answer. ``times``: how many requests it
    befalls before the path heals, None for all.
    """

    status: int | None = None
    body: bytes | None = None
    media_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    retry_after: str | None = None
    delay: float = 0.0
    cut: bool = False
    drop: bool = False
    times: int | None = None


class NewsroomServer:
    """Serves the newsroom that ``make`` returns for its base URL, on a free loopback port.

    An async context manager. Changes while it runs: ``newsroom`` (set it anew after an edit), the
    faults and site-wide switches below, and ``requests``, the log of all answers.
    """

    def __init__(
        self,
        make: Callable[[str], Newsroom],
        *,
        tls: SSLContext | None = None,
        base: str | None = None,
    ) -> None:
        """Listen on a free port; ``base`` is the public origin where that is another name."""
        self._socket = socket.create_server((LOOPBACK, 0))
        self.port: int = self._socket.getsockname()[1]
        self.base = base or f"{'https' if tls else 'http'}://{LOOPBACK}:{self.port}"
        self.newsroom = make(self.base)
        self.requests: list[Hit] = []
        self.faults: dict[str, Fault] = {}
        #: ``content``: an ETag over the bytes; ``date``: one that only updated_at moves; ``none``.
        self.validators: Literal["content", "date", "none"] = "content"
        #: A script nonce and token in every HTML answer, another each time.
        self.nonce = False
        self.link_header = True
        self.compress = True
        self._tls = tls
        self._numbers = count(1)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, ssl_context=self._tls).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._socket.close()

    def fault(self, path: str, fault: Fault | None) -> None:
        """Give ``path`` (as requested, query included) a fault; None heals it."""
        if fault is None:
            self.faults.pop(path, None)
        else:
            self.faults[path] = fault

    def paths(self, status: int | None = None) -> list[str]:
        """List the paths asked for so far, in order; with ``status`` only those answered so."""
        return [hit.path for hit in self.requests if status in (None, hit.status)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path_qs
        fault = self._befalls(path)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.drop:
            self._note(request, 0, 0)
            return _abandoned(request)
        page = self.newsroom.page(request.rel_url.raw_path)
        response = self._response(request, page, fault)
        size = len(response.body) if isinstance(response.body, bytes) else 0
        self._note(request, response.status, size)
        return await _cut_short(request, response) if fault.cut else response

    def _befalls(self, path: str) -> Fault:
        fault = self.faults.get(path, Fault())
        if fault.times is not None:
            left = fault.times - 1
            self.fault(path, replace(fault, times=left) if left > 0 else None)
        return fault

    def _note(self, request: web.Request, status: int, size: int) -> None:
        hit = Hit(
            method=request.method,
            host=request.host,
            path=request.rel_url.raw_path_qs,
            headers=tuple(request.headers.items()),
            status=status,
            size=size,
        )
        self.requests.append(hit)

    def _response(self, request: web.Request, page: Page, fault: Fault) -> web.Response:
        status = fault.status or page.status
        headers: list[tuple[str, str]] = list(fault.headers)
        if fault.retry_after is not None:
            headers.append(("Retry-After", fault.retry_after))
        if page.location and status == page.status:
            headers.append(("Location", page.location))
        body = self._body(page, fault)
        headers.append(("Content-Type", _content_type(fault.media_type or page.media_type)))
        if page.canonical and self.link_header and status == HTTPStatus.OK:
            headers.append(("Link", f'<{page.canonical}>; rel="canonical"'))
        if status == HTTPStatus.OK:
            return self._ok(request, page, body, headers)
        return web.Response(status=status, body=body, headers=headers)

    def _body(self, page: Page, fault: Fault) -> bytes:
        if fault.status is not None and fault.body is None:
            return b"<!doctype html><title>Trouble</title><p>The server was told to say so.</p>\n"
        body = page.body if fault.body is None else fault.body
        if self.nonce and page.media_type == "text/html":
            token = hashlib.sha256(b"nonce %d" % next(self._numbers)).hexdigest()[:24]
            script = f'<script nonce="{token}">window.csrf="{token}"</script>\n'
            body = body.replace(b"</head>", script.encode() + b"</head>", 1)
        return body

    def _ok(
        self, request: web.Request, page: Page, body: bytes, headers: list[tuple[str, str]]
    ) -> web.Response:
        zipped = self.compress and len(body) >= WORTH_GZIP and _takes_gzip(request)
        if self.compress:
            headers.append(("Vary", "Accept-Encoding"))
        validators = self._validators(page, body, zipped=zipped)
        headers += validators.items()
        if validators and _unchanged(request, validators):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        if zipped:
            headers.append(("Content-Encoding", "gzip"))
            body = gzip.compress(body, mtime=0)
        return web.Response(body=body, headers=headers)

    def _validators(self, page: Page, body: bytes, *, zipped: bool) -> dict[str, str]:
        """RFC 9110 section 8.8.3: another coding is another strong ETag."""
        if self.validators == "none":
            return {}
        date = page.modified_at
        seen = body if self.validators == "content" else str(date).encode()
        etag = hashlib.sha256(seen).hexdigest()[:20] + ("-gz" if zipped else "")
        modified = {"Last-Modified": _http_date(date)} if date else {}
        return {"ETag": f'"{etag}"', **modified}


def _content_type(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _takes_gzip(request: web.Request) -> bool:
    """RFC 9110 section 12.5.3, as far as a demo needs it: named, and not with a zero weight."""
    for part in request.headers.get("Accept-Encoding", "").split(","):
        name, _, weight = part.strip().lower().partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _unchanged(request: web.Request, validators: dict[str, str]) -> bool:
    """RFC 9110 section 13.2.2: If-None-Match decides alone where it is sent."""
    asked = request.headers.get("If-None-Match")
    if asked is not None:
        tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
        return "*" in tags or validators["ETag"] in tags
    since = request.headers.get("If-Modified-Since")
    return since is not None and since == validators.get("Last-Modified")


def _http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _abandoned(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _cut_short(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Promise the whole body and send half of it."""
    body = response.body if isinstance(response.body, bytes) else b""
    partial = web.StreamResponse(status=response.status, headers=response.headers)
    partial.content_length = len(body)
    await partial.prepare(request)
    await partial.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return partial
