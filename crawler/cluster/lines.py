"""The connections of a shift to its database, which can be cut from this side.

A question whose answer never comes hangs as long as the system keeps the connection, and a
cancelled one waits for the server to hear of it. When a shift is over, nothing may be left of it.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from psycopg import AsyncConnection


class Lines:
    """The connections that were made. Mutable state: those that are still in use."""

    def __init__(self) -> None:
        self._made: WeakSet[AsyncConnection[Any]] = WeakSet()

    async def hold(self, connection: AsyncConnection[Any]) -> None:
        """Note that ``connection`` was made (psycopg_pool's ``configure``)."""
        self._made.add(connection)

    def cut(self) -> None:
        """End them all: what waits for an answer hears that there is none."""
        for connection in list(self._made):
            if connection.closed:
                continue
            with socket.socket(fileno=os.dup(connection.fileno())) as line, suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
