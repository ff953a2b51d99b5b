"""Why a fetch gave no answer: one error type, with a kind for programs and a sentence for people.

The fault is the site's or the network's, and the user's only for ``url`` and ``guard``.
Everything aiohttp, asyncio, ssl and the system raise is translated here, once.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientResponseError,
    ConnectionTimeoutError,
    InvalidURL,
    ServerDisconnectedError,
    SocketTimeoutError,
)
from aiohttp.http_exceptions import (
    BadHttpMessage,
    ContentLengthError,
    HttpProcessingError,
    LineTooLong,
    TransferEncodingError,
)

from crawler.transport.answer import FetchSettings, Hop
from crawler.transport.guard import Forbidden
from crawler.transport.wire import EndlessHead

#: Characters of a foreign message that are quoted: a line on a terminal.
_QUOTED = 100
#: aiohttp's words for fields past its bound, in a head or behind a chunked body; and ours.
_TOO_MANY = "Too many headers"
_FIELDS = "the answer has too many header fields"
#: Links of a chain of causes that are followed; aiohttp makes three.
_MAX_CAUSES = 8
_NO_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_SYSTEM = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.ECONNRESET: "the connection was reset",
    errno.ECONNABORTED: "the connection was aborted",
    errno.EPIPE: "the connection was closed",
    errno.EHOSTUNREACH: "the host can't be reached",
    errno.ENETUNREACH: "the network can't be reached",
    errno.ETIMEDOUT: "there was no connection in time",
}
Kind = Literal[
    "url",  # not a URL that can be asked for
    "guard",  # the address guard forbids it
    "dns",  # the host has no address
    "connect",  # no connection: refused, unreachable, timed out
    "tls",  # no trustworthy TLS connection
    "proxy",  # the proxy refused
    "timeout",  # no answer in time
    "slow",  # below the minimum transfer rate, or past the total time
    "reset",  # closed or reset before or during the answer
    "truncated",  # the body ended before its stated length
    "protocol",  # not HTTP: bad status line, header, length or chunk
    "too-large",  # past a size bound
    "redirect",  # too many, in a circle, or to no usable URL
    "refused",  # the caller's own rule forbids a redirect's target
    "resting",  # the host is left alone until later
    "spool",  # our own disk could not take a large body
]


class FetchError(Exception):
    """No answer from ``url``; ``sentence`` says why in plain words.

    ``hops`` are the redirects followed until then. ``again``: the same request may do better
    later. ``unseen``: the server most likely never saw it. ``attempts`` counts the tries.
    """

    def __init__(
        self,
        url: str,
        kind: Kind,
        sentence: str,
        *,
        again: bool = False,
        hops: tuple[Hop, ...] = (),
        attempts: int = 1,
    ) -> None:
        super().__init__(sentence)
        self.url = url
        self.kind: Kind = kind
        self.sentence = sentence
        self.again = again
        self.unseen = False
        self.hops = hops
        self.attempts = attempts


class HostResting(FetchError):
    """The host's turn is over; ``until`` is when it may be asked again, None: not in this run."""

    def __init__(self, url: str, host: str, until: datetime | None, sentence: str) -> None:
        super().__init__(url, "resting", sentence)
        self.host = host
        self.until = until


def size_text(size: int) -> str:
    """Write a number of bytes for people."""
    return "1 byte" if size == 1 else f"{size:,} bytes"


def translate(url: str, error: BaseException, settings: FetchSettings) -> FetchError:
    """Say in our words what stopped an exchange with ``url`` before its body.

    ``error`` is aiohttp's (behind Dropped or not), or the TimeoutError of our own deadline.
    """
    if isinstance(error, ClientConnectorError):
        return _connecting(url, error)
    if isinstance(error, ClientResponseError | HttpProcessingError):
        return _protocol(url, error, settings)
    if isinstance(error, TimeoutError):
        return _late(url, error, settings)
    if isinstance(error, OSError | ServerDisconnectedError):
        return _lost(url, error)
    if isinstance(error, InvalidURL):
        return FetchError(url, "url", "this is no URL that can be asked for")
    sentence = f"the answer is not valid HTTP ({_shown(str(error))})"
    return FetchError(url, "protocol", sentence, again=True)


def translate_body(
    url: str, error: BaseException, settings: FetchSettings, received: int, length: int | None
) -> FetchError:
    """Say in our words what stopped a body after ``received`` of ``length`` bytes, if known."""
    if isinstance(error, SocketTimeoutError):
        return translate(url, error, settings)
    if isinstance(error, TimeoutError):
        bound = _seconds(settings.total_timeout)
        sentence = f"the answer was not complete within {bound}: {size_text(received)} came"
        return FetchError(url, "slow", sentence)
    if length is not None and received < length:
        sentence = f"the answer was cut short after {received:,} of {size_text(length)}"
        return FetchError(url, "truncated", sentence, again=True)
    broken = next((c for c in _causes(error) if isinstance(c, BadHttpMessage)), None)
    if broken is not None and broken.message.startswith(_TOO_MANY):
        return FetchError(url, "too-large", _FIELDS)
    if broken is not None and not _unfinished(broken):
        sentence = f"the answer's body is not valid HTTP ({_shown(broken.message)})"
        return FetchError(url, "protocol", sentence, again=True)
    sentence = f"the answer was cut short after {size_text(received)}"
    return FetchError(url, "truncated", sentence, again=True)


def _connecting(url: str, error: ClientConnectorError) -> FetchError:
    cause = error.os_error
    if isinstance(cause, Forbidden):
        return FetchError(url, "guard", str(cause))
    if isinstance(error, ClientConnectorCertificateError):
        reason = (
            getattr(error.certificate_error, "verify_message", "") or "it does not fit the host"
        )
        return FetchError(url, "tls", f"the server's certificate is not trusted: {_shown(reason)}")
    if isinstance(error, ClientConnectorSSLError):
        reason = str(getattr(cause, "reason", "") or cause).replace("_", " ").lower()
        return FetchError(url, "tls", f"no TLS connection could be made: {_shown(reason)}")
    if isinstance(error, ClientConnectorDNSError):
        if isinstance(cause, socket.gaierror) and cause.errno in _NO_NAME:
            return FetchError(url, "dns", f"the host {error.host} is not known")
        sentence = f"the address of {error.host} could not be looked up: {_system(cause)}"
        return FetchError(url, "dns", sentence, again=True)
    where = "the proxy: " if isinstance(error, ClientProxyConnectionError) else ""
    return FetchError(url, "connect", where + _system(cause), again=True)


def _seconds(number: float) -> str:
    return "1 second" if number == 1 else f"{number:g} seconds"


def _late(url: str, error: TimeoutError, settings: FetchSettings) -> FetchError:
    if isinstance(error, ConnectionTimeoutError):
        seconds = _seconds(settings.connect_timeout)
        return FetchError(url, "connect", f"there was no connection within {seconds}", again=True)
    if isinstance(error, SocketTimeoutError):
        silence = f"the server was silent for {_seconds(settings.read_timeout)}"
        return FetchError(url, "timeout", silence, again=True)
    return FetchError(url, "timeout", "the answer did not begin in time", again=True)


def _lost(url: str, error: OSError | ServerDisconnectedError) -> FetchError:
    if isinstance(error, OSError):
        return FetchError(url, "reset", _system(error), again=True)
    sentence = "the server closed the connection without an answer"
    return FetchError(url, "reset", sentence, again=True)


def _protocol(
    url: str, error: ClientResponseError | HttpProcessingError, settings: FetchSettings
) -> FetchError:
    if isinstance(error, ClientHttpProxyError):
        return FetchError(url, "proxy", f"the proxy answered with status {error.status}")
    # aiohttp calls the rest a status 400; no server sent one
    if any(isinstance(cause, LineTooLong) for cause in _causes(error)):
        bound = size_text(settings.max_header)
        return FetchError(url, "too-large", f"a header field of the answer is over {bound}")
    if any(isinstance(cause, EndlessHead) for cause in _causes(error)):
        return FetchError(url, "too-large", f"the answer never begins: {error.message}")
    if error.message.startswith(_TOO_MANY):
        return FetchError(url, "too-large", _FIELDS)
    # behind the colon aiohttp quotes the server's bytes, as Python writes them
    what = _shown(error.message).partition(": b'")[0]
    return FetchError(url, "protocol", f"the answer is not valid HTTP ({what})", again=True)


def _system(error: OSError) -> str:
    known = _SYSTEM.get(error.errno or 0)
    return known or _shown(error.strerror or str(error) or type(error).__name__)


def _unfinished(error: BadHttpMessage) -> bool:
    return isinstance(error, ContentLengthError | TransferEncodingError) and (
        "Not enough data" in error.message
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_MAX_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__


def _shown(text: str) -> str:
    """Quote the first line of foreign words, without what a terminal would obey."""
    line = text.strip().partition("\n")[0].rstrip(": ")[:_QUOTED]
    return "".join(c if c.isprintable() else "?" for c in line)
