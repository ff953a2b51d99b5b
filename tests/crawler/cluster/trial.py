"""A fleet in earnest, for what takes minutes: many hosts, PostgreSQL, S3, workers as programs.

``python -m tests.crawler.cluster.scaling`` and ``….chaos`` are made of it; no test is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
from msgspec import Struct
from procrastinate import App

from crawler.cluster.place import QueuePlace
from crawler.cluster.queue import enqueue_site
from crawler.cluster.roster import Roster
from crawler.commands.fleet import asked, fleet
from crawler.conductor import open_writer
from storage.archive import Archive
from tests import s3
from tests.crawler.cluster.cable import Cable
from tests.crawler.cluster.fleet import config
from tests.crawler.cluster.hosts import Asked, Hosts
from tests.postgres import Server, own_server

T = TypeVar("T")

_SLUGLINE = Path(sys.executable).parent / "slugline"
_LEFT = """
SELECT (SELECT count(*) FROM procrastinate_jobs),
       (SELECT count(*) FROM slugline_sites WHERE state = 'done' AND url = ANY(%s))
"""


class Size(Struct, frozen=True, kw_only=True):
    """How many sites, of how many articles; as many of them name originals; requests a second."""

    sites: int
    articles: int
    originals: int
    rate: float


class Trial:
    """What all workers share. Mutable state: the servers', and the workers' processes."""

    #: What the single machine calls itself.
    ALONE = "alone"

    def __init__(self, folder: Path, size: Size, address: str = "") -> None:
        """Keep all in ``folder``; the database and the bucket are at ``address`` too, if any."""
        self.folder = folder
        self.size = size
        self._address = address
        self._hosts = Hosts(size.articles, size.originals)
        self._serving: subprocess.Popen[str]
        self.postgres: Server
        self.bucket: s3.S3Server
        self.roster: Roster
        self.place: QueuePlace

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the servers within, and queue every site."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # moto's, a line a request
        with ExitStack() as stack:
            self._serving = stack.enter_context(self._serve())
            self.postgres = stack.enter_context(own_server(self._address))
            self.bucket = stack.enter_context(s3.served("0.0.0.0"))  # noqa: S104  - by the cable too
            self._local = stack.enter_context(self.postgres.database())
            os.environ.update(self._environment())
            self.roster, self.place = fleet(self.write("here"), None)
            asyncio.run(self._make())
            self.ask(self.queue_all)
            yield

    async def _make(self) -> None:
        """Make the archive: of workers that find none, one makes it, and others want a restart."""
        async with open_writer(self.roster.defaults):
            pass

    @contextmanager
    def _serve(self) -> Iterator[subprocess.Popen[str]]:
        program = "tests.crawler.cluster.hosts"
        size = [str(self.size.articles), str(self.size.originals)]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [sys.executable, "-m", program, *size], stdin=pipe, stdout=pipe, text=True
        ) as serving:
            try:
                assert serving.stdout is not None
                self._hosts.port = int(serving.stdout.readline())
                yield serving
            finally:
                serving.kill()

    @property
    def port(self) -> int:
        """The port of all the sites."""
        return self._hosts.port

    @property
    def urls(self) -> list[str]:
        """The URLs of the sites."""
        return [self._hosts.site(number) for number in range(self.size.sites)]

    def log(self) -> list[Asked]:
        """End the sites, and return what they were asked."""
        out, _ = self._serving.communicate("")
        return [
            Asked(host=host, path=path, who=who, began=began, ended=ended)
            for host, path, who, began, ended in map(json.loads, out.splitlines())
        ]

    def _environment(self, *, far: bool = False) -> dict[str, str]:
        """Return the variables by which a worker finds the database and the bucket."""
        index = self._local
        if far:
            database = self._local.rpartition("/test_")[2].partition("?")[0]
            index = f"postgresql://postgres@{self._address}/test_{database}?connect_timeout=5"
        endpoint = f"http://{self._address if far else '127.0.0.1'}:{self.bucket.port}"
        return s3.environment(endpoint) | {
            "SLUGLINE_INDEX": f"{index}&schema=news",
            "SLUGLINE_SEGMENTS": f"s3://{s3.BUCKET}/archive",
        }

    def write(self, who: str, rate: float | None = None) -> Path:
        """Write the config.toml of a worker, in a folder of its own."""
        file = self.folder / who / "news.toml"
        file.parent.mkdir(exist_ok=True)
        text = config(self.urls, who, self.size.rate if rate is None else rate)
        file.write_text(text.replace('[cluster]\nqueue = ""', "[store]\nfiles = false"))
        return file

    def start(
        self, who: str, concurrency: int, cable: Cable | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker, in the namespace at the end of ``cable`` where there is one."""
        options = ["--config", str(self.write(who)), "--concurrency", str(concurrency)]
        command = [str(_SLUGLINE), "worker", *options]
        with (self.folder / f"{who}.log").open("a") as log:
            return subprocess.Popen(
                command if cable is None else cable.inside(*command),
                stderr=log,
                env=os.environ | self._environment(far=cable is not None),
            )

    def said(self) -> dict[str, list[str]]:
        """Return what each worker has written."""
        logs = self.folder.glob("*.log")
        return {each.stem: each.read_text().splitlines() for each in logs}

    async def queue_all(self, app: App) -> None:
        """Queue every site that does not wait already."""
        for url in self.urls:
            await enqueue_site(app, url)

    def ask(self, what: Callable[[App], Awaitable[T]]) -> T:
        """Ask the queue, made where it was not there."""
        return asked(self.place, what)

    def left(self) -> tuple[int, int] | None:
        """Return how many jobs there are, and sites read to their end; None: nobody answers."""
        try:
            with psycopg.connect(self.place.conninfo) as connection:
                row = connection.execute(_LEFT, (self.urls,)).fetchone()
        except psycopg.Error:
            return None
        return None if row is None else (row[0], row[1])

    def finished(self) -> bool:
        """Say whether every site has been read, and nothing waits or is being done."""
        return self.left() == (0, self.size.sites)

    def alone(self) -> Path:
        """Read the same sites with one run on this machine; returns its mirror."""
        file = self.write(self.ALONE, rate=0)
        hidden = {"SLUGLINE_INDEX", "SLUGLINE_SEGMENTS"}
        environment = {name: text for name, text in os.environ.items() if name not in hidden}
        command = [str(_SLUGLINE), "sync", "--config", str(file), "--quiet"]
        subprocess.run(command, env=environment, check=True)
        return file.parent / "mirror"


def contents(mirror: Path) -> dict[tuple[str, str], list[tuple[object, ...]]]:
    """Return what a mirror has of each article: its snapshots' keys, and all their digests."""
    found: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    with Archive.open(mirror) as archive:
        for row in archive.all_history(canonicals=True):
            manifest = archive.manifest(row)
            digests = sorted(manifest.content.items())
            bodies = tuple((one.format, one.digest) for one in manifest.representations)
            key = (row.updated_at, row.revision, row.reason, row.state, tuple(digests), bodies)
            found.setdefault((row.site, row.slug), []).append(key)
    return found


def told(mirror: Path, site: str, slug: str) -> list[str]:
    """Return where each snapshot of an article stands, and of which run it is."""
    with Archive.open(mirror) as archive:
        rows = [row for row in archive.all_history(canonicals=True) if row.site == site]
        return [
            f"r{row.revision} {row.sequence} {row.segment} at {row.offset}, {row.observed_at}, "
            f"run {row.run}"
            for row in rows
            if row.slug == slug
        ]


def processor_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return the seconds of a core that ``process`` has used so far (proc(5), stat)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
