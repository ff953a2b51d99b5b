"""Which addresses may be connected to: nobody's page leads into the operator's network.

Hosts that the user named (a URL, a config, ``--resolve``) may be any address, at the port they
were named with; every other must have a global one. Addresses are judged where they are used:
aiohttp connects to exactly what the resolver below returned, so no second look-up can change
it (DNS rebinding), and hosts that are addresses themselves, which aiohttp does not look up, are
judged before the request. RFC 6890 lists the special networks; RFC 6052 and 4291 put IPv4
addresses into IPv6 ones; those of 6to4 (RFC 3056) lead through relays that RFC 7526 gave up, and
are special, too. Behind a proxy the proxy looks names up: only literals are judged.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from crawler.transport.answer import Network
from crawler.transport.resolve import Resolve

_WEB_PORTS = frozenset({80, 443})
#: RFC 6052 section 2.1: the well-known prefix, with an IPv4 address in the last 32 bits.
_NAT64 = IPv6Network("64:ff9b::/96")
_LAST_32 = 0xFFFF_FFFF
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Forbidden(OSError):
    """The address guard's refusal; the message is a sentence."""


def is_global(address: IPv4Address | IPv6Address) -> bool:
    """Whether ``address`` is one of the public internet, and any that it holds is too."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_global(inner)
        if address.is_site_local or address.sixtofour is not None:
            return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified
    return address.is_global and not special


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that is meant where an IPv6 address only wraps one."""
    if isinstance(address, IPv4Address):
        return None
    return IPv4Address(int(address) & _LAST_32) if address in _NAT64 else address.ipv4_mapped


class Guard:
    """The rule for one run; ``named`` are URLs the user gave, ``allow`` networks for everybody.

    ``resolve`` names hosts too, and says where they are.
    """

    def __init__(
        self,
        named: Iterable[str] = (),
        *,
        allow: Iterable[Network] = (),
        resolve: Iterable[Resolve] = (),
    ) -> None:
        # mutable state: host and port pairs that the user named
        self._named: set[tuple[str, int]] = set()
        self._allow = tuple(allow)
        self._resolve = {(r.host, r.port): r for r in resolve}
        for host, port in self._resolve:
            self._name(host, port)
        for url in named:
            self.name(url)

    def name(self, url: str) -> None:
        """Let the host of ``url`` be any address: the user named it."""
        parts = URL(url, encoded=True)
        if parts.raw_host and parts.port is not None:
            self._name(parts.raw_host, parts.port)

    def is_named(self, host: str, port: int) -> bool:
        """Whether the user named ``host`` at ``port``."""
        return (host.lower(), port) in self._named

    def refusal(self, url: str | URL) -> str:
        """Say why ``url`` must not be asked for, or nothing; names are judged when looked up."""
        url = URL(url, encoded=True)
        if url.scheme not in {"http", "https"}:
            return "only http and https are fetched"
        host, port = url.raw_host, url.port
        if not host or port is None:
            return "the URL has no host"
        if self.is_named(host, port):
            return ""
        try:
            ip_address(host)
        except ValueError:
            return ""
        return "" if self.allows(host) else _sentence(host, host)

    async def refusal_of_name(self, url: URL) -> str:
        """Say why the host of ``url`` must not be asked by the addresses it has now, or nothing.

        What is connected to is judged again. A name that can't be looked up is not refused here.
        """
        host, port = url.raw_host, url.port
        if not host or port is None or self.is_named(host, port):
            return ""
        try:
            await self.resolver().resolve(host, port)
        except Forbidden as error:
            return str(error)
        except OSError:
            return ""
        return ""

    def allows(self, address: str) -> bool:
        """Whether hosts that nobody named may have ``address``."""
        found = ip_address(address)
        if is_global(found):
            return True
        inner = _inner(found) or found
        return any(found in network or inner in network for network in self._allow)

    def mapped(self, host: str, port: int) -> Resolve | None:
        """Return where ``--resolve`` says that ``host`` at ``port`` is."""
        return self._resolve.get((host.lower(), port))

    def resolver(self) -> AbstractResolver:
        """Return the only way from names to addresses, for aiohttp's connector."""
        return _Resolver(self)

    def _name(self, host: str, port: int) -> None:
        # A site named by http is named by https too; a port of its own is a service of its own.
        ports = _WEB_PORTS if port in _WEB_PORTS else (port,)
        self._named.update((host.lower(), p) for p in ports)


def _sentence(host: str, address: str) -> str:
    what = host if host == address else f"{host} has the address {address}, which"
    return (
        f"{what} is not public; name the host itself or use --allow-address {address} to allow it"
    )


async def addresses(
    host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC
) -> list[str]:
    """Look ``host`` up in the system's way; raises OSError where it has no address."""
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
    except UnicodeError as error:
        # No name of the DNS: an empty label, or one of over 63 characters (RFC 1035 2.3.4).
        raise socket.gaierror(socket.EAI_NONAME, "it is no name of a host") from error
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class _Resolver(AbstractResolver):
    """Looks names up in the system's way and lets only allowed addresses through."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host`` that may be connected to.

        Raises Forbidden where it has none of these, socket.gaierror where it has none at all.
        """
        mapped = self._guard.mapped(host, port)
        if mapped is not None:
            return [_result(host, mapped.address, mapped.to_port)]
        found = await addresses(host, port, family)
        named = self._guard.is_named(host, port)
        allowed = [a for a in found if named or self._guard.allows(a)]
        if found and not allowed:
            raise Forbidden(_sentence(host, found[0]))
        return [_result(host, address, port) for address in allowed]

    async def close(self) -> None:
        """Nothing is held."""


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=_NUMERIC
    )
