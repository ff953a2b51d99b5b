"""Several small sites in one process, which writes down when each request came and was done with.

    python -m tests.politeness.hosts < PLAN

Bare sockets on ports of their own, so that nothing stands between the wire and the log; a request
came when the kernel had it (SO_TIMESTAMPNS, on Linux), however late this process looks.
The first line of stdin is the plan, a JSON list of Hosted; the first line of stdout the ports. At
the end of stdin the log follows: a JSON list of Visits a host, times in seconds.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

import msgspec
from msgspec import Struct

LOOPBACK = "127.0.0.1"
#: SO_TIMESTAMPNS of asm-generic/socket.h, for which Python has no name, and the timespec it gives.
_STAMPED = 35
_STAMP = struct.Struct("@ll")
#: Niceness of the server, where it may be chosen.
_PRIORITY = -15
#: An article's words: few, so that the pace bounds a run and not the processor.
_WORDS = "The old bridge is closed. " * 20


class Hosted(Struct, frozen=True, kw_only=True):
    """A site of ``articles``, each in HTML and Markdown, answering after about ``latency`` seconds.

    ``crawl_delay`` stands in robots.txt where there is one. ``busy``: every answer is a 429 with
    this Retry-After, in seconds.
    """

    articles: int
    latency: float = 0.0
    crawl_delay: float = 0.0
    busy: int = 0


class Visit(Struct, frozen=True, array_like=True):
    """One request: its path, when its last byte came, and when its answer was about to be sent."""

    path: str
    came: float
    done: float


class Site:
    """One host's answers and its log, the mutable part."""

    def __init__(self, hosted: Hosted) -> None:
        self.hosted = hosted
        self.base = ""
        self.log: list[Visit] = []
        self.dice = random.Random(hosted.articles)

    def answer(self, path: str) -> bytes:
        """Write the whole answer to a GET of ``path``."""
        if self.hosted.busy:
            return _written(
                "429 Too Many Requests", "text/plain", "later", f"Retry-After: {self.hosted.busy}"
            )
        found = self._page(path)
        return _written("200 OK", *found) if found else _written("404 Not Found", "text/plain", "")

    def delay(self) -> float:
        """Seconds to think about one answer: from half to one and a half times the latency."""
        return self.hosted.latency * self.dice.uniform(0.5, 1.5)

    def _page(self, path: str) -> tuple[str, str] | None:
        if path == "/robots.txt":
            delay = self.hosted.crawl_delay
            rule = f"Crawl-delay: {delay:g}\n" if delay else ""
            return "text/plain", f"User-agent: *\n{rule}Sitemap: {self.base}/sitemap.xml\n"
        if path == "/":
            return "text/html", "<!doctype html><title>News</title><h1>News</h1>"
        if path == "/sitemap.xml":
            items = "".join(
                f"<url><loc>{self.base}/news/{number}</loc></url>"
                for number in range(self.hosted.articles)
            )
            return "application/xml", f"<urlset>{items}</urlset>"
        name = path.removeprefix("/news/")
        if name.removesuffix(".md").isdigit():
            return self._article(name.removesuffix(".md"), markdown=name.endswith(".md"))
        return None

    def _article(self, number: str, *, markdown: bool) -> tuple[str, str]:
        url, title, moment = f"{self.base}/news/{number}", f"Story {number}", "2026-06-19T09:13:50Z"
        if markdown:
            front = f'---\ntitle: "{title}"\nupdated_at: {moment}\n---\n'
            return "text/markdown", f"{front}{_WORDS}\n"
        return "text/html", (
            f"<!doctype html><html lang=en><title>{title}</title>"
            f'<link rel=canonical href="{url}"><link rel=alternate type="text/markdown" '
            f'href="{url}.md"><meta property="og:type" content="article">'
            f'<meta property="article:modified_time" content="{moment}">'
            f"<article><h1>{title}</h1><p>{_WORDS}</p></article>"
        )


class Connection:
    """One client's connection: a request at a time, kept open between them."""

    def __init__(self, site: Site, wire: socket.socket) -> None:
        self.site = site
        self.wire = wire
        self.received = b""
        self.loop = asyncio.get_running_loop()
        self.answers: set[asyncio.Task[None]] = set()
        wire.setblocking(False)
        self.loop.add_reader(wire, self._readable)

    def _readable(self) -> None:
        """Note a request that has come whole, and answer it in its time."""
        try:
            data, notes, _, _ = self.wire.recvmsg(1 << 16, socket.CMSG_SPACE(_STAMP.size))
        except OSError:
            data, notes = b"", []
        came = _moment(notes)
        if not data:
            self.loop.remove_reader(self.wire)
            self.wire.close()
            return
        self.received += data
        head, end, rest = self.received.partition(b"\r\n\r\n")
        if end:
            self.received = rest
            path = head.split(b" ", 2)[1].decode("ascii")
            answer = self.loop.create_task(self._answer(path, came))
            self.answers.add(answer)
            answer.add_done_callback(self.answers.discard)

    async def _answer(self, path: str, came: float) -> None:
        await asyncio.sleep(self.site.delay())
        answer = self.site.answer(path)
        # Before it is sent: the client may have it, and ask again, before another line runs here.
        self.site.log.append(Visit(path, came, time.time()))
        with suppress(OSError):
            await self.loop.sock_sendall(self.wire, answer)


def _moment(notes: Iterable[tuple[int, int, bytes]]) -> float:
    """Return when the system had the bytes, where it says so, else now."""
    for level, kind, value in notes:
        if (level, kind, len(value)) == (socket.SOL_SOCKET, _STAMPED, _STAMP.size):
            seconds, nanoseconds = _STAMP.unpack(value)
            return float(seconds + nanoseconds / 1e9)
    return time.time()


def _written(status: str, kind: str, body: str, *fields: str) -> bytes:
    length = f"Content-Length: {len(body.encode())}"
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", length, *fields, "", body]
    return "\r\n".join(lines).encode()


async def _serve(plan: list[Hosted]) -> None:
    # A log is only as true as its clock is prompt: where that is allowed, nobody comes first.
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    loop = asyncio.get_running_loop()
    sites = [Site(hosted) for hosted in plan]
    ports = []
    doors = []
    for site in sites:
        door = socket.create_server((LOOPBACK, 0), backlog=1024)
        door.setblocking(False)
        if sys.platform == "linux":
            # what is accepted inherits it, and so has its first request stamped too
            door.setsockopt(socket.SOL_SOCKET, _STAMPED, 1)
        doors.append(loop.create_task(_welcome(site, door)))
        port = door.getsockname()[1]
        site.base = f"http://{LOOPBACK}:{port}"
        ports.append(port)
    _say(msgspec.json.encode(ports))
    await asyncio.to_thread(sys.stdin.buffer.read)
    _say(msgspec.json.encode([sorted(site.log, key=lambda visit: visit.came) for site in sites]))


async def _welcome(site: Site, door: socket.socket) -> None:
    with door:
        while True:
            wire, _ = await asyncio.get_running_loop().sock_accept(door)
            Connection(site, wire)


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(_serve(msgspec.json.decode(sys.stdin.buffer.readline(), type=list[Hosted])))
