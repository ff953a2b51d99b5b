"""A relay that holds back what a client says for some milliseconds: latency, without privileges.

    python -m tests.benchmarks.delay LISTENING_FD PORT MILLISECONDS

Every connection to the inherited socket is passed on to 127.0.0.1:PORT. What the client sends
arrives late, what the server answers goes back at once, so each request takes that much longer and
none waits for another's delay. It runs on the server's core and is counted as the server's.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque

#: The server's address: the relay is for loopback alone.
SERVER = "127.0.0.1"


class ToServer(asyncio.Protocol):
    """The relay's connection to the server: what is read there goes to the client at once."""

    def __init__(self, client: asyncio.Transport) -> None:
        """Answers go to ``client``."""
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._client.close()


class FromClient(asyncio.Protocol):
    """A client's connection.

    State: what is held back, oldest first, how much of it is due, and the way to the server.
    """

    def __init__(self, port: int, seconds: float) -> None:
        """Pass on to ``port`` whatever is ``seconds`` old."""
        self._port, self._seconds = port, seconds
        self._held: deque[bytes] = deque()
        self._due = 0
        self._server: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._opening = asyncio.get_running_loop().create_task(self._open(transport))

    async def _open(self, client: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            made, _ = await loop.create_connection(lambda: ToServer(client), SERVER, self._port)
        except OSError:
            client.close()
            return
        self._server = made
        if client.is_closing():
            made.close()
        self._pass_on()

    def data_received(self, data: bytes) -> None:
        self._held.append(data)
        asyncio.get_running_loop().call_later(self._seconds, self._now_due)

    def _now_due(self) -> None:
        # timers of the same moment fire in no set order, so each lets the oldest go, not its own
        self._due += 1
        self._pass_on()

    def _pass_on(self) -> None:
        while self._server is not None and self._due:
            self._due -= 1
            self._server.write(self._held.popleft())

    def connection_lost(self, _error: Exception | None) -> None:
        if self._server is not None:
            self._server.close()


async def relay(listening: socket.socket, port: int, seconds: float) -> None:
    """Relay until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: FromClient(port, seconds), sock=listening, backlog=1024
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(
        relay(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), float(sys.argv[3]) / 1000)
    )
