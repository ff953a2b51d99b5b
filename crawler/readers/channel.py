"""Sending messages between two processes, over a Unix socket, many in one write.

A frame is four bytes of length, one byte of kind, and what was said since the loop's last turn:
MessagePack, or JSON where a text holds half a character (a lone surrogate, which MessagePack has no
bytes for). Open files go over a second socket, each before the frame that speaks of it. Nothing
that is received is executed: it is decoded into the message types, or it is an error.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from crawler.readers.starting import Sockets

T = TypeVar("T")
S = TypeVar("S")

_HEAD: Final = 5
_PLAIN: Final = 0
_AS_JSON: Final = 1
#: Bytes of a frame at most: an article's bodies and words within their bounds, and much room.
MOST_FRAME: Final = 1 << 30


class Channel(asyncio.Protocol, Generic[S, T]):
    """One side of the line: says S, hears T. Mutable state: what waits, and what came in part.

    ``hear`` gets each message; ``lost`` is called once, when the other side is gone.
    """

    def __init__(
        self,
        files: socket.socket,
        heard: msgspec.msgpack.Decoder[list[T]],
        hear: Callable[[T], None],
        lost: Callable[[], None],
    ) -> None:
        self._files = files
        self._heard = heard
        self._hear = hear
        self._lost = lost
        self._encoder = msgspec.msgpack.Encoder()
        self._waiting: list[S] = []
        self._came = bytearray()
        self._transport: asyncio.WriteTransport | None = None
        files.setblocking(False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  - asyncio's own name
        """Tell that the other side is gone."""
        self._transport = None
        self._files.close()
        self._lost()

    def say(self, message: S) -> None:
        """Send ``message`` with all else that is said before the loop turns; lost after the end."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(message)

    def hand_over(self, descriptor: int) -> bool:
        """Give the other side an open file; False where it must be sent as bytes."""
        try:
            socket.send_fds(self._files, [b"f"], [descriptor])
        except OSError:
            # its queue is full, or the other side is gone
            return False
        return True

    def take_over(self) -> int:
        """Return the next open file that was handed over. Raises OSError where there is none."""
        _, descriptors, _, _ = socket.recv_fds(self._files, 1, 1)
        if not descriptors:
            raise OSError("no file was handed over")
        os.set_inheritable(descriptors[0], False)
        return descriptors[0]

    def close(self) -> None:
        """Say what waits, and hang up: the other side hears of it, and does so too."""
        self._flush()
        if self._transport is not None:
            self._transport.write_eof()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and hear each message of each whole frame."""
        came = self._came
        came += data
        start = 0
        with memoryview(came) as view:
            while len(view) - start >= _HEAD:
                length = int.from_bytes(view[start : start + 4], "big")
                if length > MOST_FRAME:
                    raise ValueError(f"a frame of {length} bytes")
                body = start + _HEAD
                if len(view) - body < length:
                    break
                start = body + length
                for message in self._decoded(view[body - 1], view[body:start]):
                    self._hear(message)
        del came[:start]

    def _decoded(self, kind: int, body: memoryview) -> list[T]:
        with body:
            if kind == _PLAIN:
                return self._heard.decode(body)
            return msgspec.convert(json.loads(bytes(body)), self._heard.type)

    def _flush(self) -> None:
        said, self._waiting = self._waiting, []
        if self._transport is None or not said:
            return
        try:
            self._write(_PLAIN, self._encoder.encode(said))
        except UnicodeEncodeError:
            plain = msgspec.to_builtins(said)
            self._write(_AS_JSON, json.dumps(plain).encode())

    def _write(self, kind: int, body: bytes) -> None:
        if self._transport is not None:
            head = len(body).to_bytes(4, "big") + bytes((kind,))
            self._transport.writelines((head, body))


async def connect(sockets: Sockets, channel: Channel[S, T]) -> None:
    """Let ``channel`` speak over ``sockets``."""
    sockets.talk.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: channel, sock=sockets.talk)
