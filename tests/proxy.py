"""A TCP proxy on loopback that breaks puts which pass through it, as networks do.

Each put does what ``faults`` says next; after them all, everything is passed on.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TypeAlias

#: ``cut``: after the first kilobyte of a put nothing more arrives, and the line is closed.
#: ``no answer``: the put arrives, and its answer never does. ``500``: that is the answer. ``slow``:
#: the put stands still for a while.
Fault: TypeAlias = Literal["cut", "no answer", "500", "slow"]

_CUT_AT = 1_000
#: Seconds that a slow line stands still.
_STILL = 0.5
_ANSWER = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """One proxy. State: the faults to come, those done, and the lines there are."""

    def __init__(self, port: int) -> None:
        """Lead to ``port`` on this machine."""
        self.faults: deque[Fault] = deque()
        self.done: list[Fault] = []
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._lines: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """Close every line, and wait until all is quiet."""
        for line in (self._listening, *self._lines):
            _shut(line)
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _start(self, work: Callable[..., None], *given: socket.socket) -> None:
        thread = threading.Thread(target=work, args=given)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._lines += (client, server)
                self._start(self._requests, client, server)

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        mute = threading.Event()
        back = threading.Thread(target=_answers, args=(server, client, mute))
        back.start()
        with client, server:
            with suppress(OSError):
                while data := client.recv(1 << 16):
                    if not self._broken(data, client, mute):
                        server.sendall(data)
                    elif data:
                        server.sendall(data[:_CUT_AT])
                        break
            if not mute.is_set():
                _shut(client)
            _shut(server, socket.SHUT_WR if mute.is_set() else socket.SHUT_RDWR)
            back.join()

    def _broken(self, data: bytes, client: socket.socket, mute: threading.Event) -> bool:
        """Begin the next fault where a put begins; tell whether the line is to be closed."""
        if not self.faults or not data.startswith(b"PUT "):
            return False
        fault = self.faults.popleft()
        self.done.append(fault)
        if fault == "no answer":
            mute.set()
            return False
        if fault == "slow":
            threading.Event().wait(_STILL)
            return False
        if fault == "500":
            client.sendall(_ANSWER)
        return True


def _answers(server: socket.socket, client: socket.socket, mute: threading.Event) -> None:
    with suppress(OSError):
        while data := server.recv(1 << 16):
            if mute.is_set():
                break
            client.sendall(data)
    _shut(client)


def _shut(line: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with suppress(OSError):
        line.shutdown(how)
