"""A real S3 server for tests: moto's, on loopback, with one bucket; it may be stopped and started.

What it holds outlives a stop, as a cloud's failure leaves what was stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

BUCKET = "archive"
SECRET = "a-secret-that-nobody-may-read"  # noqa: S105  - moto asks for none


class S3Server:
    """One server on a port of its own, which it keeps. State: the thread that serves."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        """Serve at ``address``, and on loopback in any case."""
        self.port = 0
        self._address = address
        self._moto: ThreadedMotoServer | None = None
        self.start()
        urlopen(Request(f"{self.url}/{BUCKET}", method="PUT")).close()

    @property
    def url(self) -> str:
        """The address that clients are told."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve, on the port of before, where it does not."""
        if self._moto is not None:
            return
        from moto.server import ThreadedMotoServer  # noqa: PLC0415  - a second to load

        self._moto = ThreadedMotoServer(ip_address=self._address, port=self.port, verbose=False)
        self._moto.start()
        self.port = self._moto.get_host_and_port()[1]

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._moto is not None:
            self._moto.stop()
            self._moto = None


def environment(endpoint: str) -> dict[str, str]:
    """Return the variables with which obstore finds a server at ``endpoint``."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


@contextmanager
def served(address: str = "127.0.0.1") -> Iterator[S3Server]:
    """Give a server, and an environment that leads to it, until this ends."""
    server = S3Server(address)
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment(server.url).items():
                patch.setenv(name, value)
            yield server
    finally:
        server.stop()
