"""``slugline`` with a resolver of its own in place of the system's, for names that change.

NAMES holds, as JSON, each name's addresses in turn: every look-up of it gives the next one, the
last for ever. Other names don't exist. All else between a name and a connection is the product's.
"""

from __future__ import annotations

import json
import os
import socket
from ipaddress import ip_address
from typing import Any

from crawler.cli import main

_ADDRESSES: dict[str, list[str]] = json.loads(os.environ["NAMES"])


def _look_up(host: str, port: int, *_rest: Any, **_more: Any) -> list[tuple[Any, ...]]:
    try:
        address = str(ip_address(host))
    except ValueError:
        known = _ADDRESSES.get(host)
        if not known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        address = known.pop(0) if len(known) > 1 else known[0]
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


if __name__ == "__main__":
    socket.getaddrinfo = _look_up  # type: ignore[assignment]  # what is asked for is always TCP
    main()
