"""What the system and aiohttp raise, in words for people."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientOSError,
    ClientPayloadError,
    ClientProxyConnectionError,
    SocketTimeoutError,
)
from aiohttp.client_reqrep import ConnectionKey

from crawler.transport.faults import size_text, translate, translate_body
from tests.crawler.fetching import settings

URL = "https://news.example/a"
KEY = ConnectionKey("news.example", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "kind", "words", "again"),
    [
        (
            ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_NONAME, "Name unknown")),
            "dns",
            "the host news.example is not known",
            False,
        ),
        (
            ClientConnectorDNSError(KEY, socket.gaierror(socket.EAI_AGAIN, "Try again")),
            "dns",
            "the address of news.example could not be looked up: Try again",
            True,
        ),
        (
            ClientConnectorError(KEY, OSError(errno.EHOSTUNREACH, "No route")),
            "connect",
            "the host can't be reached",
            True,
        ),
        (
            ClientConnectorError(KEY, OSError("Multiple exceptions: [Errno 111], [Errno 111]")),
            "connect",
            "Multiple exceptions: [Errno 111], [Errno 111]",
            True,
        ),
        (
            ClientProxyConnectionError(KEY, OSError(errno.ECONNREFUSED, "Refused")),
            "connect",
            "the proxy: the connection was refused",
            True,
        ),
        (
            ClientConnectorSSLError(KEY, ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong")),
            "tls",
            "no TLS connection could be made",
            False,
        ),
        (ClientOSError(errno.ECONNRESET, "Reset"), "reset", "the connection was reset", True),
        (TimeoutError(), "timeout", "the answer did not begin in time", True),
        (ClientPayloadError("odd\nlines"), "protocol", "not valid HTTP (odd)", True),
    ],
)
def test_every_failure_has_a_kind_and_words(
    error: BaseException, kind: str, words: str, again: bool
) -> None:
    found = translate(URL, error, settings())
    assert (found.kind, found.again) == (kind, again)
    assert words in found.sentence
    assert str(found) == found.sentence


def test_a_body_that_stops_says_how_far_it_came() -> None:
    cut = translate_body(URL, ClientPayloadError("x"), settings(), 1024, 4096)
    assert cut.sentence == "the answer was cut short after 1,024 of 4,096 bytes"
    lost = translate_body(URL, ClientOSError(errno.ECONNRESET, "Reset"), settings(), 1, None)
    assert (lost.kind, lost.sentence) == ("truncated", "the answer was cut short after 1 byte")
    silent = translate_body(URL, SocketTimeoutError(), settings(), 1, 2)
    assert silent.kind == "timeout"


def test_foreign_words_can_not_steer_a_terminal() -> None:
    error = ClientPayloadError("\x1b[31mred\x07" + "x" * 500)
    sentence = translate(URL, error, settings()).sentence
    assert sentence.isprintable()
    assert len(sentence) < 200


def test_sizes_are_written_for_people() -> None:
    assert (size_text(0), size_text(1), size_text(4096)) == ("0 bytes", "1 byte", "4,096 bytes")
