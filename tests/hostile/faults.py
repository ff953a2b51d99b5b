"""Ways of not answering as HTTP/1.1 asks (RFC 9112), by name, with the words a run has for each.

A fault's route is put at a path of the fault server. What sends bytes in time is built of the
few functions at the top.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.hostile.fault_server import Request, Route, Wire, answer, stall, trickle

PAGE = b"<!doctype html><title>Half a story</title><p>" + b"It begins well and goes on. " * 20
HTML = "Content-Type: text/html"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a server does in place of answering, and the words that a run has for it."""

    route: Route
    words: str


def sent(*pieces: bytes) -> Route:
    """Send ``pieces`` one by one, and close."""

    async def handler(_request: Request, wire: Wire) -> None:
        for piece in pieces:
            await wire.send(piece)
        wire.close()

    return handler


def broken(data: bytes) -> Route:
    """Send ``data``, wait for it to be read, and break the connection with a reset."""

    async def handler(_request: Request, wire: Wire) -> None:
        await wire.send(data)
        await asyncio.sleep(0.05)
        wire.reset()

    return handler


def kept_open(data: bytes) -> Route:
    """Send ``data``, then stay silent."""

    async def handler(_request: Request, wire: Wire) -> None:
        await wire.send(data)
        await wire.reader.read()

    return handler


def slowly(data: bytes, rest: bytes) -> Route:
    """Send ``data`` at once and ``rest`` at three bytes a second."""

    async def handler(_request: Request, wire: Wire) -> None:
        await wire.send(data)
        await trickle(wire, rest, 0.3)
        wire.close()

    return handler


def endless(data: bytes, piece: bytes) -> Route:
    """Send ``data``, then ``piece`` for ever, as fast as it is read."""

    async def handler(_request: Request, wire: Wire) -> None:
        await wire.send(data)
        while not wire.writer.is_closing():
            await wire.send(piece)

    return handler


def chunked(rest: bytes) -> bytes:
    return OK + b"Transfer-Encoding: chunked\r\n\r\n" + rest


def long(length: str) -> bytes:
    """Write an answer whose Content-Length says ``length``."""
    return answer(body=PAGE, headers=(HTML, f"Content-Length: {length}"), length=False)


CHUNK = b"%x\r\n%b\r\n" % (len(PAGE), PAGE)
LAST = b"0\r\n\r\n"

RESETS = {
    "reset after the request": Fault(broken(b""), "the connection was reset"),
    "closed after the request": Fault(sent(), "the server closed the connection without an answer"),
    "reset in the status line": Fault(broken(b"HTTP/1.1 2"), "the connection was reset"),
    "closed in the status line": Fault(
        sent(b"HTTP/1.1 2"), "the server closed the connection without an answer"
    ),
    "reset in the headers": Fault(broken(OK + b"X-Hal"), "the connection was reset"),
    "closed in the headers": Fault(
        sent(OK + b"X-Hal"), "the server closed the connection without an answer"
    ),
    "reset before the body": Fault(
        broken(OK + b"Content-Length: 9\r\n\r\n"), "the answer was cut short after 0 of 9 bytes"
    ),
    "reset in the body": Fault(
        broken(OK + b"Content-Length: 9000\r\n\r\n" + PAGE),
        "the answer was cut short after 605 of 9,000 bytes",
    ),
    "closed in the body": Fault(
        sent(long("9000")), "the answer was cut short after 605 of 9,000 bytes"
    ),
    "reset in a chunk's size": Fault(
        broken(chunked(b"2")), "the answer was cut short after 0 bytes"
    ),
    "closed in a chunk's size": Fault(
        sent(chunked(CHUNK + b"2")), "the answer was cut short after 605 bytes"
    ),
    "closed in a chunk": Fault(sent(chunked(CHUNK[:90])), "the answer was cut short after"),
    "closed before the last chunk": Fault(
        sent(chunked(CHUNK)), "the answer was cut short after 605 bytes"
    ),
    "reset before the last chunk": Fault(
        broken(chunked(CHUNK)), "the answer was cut short after 605 bytes"
    ),
    "closed in the last chunk": Fault(
        sent(chunked(CHUNK + b"0\r\n")), "the answer was cut short after 605 bytes"
    ),
    "reset of a body without length": Fault(
        broken(OK + b"\r\n" + PAGE), "the answer was cut short after 605 bytes"
    ),
}
LENGTHS = {
    "length too long, left open": Fault(
        kept_open(long("9000")), "the server was silent for 2 seconds"
    ),
    "length negative": Fault(
        sent(long("-1")), "the answer is not valid HTTP (Invalid character in Content-Length)"
    ),
    "length of a terabyte": Fault(
        kept_open(long("1099511627776")),
        "the answer announces 1,099,511,627,776 bytes; the bound is 2,097,152 bytes",
    ),
    "length of 30 digits": Fault(
        kept_open(long("9" * 30)), "the answer is not valid HTTP (Content-Length overflow)"
    ),
    "length of 5,000 digits": Fault(
        kept_open(long("9" * 5000)), "the answer is not valid HTTP (Content-Length overflow)"
    ),
    "length in hexadecimal": Fault(
        sent(long("0x10")), "the answer is not valid HTTP (Invalid character in Content-Length)"
    ),
    "length with a sign": Fault(
        sent(long("+5")), "the answer is not valid HTTP (Invalid character in Content-Length)"
    ),
    "length in words": Fault(
        sent(long("many")), "the answer is not valid HTTP (Invalid character in Content-Length)"
    ),
    "length empty": Fault(sent(long("")), "the answer is not valid HTTP (Empty Content-Length)"),
    "two different lengths": Fault(
        sent(long("5\r\nContent-Length: 6")),
        "the answer is not valid HTTP (Duplicate Content-Length)",
    ),
    "the same length twice": Fault(
        sent(long("5\r\nContent-Length: 5")),
        "the answer is not valid HTTP (Duplicate Content-Length)",
    ),
    "lengths in a list": Fault(
        sent(long("5, 5")), "the answer is not valid HTTP (Invalid character in Content-Length)"
    ),
    "length and chunked": Fault(
        sent(OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK + LAST),
        "the answer is not valid HTTP (Transfer-Encoding can't be present with Content-Length)",
    ),
}
CHUNKS = {
    "chunk size is no number": Fault(
        sent(chunked(b"zz\r\n" + CHUNK + LAST)),
        "the answer is not valid HTTP (Invalid character in chunk size)",
    ),
    "chunk size negative": Fault(
        sent(chunked(b"-5\r\nhello\r\n" + LAST)),
        "the answer is not valid HTTP (Invalid character in chunk size)",
    ),
    "chunk size empty": Fault(
        sent(chunked(b"\r\nhello\r\n" + LAST)),
        "the answer is not valid HTTP (Invalid character in chunk size)",
    ),
    "chunk size past 64 bits": Fault(
        kept_open(chunked(b"F" * 17 + b"\r\n" + PAGE)),
        "the answer is not valid HTTP (Chunk size overflow)",
    ),
    "chunk size of 2^63 - 1": Fault(
        kept_open(chunked(b"7" + b"F" * 15 + b"\r\n" + PAGE)), "the server was silent for 2 seconds"
    ),
    "chunk size of endless zeros": Fault(
        endless(chunked(b""), b"0" * 4096), "the answer was not complete within 3 seconds"
    ),
    "chunk longer than its size": Fault(
        sent(chunked(b"5\r\nhello, and more\r\n" + LAST)),
        "the answer is not valid HTTP (Expected LF after chunk data)",
    ),
    "endless chunk extension": Fault(
        endless(chunked(b"5;x="), b"y" * 4096), "the answer was not complete within 3 seconds"
    ),
    "trailer without a colon": Fault(
        sent(chunked(CHUNK + b"0\r\nnonsense\r\n\r\n")),
        "the answer is not valid HTTP (Invalid header token)",
    ),
    "endless trailers": Fault(
        endless(chunked(CHUNK + b"0\r\n"), b"X-T: 1\r\n" * 400),
        "the answer has too many header fields",
    ),
    "transfer coding gzip": Fault(
        sent(OK + b"Transfer-Encoding: gzip\r\n\r\n" + PAGE),
        "the answer has a transfer coding other than chunked",
    ),
    "transfer coding xchunked": Fault(
        sent(OK + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNK),
        "the answer has a transfer coding other than chunked",
    ),
    "chunked twice": Fault(
        sent(OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNK + LAST),
        "the answer has a transfer coding other than chunked",
    ),
}
SLOW = {
    "no answer at all": Fault(stall(), "the server was silent for 2 seconds"),
    "status line at 3 bytes a second": Fault(
        slowly(b"", OK * 9), "the answer did not begin in time"
    ),
    "headers at 3 bytes a second": Fault(
        slowly(OK, b"X-Slow: " + b"y" * 99), "the answer did not begin in time"
    ),
    "body at 3 bytes a second": Fault(
        slowly(OK + b"Content-Length: 999\r\n\r\n", PAGE),
        "the answer was not complete within 3 seconds",
    ),
    "chunks at 3 bytes a second": Fault(
        slowly(chunked(b""), b"1\r\nx\r\n" * 99), "the answer was not complete within 3 seconds"
    ),
    "body without length, left open": Fault(
        kept_open(OK + b"\r\n" + PAGE), "the server was silent for 2 seconds"
    ),
}
ENDLESS = {
    "one header without end": Fault(
        endless(OK + b"X-Long: ", b"y" * 4096), "a header field of the answer is over 65,536 bytes"
    ),
    "headers without end": Fault(
        endless(OK, b"X-More: 1\r\n" * 100), "the answer has too many header fields"
    ),
    "a status line without end": Fault(
        endless(b"HTTP/1.1 200 ", b"y" * 4096), "a header field of the answer is over 65,536 bytes"
    ),
    "a header folded without end": Fault(
        endless(OK + b"X-Fold: a\r\n", b" b\r\n" * 500),
        "a header field of the answer is over 65,536 bytes",
    ),
    "a body without end": Fault(endless(OK + b"\r\n", PAGE * 40), "the bound is 2,097,152 bytes"),
    "chunks without end": Fault(endless(chunked(b""), CHUNK * 40), "the bound is 2,097,152 bytes"),
    "interim answers without end": Fault(
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        "the answer never begins: over 16 interim answers",
    ),
    "early hints without end": Fault(
        endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 50),
        "the answer never begins: over 16 interim answers",
    ),
    "empty lines without end": Fault(
        endless(b"", b"\r\n" * 500),
        "the answer never begins: what comes before the body is over 131,072 bytes",
    ),
    "100 kB of header fields": Fault(
        sent(
            OK + b"".join(b"X-%d: %b\r\n" % (n, b"y" * 1000) for n in range(100)) + b"\r\n" + PAGE
        ),
        "the answer's header fields are over 65,536 bytes",
    ),
}
STATUS_LINES = {
    "HTTP/9.9": Fault(
        sent(b"HTTP/9.9 200 OK\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "HTTP/2": Fault(
        sent(b"HTTP/2 200 OK\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "HTTP/0.9": Fault(sent(PAGE), "the answer is not valid HTTP (Bad status line)"),
    "status 99": Fault(
        sent(b"HTTP/1.1 99 Low\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "status 1000": Fault(
        sent(b"HTTP/1.1 1000 High\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "status 000": Fault(
        sent(b"HTTP/1.1 000 Nought\r\n\r\n" + PAGE), "the answer has no valid status (0)"
    ),
    "status -1": Fault(
        sent(b"HTTP/1.1 -1 Minus\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "status in words": Fault(
        sent(b"HTTP/1.1 fine OK\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "no status": Fault(
        sent(b"HTTP/1.1\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "no protocol": Fault(
        sent(b"200 OK\r\n\r\n" + PAGE), "the answer is not valid HTTP (Bad status line)"
    ),
    "another protocol": Fault(
        sent(b"SSH-2.0-OpenSSH_9.9\r\n"), "the answer is not valid HTTP (Bad status line)"
    ),
    "a TLS alert": Fault(
        sent(b"\x15\x03\x01\x00\x02\x02\x46"), "the answer is not valid HTTP (Bad status line)"
    ),
    "binary noise": Fault(
        sent(bytes(range(256)) * 8), "the answer is not valid HTTP (Bad status line)"
    ),
    "switching protocols": Fault(
        sent(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        "the server changed to another protocol unasked",
    ),
    "304 that nobody asked for": Fault(
        sent(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        "the server answered 304 to an unconditional request",
    ),
    "204 with a body": Fault(
        sent(b"HTTP/1.1 204 No Content\r\n\r\n" + PAGE),
        "the answer is not valid HTTP (Bad status line)",
    ),
    "206 that nobody asked for": Fault(
        sent(b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/99\r\n\r\n" + PAGE),
        "the server answered 206 Partial Content",
    ),
    "status 999": Fault(
        sent(b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n"), "the server answered 999 No"
    ),
    "a terminal's codes in the reason": Fault(
        sent(b"HTTP/1.1 500 \x1b[2J\x1b]0;owned\x07\r\nContent-Length: 0\r\n\r\n"),
        "the server answered 500 \ufffd[2J\ufffd]0;owned\ufffd",
    ),
}
FIELDS = {
    "NUL in a value": Fault(
        sent(OK + b"X-A: a\x00b\r\n\r\n" + PAGE),
        "the answer is not valid HTTP (Invalid HTTP header)",
    ),
    "CR in a value": Fault(
        sent(OK + b"X-A: a\rSet-Cookie: b=c\r\n\r\n" + PAGE),
        "the answer is not valid HTTP (Missing expected LF after header value)",
    ),
    "no colon": Fault(
        sent(OK + b"nonsense\r\n\r\n" + PAGE), "the answer is not valid HTTP (Invalid header token)"
    ),
    "no name": Fault(
        sent(OK + b": x\r\n\r\n" + PAGE), "the answer is not valid HTTP (Invalid header token)"
    ),
    "a space before the colon": Fault(
        sent(OK + b"Content-Length : 5\r\n\r\n" + PAGE),
        "the answer is not valid HTTP (Bad status line)",
    ),
    "a name that is no token": Fault(
        sent(OK + b"X(\xff)@: y\r\n\r\n" + PAGE),
        "the answer is not valid HTTP (Invalid header token)",
    ),
}
FAULTS = RESETS | LENGTHS | CHUNKS | ENDLESS | STATUS_LINES | FIELDS
