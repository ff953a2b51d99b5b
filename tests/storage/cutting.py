"""A line to a PostgreSQL that can be cut: a proxy on loopback, before a server's socket file."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Line:
    """A proxy. State: what is to be cut at, once, and how often it was.

    ``cut_at``: bytes of a client's, at which the line is cut; ``told``: the server gets them first
    and has answered.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        (folder,) = parse_qs(parts.query)["host"]
        self._socket = Path(folder) / ".s.PGSQL.5432"
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}{parts.path}?sslmode=disable"
        self.cut_at = b""
        self.told = False
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._socket))
            answers = threading.Thread(target=_copy, args=(server, client), daemon=True)
            asked = threading.Thread(target=self._asked, args=(client, server), daemon=True)
            answers.start()
            asked.start()

    def _asked(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(client):
            if self.cut_at and self.cut_at in data:
                self.cut_at = b""
                self.cuts += 1
                client.shutdown(socket.SHUT_RDWR)
                if self.told:
                    server.sendall(data)
                break
            with suppress(OSError):  # a server that has gone
                server.sendall(data)
        _end(server)


def _copy(server: socket.socket, client: socket.socket) -> None:
    while data := _received(server):
        try:
            client.sendall(data)
        except OSError:
            continue  # the client is cut off: what is left is read to its end
    _end(client)
    client.close()
    server.close()


def _received(one: socket.socket) -> bytes:
    try:
        return one.recv(1 << 16)
    except OSError:
        return b""


def _end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    """Give a line to the server of ``url``."""
    line = Line(url)
    try:
        yield line
    finally:
        line.close()
