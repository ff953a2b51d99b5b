"""A worker whose database or bucket is away, at its start or later: it waits, and then works."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crawler.cluster.place import QueueAway, QueueError, queue_place
from crawler.cluster.queue import enqueue_site, queue_app
from crawler.cluster.tables import prepare
from crawler.cluster.waiting import Losses, when_there
from storage.errors import SegmentsAway, SegmentsRefused
from storage.layout import Places
from storage.segments.objects import Objects
from tests.crawler.cluster.fleet import config, serving
from tests.postgres import own_server
from tests.s3 import BUCKET, served

SECONDS = 60


class Worker:
    """A worker that runs as a program: what it says, and how it ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def says(self, words: str) -> None:
        """Wait until it has said so."""
        stderr = self._process.stderr
        assert stderr is not None
        async with asyncio.timeout(SECONDS):
            while not any(words in line for line in self.lines):
                line = await stderr.readline()
                assert line, f"it ended: {self.lines}"
                self.lines.append(line.decode())

    async def ends(self) -> int:
        """Wait for its end."""
        async with asyncio.timeout(SECONDS):
            _, said = await self._process.communicate()
        self.lines += said.decode().splitlines()
        return self._process.returncode or 0

    def term(self) -> None:
        self._process.send_signal(signal.SIGTERM)


@asynccontextmanager
async def started(
    folder: Path, index: str, segments: str, site: str = "http://127.0.1.1:9/"
) -> AsyncIterator[Worker]:
    """Start `slugline worker` in ``folder``, and leave none of it."""
    file = folder / "news.toml"
    file.write_text(config([site], "one", 0))
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-c",
            "from crawler.cli import main; main()",
            "worker",
            "--config",
            file,
            "--into",
            folder / "mirror",
        ),
        env=os.environ | {"SLUGLINE_INDEX": index, "SLUGLINE_SEGMENTS": segments},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Worker(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_waits_for_the_database_and_the_bucket_and_says_so_once(tmp_path: Path) -> None:
    with own_server() as server, served() as s3:
        server.stop()
        s3.stop()
        async with started(tmp_path, f"{server.url()}&schema=news", "s3://archive/news") as worker:
            await worker.says("waiting: the queue in ")
            server.start()
            await worker.says("the segments in s3://archive/news can't be had")
            s3.start()
            await worker.says("takes up to 16 jobs")
            worker.term()
            assert await worker.ends() == 0
    assert sum(" waiting: " in line for line in worker.lines) == 2


async def test_sigterm_ends_the_wait(tmp_path: Path) -> None:
    index = f"postgresql:///news?host={tmp_path}"
    async with started(tmp_path, index, f"file://{tmp_path}/bucket") as worker:
        await worker.says(" waiting: ")
        worker.term()
        assert await worker.ends() == 0


async def test_a_database_that_it_does_not_have_ends_it_at_once(
    tmp_path: Path, database: str
) -> None:
    index = database.replace("/test_", "/none_")
    async with started(tmp_path, index, f"file://{tmp_path}/bucket") as worker:
        assert await worker.ends() == 1
    assert len(worker.lines) == 1
    assert "does not exist" in worker.lines[0]


async def test_one_that_works_puts_its_jobs_back_and_goes_on_once_the_bucket_is_back(
    tmp_path: Path, database: str
) -> None:
    index = f"{database}&schema=news"
    queue = queue_place(index, Places(root=tmp_path))
    async with serving(articles=2, dated=False) as hosts:
        site = hosts.site(0)
        with served() as s3:
            async with started(tmp_path, index, f"s3://{BUCKET}/worked", site) as worker:
                await worker.says("takes up to 16 jobs")
                async with queue_app(queue).open_async() as app:
                    await enqueue_site(app, site)
                    await worker.says(f"{site} done, 2 articles, 2 new snapshots")
                    s3.stop()
                    await enqueue_site(app, site)
                    await worker.says("its jobs go back into the queue: the segments in s3://")
                    s3.start()
                    await worker.says(f"{site} done, 2 articles, 0 new snapshots")
                worker.term()
                assert await worker.ends() == 0


def test_a_bucket_that_refuses_one_that_works_is_believed_after_a_while() -> None:
    now = [0.0]
    losses, no = Losses(lambda: now[0]), SegmentsRefused("s3://b/", "its server said 403")
    with pytest.raises(SegmentsRefused):
        losses.take(no)
    losses.began()
    assert [losses.take(no) for _ in range(3)] == [1, 2, 3]
    losses.began()
    assert [losses.take(no) for _ in range(2)] == [4, 5]
    losses.began()
    with pytest.raises(SegmentsRefused):
        losses.take(no)
    losses.began()
    now[0] = 3600.0
    assert losses.take(no) == 1
    away = SegmentsAway("s3://b/", "its server could not be reached")
    assert [losses.take(away) for _ in range(8)] == list(range(2, 10))


async def test_what_is_back_is_gone_on_with_and_named_once(tmp_path: Path) -> None:
    said: list[str] = []
    with served() as s3:
        s3.stop()

        async def attempt() -> bool:
            try:
                return await asyncio.to_thread(Objects("s3://archive/news").are_there)
            except SegmentsAway:
                s3.start()
                raise

        assert await when_there(attempt, asyncio.Event(), said.append) is False
    (line,) = said
    assert line.startswith("waiting: the segments in s3://archive/news can't be had: ")


async def test_a_bucket_that_is_not_there_is_not_waited_for() -> None:
    async def attempt() -> bool:
        return await asyncio.to_thread(Objects("s3://none/news").are_there)

    with served(), pytest.raises(SegmentsRefused, match="NoSuchBucket"):
        await when_there(attempt, asyncio.Event(), lambda _: None)


async def test_told_to_stop_it_tries_no_more(tmp_path: Path) -> None:
    place = queue_place(f"postgresql:///news?host={tmp_path}", Places(root=tmp_path))
    stop = asyncio.Event()

    async def attempt() -> bool:
        stop.set()
        await prepare(place)
        return True

    assert await when_there(attempt, stop, lambda _: None) is None
    with pytest.raises(QueueAway):
        await prepare(place)


async def test_a_user_that_the_database_does_not_know_is_not_waited_for(
    tmp_path: Path, database: str
) -> None:
    place = queue_place(database.replace("postgres@", "nobody@"), Places(root=tmp_path))

    async def attempt() -> None:
        await prepare(place)

    with pytest.raises(QueueError, match="nobody") as told:
        await when_there(attempt, asyncio.Event(), lambda _: None)
    assert not isinstance(told.value, QueueAway)
