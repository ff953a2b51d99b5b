"""A server on raw sockets: it sends exactly the bytes a test gives it, faults and all.

No HTTP library stands in between, so nothing mends, completes or refuses what is sent.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Request:
    """A request's target and header fields (names in lower case)."""

    method: str
    target: str
    headers: dict[str, str]


@dataclass(slots=True)
class Wire:
    """The server's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Break the connection with a TCP reset: what a lingering time of no seconds means."""
        held = self.writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        self.writer.close()


Handler: TypeAlias = Callable[[Request, Wire], Awaitable[None]]
Route: TypeAlias = bytes | Handler


def answer(
    status: str = "200 OK", body: bytes = b"", headers: tuple[str, ...] = (), *, length: bool = True
) -> bytes:
    """Write an HTTP/1.1 answer; ``headers`` are whole lines."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


@dataclass(slots=True)
class RawServer:
    """Routes by request target, ``otherwise`` for the rest; ``requests`` is what came, in order."""

    routes: dict[str, Route] = field(default_factory=dict)
    otherwise: Route = field(default_factory=lambda: answer("404 Not Found"))
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    scheme: str = "http"
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def url(self, target: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{target}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def counts(self) -> Counter[str]:
        return Counter(request.target for request in self.requests)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                route = self.routes.get(request.target, self.otherwise)
                if isinstance(route, bytes):
                    writer.write(route)
                    await writer.drain()
                else:
                    await route(request, Wire(reader, writer))
                if writer.is_closing():
                    return
        except (ConnectionError, ssl.SSLError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    def drop_all(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = (line.split(":", 1) for line in lines if line)
    return Request(method, target, {name.lower(): value.strip() for name, value in pairs})


@asynccontextmanager
async def raw_server(
    routes: dict[str, Route] | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Serve ``routes`` on a free port of loopback until the block ends."""
    site = RawServer(routes={} if routes is None else routes, scheme="https" if tls else "http")
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        site.drop_all()
        with suppress(ConnectionError):
            await server.wait_closed()
