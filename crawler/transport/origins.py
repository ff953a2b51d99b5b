"""What all requests to one origin share, made once: its way, its proxy, its header fields.

Between two requests only the target and the conditions differ; the rest is written here, checked
and kept. RFC 9112 section 3 is the request as it goes out, RFC 9110 section 4.3 the origin.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from yarl import URL

from crawler.transport.answer import FetchSettings, Headers
from crawler.transport.connect import Connections, Proxy, Way, proxy_of
from crawler.transport.faults import FetchError
from crawler.transport.guard import Guard
from crawler.transport.headers import joined, wishes, written

#: Different wishes whose fields are kept ready for a host: a format has its own Accept.
_MAX_GREETINGS = 64
#: The shortest text before a URL's path, but for a host's name.
_LEAST_ORIGIN = len("https://")
#: RFC 9112 section 3.2.1: a request's target, all of it printable ASCII; a fragment is never sent.
_TARGET = re.compile(r"/[!-\"$-~]*")


class Wishes(NamedTuple):
    """What a request asks for in its own way: see headers.wishes."""

    accept: str | None
    encodings: str | None
    fresh: bool


class Origin:
    """One scheme, host and port. ``key`` is its host's, as urls.host_key gives it.

    ``private`` fields are sent to it alone; ``prefix`` stands before a target that a proxy reads.
    Mutable state: the fields of a request as it writes them, by wishes.
    """

    __slots__ = ("_fields", "_greetings", "_prefix", "key", "private", "way")

    def __init__(
        self, key: str, way: Way, fields: dict[str, str], private: Headers, prefix: str
    ) -> None:
        self.key = key
        self.way = way
        self.private = private
        self._fields = fields
        self._prefix = prefix
        self._greetings: dict[Wishes, str] = {}

    def request(self, target: str, wanted: Wishes, conditions: dict[str, str]) -> bytes:
        """Write a request for ``target``."""
        greeting = self._greetings.get(wanted)
        if greeting is None:
            own = wishes(wanted.accept, wanted.encodings, fresh=wanted.fresh)
            greeting = written(joined(self._fields, own, dict(self.private)))
            if len(self._greetings) < _MAX_GREETINGS:
                self._greetings[wanted] = greeting
        if conditions:
            greeting += written(conditions)
        return f"GET {self._prefix}{target} HTTP/1.1\r\n{greeting}\r\n".encode()


class Proxies:
    """Which proxy a host is asked through. Raises ConnectError for one that can't be used."""

    def __init__(self, settings: FetchSettings) -> None:
        self._by_host = {
            host: proxy_of(url) if url else None for host, url in settings.proxies.items()
        }
        self._other = proxy_of(settings.proxy) if settings.proxy else None

    def of(self, host: str) -> Proxy | None:
        """Return the proxy for ``host``, a host key, if there is one."""
        return self._by_host.get(host, self._other)

    def named(self) -> list[str]:
        """List the URLs of all of them: the user named these hosts."""
        return [str(proxy.url) for proxy in (*self._by_host.values(), self._other) if proxy]


class Origins:
    """The origins asked in one run. Mutable state: those known, by what stands before a path."""

    def __init__(
        self, settings: FetchSettings, guard: Guard, proxies: Proxies, connections: Connections
    ) -> None:
        self.connections = connections
        self._settings = settings
        self._guard = guard
        self._proxies = proxies
        self._own = {
            "User-Agent": settings.agent,
            "Accept": settings.accept,
            "Accept-Encoding": settings.encodings or "identity",
        }
        self._known: dict[str, Origin] = {}

    def find(self, url: str) -> tuple[Origin, str]:
        """Return the origin of ``url``, and the target that it is asked for.

        Raises FetchError where it is no URL that can be asked for, or the guard forbids it.
        """
        end = url.find("/", _LEAST_ORIGIN)
        origin = self._known.get(url[:end])
        target = url[end:]
        if origin is None or _TARGET.fullmatch(target) is None:
            return self._first(url)
        return origin, target

    def _first(self, url: str) -> tuple[Origin, str]:
        """Judge and take apart a URL of an origin that is not known, or one in no normal form."""
        parsed, key = taken_apart(url)
        if refusal := self._guard.refusal(parsed):
            raise FetchError(url, "guard", refusal)
        target = parsed.raw_path_qs
        if _TARGET.fullmatch(target) is None:
            raise _no_url(url)
        place = f"{parsed.scheme}://{parsed.host_port_subcomponent}"
        origin = self._known.get(place)
        if origin is None:
            origin = self._known[place] = self._new(place, parsed, key)
        return origin, target

    def _new(self, place: str, parsed: URL, key: str) -> Origin:
        proxy = self._proxies.of(key)
        fields = {"Host": parsed.host_port_subcomponent or ""} | self._own
        prefix = ""
        if proxy is not None and parsed.scheme == "http":
            # A plain request is the proxy's to read; of a tunnel it reads only what opens it.
            fields, prefix = joined(fields, proxy.headers), place
        return Origin(
            key,
            self.connections.way(URL(place, encoded=True), proxy, self._own),
            fields,
            self._settings.headers.get(key, ()),
            prefix,
        )


def taken_apart(url: str) -> tuple[URL, str]:
    """Return the URL as aiohttp takes it, and its ``host:port`` as urls.host_key gives it."""
    try:
        parsed = URL(url, encoded=True)
        key = f"{parsed.host_subcomponent}:{parsed.port}"
    except ValueError:
        raise _no_url(url) from None
    return parsed, key


def _no_url(url: str) -> FetchError:
    return FetchError(url, "url", "this is no URL that can be asked for")
