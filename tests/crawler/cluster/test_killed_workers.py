"""Workers that are killed, over one archive in PostgreSQL and a bucket: none lost, none twice."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from crawler.cluster.queue import enqueue_site, queue_app
from crawler.cluster.tables import prepare
from crawler.commands.fleet import fleet
from storage.archive import Archive
from tests.crawler.cluster.fleet import config, done, serving, until
from tests.crawler.cluster.hosts import overlaps, too_fast

SITES, ARTICLES, RATE = 6, 12, 8


async def start(file: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crawler.cluster.child", file, stdout=sys.stderr
    )


def write(root: Path, who: str, urls: list[str]) -> Path:
    (root / who).mkdir()
    file = root / who / "news.toml"
    file.write_text(
        config(urls, who, RATE).replace("[cluster]", "[store]\nfiles = false\n[cluster]")
    )
    return file


@pytest.mark.slow
async def test_what_killed_workers_had_in_hand_is_finished_once(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bucket").mkdir()
    monkeypatch.setenv("SLUGLINE_INDEX", f"{database}&schema=news")
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"file://{tmp_path}/bucket")
    async with serving(ARTICLES) as hosts:
        urls = [hosts.site(n) for n in range(SITES)]
        one, two = (write(tmp_path, who, urls) for who in ("one", "two"))
        roster, place = fleet(one, None)
        await prepare(place)
        async with queue_app(place).open_async() as app:
            for url in urls:
                await enqueue_site(app, url)
            first, other = await start(one), await start(two)
            await until(lambda _: len(hosts.log) > SITES * ARTICLES // 3, app, roster)
            first.send_signal(signal.SIGKILL)
            await first.wait()
            again = await start(one)
            await until(lambda _: len(hosts.log) > SITES * ARTICLES // 2, app, roster)
            other.send_signal(signal.SIGKILL)
            await other.wait()
            await until(done, app, roster)
            again.send_signal(signal.SIGKILL)
            await again.wait()
    # what was read and not yet spooled when a worker was killed is read again, and stored once
    with Archive.open(roster.into) as archive:
        stored = Counter((row.site, row.slug) for row in archive.all_history())
    assert len(stored) == SITES * ARTICLES
    assert set(stored.values()) == {1}
    assert list(overlaps(hosts.log)) == []
    assert list(too_fast(hosts.log, RATE)) == []
