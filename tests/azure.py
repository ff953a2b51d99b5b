"""A real Azure Blob server for tests where there is one: Azurite, an npm package, on loopback.

Not brought by the tests: `npm install azurite`, and SLUGLINE_AZURITE names its program
`azurite-blob`. Name and key are those that are public for it. It keeps nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from urllib.request import Request, urlopen

import pytest

BUCKET = "archive"
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_VERSION = "2023-11-03"


@contextmanager
def served() -> Iterator[str]:
    """Give the address of a server, and an environment that leads to it, until this ends."""
    program = os.environ.get("SLUGLINE_AZURITE")
    if program is None:
        pytest.skip("SLUGLINE_AZURITE names no azurite-blob")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    listening = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([*listening, *options], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            while "successfully listens" not in server.stdout.readline():
                assert server.poll() is None
            with pytest.MonkeyPatch.context() as patch:
                for name, value in _environment(url).items():
                    patch.setenv(name, value)
                _make(url)
                yield url
        finally:
            server.kill()


def _environment(url: str) -> dict[str, str]:
    return {
        "AZURE_STORAGE_ACCOUNT_NAME": _ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
        "AZURE_STORAGE_USE_EMULATOR": "true",
        "AZURE_ALLOW_HTTP": "true",
        "AZURITE_BLOB_STORAGE_URL": url,
    }


def _make(url: str) -> None:
    """Make the container, with a request signed as Shared Key authorization has it."""
    said = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
    headers = "".join(f"{name}:{value}\n" for name, value in said.items())
    place = f"/{_ACCOUNT}/{_ACCOUNT}/{BUCKET}\nrestype:container"
    to_sign = "PUT" + "\n" * 12 + headers + place
    digest = hmac.new(base64.b64decode(_KEY), to_sign.encode(), hashlib.sha256).digest()
    said["Authorization"] = f"SharedKey {_ACCOUNT}:{base64.b64encode(digest).decode()}"
    asked = f"{url}/{_ACCOUNT}/{BUCKET}?restype=container"
    urlopen(Request(asked, method="PUT", headers=said)).close()
