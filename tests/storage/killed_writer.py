"""A writer to be killed: stores articles for ever and says each that is durable.

Run as a program: ROOT, the first article's number and, where segments go to a bucket, after how
many articles those are published each time.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from storage.writer import Writer
from tests.storage.drafts import article

#: Articles on their way at once: more than a batch, so that one is always being written.
_AT_ONCE = 100


async def main(root: Path, start: int, every: int) -> None:
    async with Writer(root) as writer:
        await writer.begin_run("mirror", ("https://news.example/",), datetime.now(UTC))
        say("open")
        room = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for number in range(start, start + 100_000):
                await room.acquire()
                group.create_task(store(writer, f"story-{number:06}", room))
                if every and number % every == 0:
                    group.create_task(writer.flush())


async def store(writer: Writer, slug: str, room: asyncio.Semaphore) -> None:
    made = await writer.commit(article(slug, coding="gzip"))
    say(made.slug)
    room.release()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *map(int, (*sys.argv[2:], "0")[:2])))
