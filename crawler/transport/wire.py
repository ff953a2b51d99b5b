"""One request and its answer on one of aiohttp's connections, without a session in between.

aiohttp looks up, connects, pools, parses and streams. What its ClientSession adds for every
request (header and cookie dictionaries, middlewares, three timers, two objects) is decided by
fetch.py once a host, and cost as much CPU as all the rest: so requests are written here.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from aiohttp import (
    ClientConnectionResetError,
    ClientOSError,
    ServerDisconnectedError,
    SocketTimeoutError,
    StreamReader,
)
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.hdrs import CONTENT_LENGTH
from aiohttp.helpers import set_exception
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import BadHttpMessage

#: Interim answers (RFC 9110 section 15.2) before the final one: honest servers send one or two.
MAX_INTERIM = 16
_SWITCHING = 101
_INTERIM = frozenset({100, *range(102, 200)})


class Dropped(Exception):
    """A connection that had served before was lost; ``cause`` is aiohttp's error.

    The server may have closed it while it was idle, and the same request on a new one may well
    succeed (RFC 9112 section 9.3.1).
    """

    def __init__(self, cause: ClientOSError | ServerDisconnectedError) -> None:
        super().__init__(cause)
        self.cause = cause


class EndlessHead(BadHttpMessage):
    """A server that goes on and on before its answer; ``message`` says with what."""


class Line(ResponseHandler):
    """One connection, stricter than aiohttp's, and with one timer for all its requests.

    aiohttp reads empty lines and interim answers without end, takes what comes on an idle
    connection for the answer to the next request, and a body that has no length for complete
    where the connection was reset (RFC 9112 sections 9.2 and 8 say otherwise).
    Mutable state: whether an answer is awaited, the bytes and interim answers that came before its
    head was whole; when the server was last heard, and until when it has time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        super().__init__(loop)
        #: Whether an answer came over it already.
        self.served = False
        self._most = most
        self._awaited = False
        self._before = 0
        self._interim = 0
        self._heard = math.inf
        self._until = math.inf
        self._watch: asyncio.TimerHandle | None = None

    def set_response_params(self, **params: Any) -> None:
        """Begin to wait for an answer."""
        self._awaited, self._before, self._interim = True, 0, 0
        super().set_response_params(**params)

    def say(self, request: bytes, seconds: float) -> None:
        """Send ``request``, and give the answer's head that time."""
        if self.transport is None or self.transport.is_closing():
            raise ClientConnectionResetError
        self.transport.write(request)
        self._heard = now = self._loop.time()
        self._allow(now, seconds)

    def allow(self, seconds: float) -> None:
        """Give the server that time from now on."""
        self._allow(self._loop.time(), seconds)

    def _allow(self, now: float, seconds: float) -> None:
        self._until = now + seconds
        if self._watch is None:
            self._wake(now)
        elif self._watch.when() > self._until:
            self._watch.cancel()
            self._wake(now)

    def data_received(self, data: bytes) -> None:
        """Take bytes in; unasked, or past the bound, they end the connection."""
        if not self._awaited:
            if data and self._is_idle():
                self.force_close()
                if self.transport is not None:
                    self.transport.abort()
                return
            super().data_received(data)
            return
        super().data_received(data)
        if self._awaited:
            self._before += len(data)
            if self._before > self._most:
                self._end(f"what comes before the body is over {self._most:,} bytes")

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take one answer's head in, interim (RFC 9110 section 15.2) or final."""
        if data[0].code in _INTERIM:
            self._interim += 1
        else:
            self._awaited = False
        if self._interim <= MAX_INTERIM:
            super().feed_data(data, size)
        else:
            self._end(f"over {MAX_INTERIM} interim answers")

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Go on after a pause; aiohttp asks for it after every read, paused or not."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let a body that was under way fail where the connection was lost by an error."""
        if self._watch is not None:
            self._watch.cancel()
        if exc is not None and self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(exc)
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return self._payload is None or self._payload.is_eof()

    def _end(self, why: str) -> None:
        if self._awaited and self.transport is not None:
            self._awaited = False
            self.set_exception(EndlessHead(why))
            self.transport.close()

    # aiohttp sets a timer for each piece that comes and cancels it at the next. Here the moments
    # are noted, and one timer, which lives on from request to request, looks at them. It is never
    # further away than the longest silence, so that what comes need not move it.

    def _reschedule_timeout(self) -> None:
        self._heard = self._loop.time()
        if self._watch is None:
            self._wake(self._heard)

    def _drop_timeout(self) -> None:
        self._heard = math.inf

    def _wake(self, now: float) -> None:
        due = min(min(self._heard, now) + (self._read_timeout or math.inf), self._until)
        if due < math.inf:
            self._watch = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._watch = None
        if not self._awaited and self._is_idle():
            return
        now = self._loop.time()
        silent = self._heard + (self._read_timeout or math.inf)
        if now < min(silent, self._until):
            self._wake(now)
            return
        late = SocketTimeoutError() if silent < self._until else TimeoutError()
        self._awaited = False
        self.set_exception(late)
        if self._payload is not None:
            set_exception(self._payload, late)


class Reply:
    """An answer whose head is there; ``content`` is its body. It must be closed."""

    __slots__ = ("_connection", "_line", "content", "headers", "raw_headers", "reason", "status")

    def __init__(
        self, connection: Connection, line: Line, message: RawResponseMessage, content: StreamReader
    ) -> None:
        self._connection = connection
        self._line = line
        self.status = message.code
        self.reason = message.reason
        self.headers = message.headers
        self.raw_headers = message.raw_headers
        self.content = content

    @property
    def content_length(self) -> int | None:
        """Bytes of the body as announced, which aiohttp's parser has found to be a number."""
        length = self.headers.get(CONTENT_LENGTH)
        return None if length is None else int(length)

    def allow(self, seconds: float) -> None:
        """Give the rest of the body that time from now on."""
        self._line.allow(seconds)

    def close(self) -> None:
        """Free the connection where the body came whole; else the rest is not wanted."""
        if self.content.is_eof():
            self._connection.release()
        else:
            self._connection.close()


async def final_answer(line: Line) -> tuple[RawResponseMessage, StreamReader]:
    """Wait for an answer that is no interim one (RFC 9110 section 15.2)."""
    while True:
        message, content = await line.read()
        if message.code not in _INTERIM:
            return message, content
