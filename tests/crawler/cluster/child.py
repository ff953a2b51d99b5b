"""A worker as a program, with the tests' short times: `python -m … CONFIG`, to be killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from crawler.cluster.jobs import Shop
from crawler.cluster.tables import prepare
from crawler.cluster.worker import work
from crawler.commands.fleet import fleet
from crawler.conductor import open_writer
from tests.crawler.cluster.fleet import QUICK


def _say(line: str) -> None:
    print(line, flush=True)


async def _main(config: Path) -> None:
    roster, place = fleet(config, None)
    await prepare(place)
    async with open_writer(roster.defaults) as writer:
        shop = Shop(roster=roster, writer=writer, times=QUICK, say=_say, report=lambda _: None)
        await work(place, shop, 4, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
