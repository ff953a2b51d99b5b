"""The site that is mirrored: written, edited and put back, served, and its requests counted."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import mean
from types import TracebackType
from typing import Self
from urllib.parse import unquote

from msgspec.structs import replace

from crawler.demo.newsroom import Newsroom
from tests.newsroom_site import Written, read_manifest, write_newsroom
from tests.nginx import LOOPBACK, Nginx, Served

#: Time between two edits: thousands of them stay within days of the newest story.
EDITED_EVERY = timedelta(seconds=61)
_LASTMOD = re.compile(rb"\s*<lastmod>[^<]*</lastmod>")


@dataclass(frozen=True)
class Traffic:
    """What the access log says of one crawl; ``received`` is bytes of bodies as sent."""

    requests: int
    received: int
    statuses: Mapping[int, int] = field(default_factory=dict)


def count(lines: Iterable[Served]) -> Traffic:
    """Count a log's lines."""
    lines = list(lines)
    return Traffic(
        requests=len(lines),
        received=sum(line.size for line in lines),
        statuses=dict(sorted(Counter(line.status for line in lines).items())),
    )


def spread(slugs: Sequence[str], fraction: float) -> list[str]:
    """Choose ``fraction`` of ``slugs``, at least one, evenly: the same ones each time."""
    number = min(len(slugs), max(1, round(len(slugs) * fraction)))
    return [slugs[at * len(slugs) // number] for at in range(number)]


def newsroom(base: str, articles: int, length: int) -> Newsroom:
    """Write a newsroom whose articles are each as long as ``length`` of the demo's stories."""
    records = Newsroom.create(base, articles).records
    bodies = [record.body_md or "" for record in records]
    long = (
        replace(record, body_md="\n\n".join((bodies * 2)[at : at + length]))
        for at, record in enumerate(records)
    )
    return Newsroom.of(base, tuple(long))


class Site:
    """The newsroom behind nginx, while entered. State: what is written now, and the processes.

    ``base`` is where clients find it: the relay where there is a delay, else nginx itself.
    """

    def __init__(
        self,
        folder: Path,
        articles: int,
        *,
        length: int = 1,
        delay: float = 0,
        dated: bool = True,
    ) -> None:
        """Keep everything in ``folder``; ``delay`` in milliseconds, ``length`` as in ``newsroom``.

        ``dated``: the sitemap says when articles changed. Raises nginx.NginxMissing.
        """
        self._folder, self._delay, self._dated = folder, delay, dated
        self._nginx = Nginx(folder / "site", folder / "nginx")
        self._relay = socket.create_server((LOOPBACK, 0), backlog=1024) if delay else None
        if self._relay is not None:
            self._nginx.base = f"http://{LOOPBACK}:{self._relay.getsockname()[1]}"
        self.base = self._nginx.base
        self._original = self._edited = newsroom(self.base, articles, length)
        self.written = self._write(self._original)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._nginx)
        if self._relay is not None:
            self._stack.callback(self._relay.close)
            self._start_relay(self._relay)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start_relay(self, listening: socket.socket) -> None:
        fd = listening.fileno()
        module = [sys.executable, "-m", "tests.benchmarks.delay"]
        process = subprocess.Popen(
            [*module, str(fd), str(self._nginx.port), str(self._delay)],
            pass_fds=[fd],
            cwd=Path(__file__).parents[2],
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)

    def edit(self, fraction: float) -> frozenset[str]:
        """Edit that part of the articles openly; gives the digests of what is new with that."""
        before = frozenset(self.digests())
        changed = self._original
        # an edit is the newest thing on a site: that moves the dates of the lists too, and nginx's
        # validators, which are made of time and size
        at = max(record.updated_at for record in changed.records if record.updated_at)
        for slug in spread(list(changed.stories), fraction):
            at += EDITED_EVERY
            changed = changed.edit(slug, at=at)
        self.written = self._write(changed)
        return frozenset(self.digests()) - before

    def edit_on(self, fraction: float, number: int) -> None:
        """Edit that part of the articles on top of what was edited before; not the same ones."""
        changed = self._edited
        at = max(record.updated_at for record in changed.records if record.updated_at)
        slugs = list(changed.stories)
        turn = number % len(slugs)
        for slug in spread([*slugs[turn:], *slugs[:turn]], fraction):
            at += EDITED_EVERY
            changed = changed.edit(slug, at=at)
        self._edited = changed
        self.written = self._write(changed)

    def put_back(self) -> None:
        """Undo the edits: the bytes and times of the first day."""
        self.written = self._write(self._original)

    def _write(self, published: Newsroom) -> Written:
        written = write_newsroom(self._folder, published)
        if not self._dated:
            for file in written.root.glob("sitemap*.xml"):
                when = file.stat().st_mtime
                file.write_bytes(_LASTMOD.sub(b"", file.read_bytes()))
                os.utime(file, (when, when))
        return written

    def size(self) -> tuple[float, float]:
        """Return a representation's mean bytes, plain and as they are sent."""
        files = [self.written.root / unquote(path).lstrip("/") for path in self.paths()]
        sent = [file.with_name(f"{file.name}.gz") for file in files]
        return mean(file.stat().st_size for file in files), mean(f.stat().st_size for f in sent)

    def digests(self) -> Iterator[str]:
        """Give the SHA-256 of every representation as it is served now."""
        for line in read_manifest(self.written.manifest):
            yield line.sha256

    def paths(self) -> Iterator[str]:
        """Give the path of every representation."""
        for line in read_manifest(self.written.manifest):
            yield line.path

    def traffic(self) -> Traffic:
        """Count what was served since this was last asked."""
        return count(self._nginx.take())


def server_seconds(parent: int | None = None) -> float:
    """Return the CPU seconds of this process's children and theirs, as long as they live.

    Asked between crawls that is nginx and the relay. 0 where there is no /proc.
    """
    ticks = 0
    for listed in Path(f"/proc/{parent or os.getpid()}/task").glob("*/children"):
        for child in listed.read_text("ascii").split():
            fields = Path(f"/proc/{child}/stat").read_text("utf-8").rpartition(") ")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            ticks += round(server_seconds(int(child)) * os.sysconf("SC_CLK_TCK"))
    return ticks / os.sysconf("SC_CLK_TCK")
