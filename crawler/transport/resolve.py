"""``HOST:PORT:ADDR[:PORT]``: a name's address given by hand, as curl's ``--resolve`` takes it.

Pure. IPv6 addresses stand in brackets or bare; the last port is where to connect instead.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from msgspec import Struct

_SHAPE = re.compile(
    r"(?P<host>[^:\s\[\]]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5}):"
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<v4>[0-9.]+)|(?P<bare>[0-9A-Fa-f:]*::?[0-9A-Fa-f:.]*))"
    r"(?::(?P<to>\d{1,5}))?"
)
_LAST_PORT = 65535


class Resolve(Struct, frozen=True, kw_only=True):
    """``host`` (lower case) at ``port`` is reached at ``address`` and ``to_port``."""

    host: str
    port: int
    address: str
    to_port: int


def parse_resolve(text: str) -> Resolve:
    """Read one mapping; raises ValueError that says what is allowed."""
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise ValueError("must be HOST:PORT:ADDR[:PORT], e.g. example.org:443:127.0.0.1:8443")
    try:
        address = str(ip_address(found["v6"] or found["v4"] or found["bare"]))
    except ValueError:
        raise ValueError("must have an IP address after HOST:PORT:") from None
    host = found["host"].strip("[]").lower()
    if _is_address(host):
        raise ValueError("must have a name before PORT: an address needs no look-up, and gets none")
    port = int(found["port"])
    to_port = int(found["to"] or port)
    if not (0 < port <= _LAST_PORT and 0 < to_port <= _LAST_PORT):
        raise ValueError(f"must have ports from 1 to {_LAST_PORT}")
    return Resolve(host=host, port=port, address=address, to_port=to_port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
