"""worker: a process that syncs sites as they fall due, beside any number of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawler import sparing
from crawler.commands import mirror_options as opt
from crawler.commands.failures import guarded
from crawler.commands.options import ConfigFile, Into

Concurrency = Annotated[
    int, typer.Option("--concurrency", metavar="N", min=1, max=1000, help="Sites at once.")
]


@guarded
def worker(
    *,
    config: ConfigFile = Path("config.toml"),
    into: Into = None,
    concurrency: Concurrency = 16,
    quiet: opt.Quiet = False,
    log_format: opt.LogFormat = "text",
) -> None:
    """Sync the sites of FILE as they fall due, beside any number of workers on other machines.

    They share a queue in PostgreSQL, made by the first; no two of them ask one server at once, and
    every site is queued once. Each worker has a folder of its own. SIGTERM and Ctrl-C finish the
    articles in hand, for 10 seconds at most, and queue the rest; again, to stop at once. Of one
    that was killed or cut off, others take the sites up within 55 seconds, if they have room.

    Examples:
      slugline worker --config news.toml
      slugline worker --config news.toml --concurrency 64 --into /var/lib/slugline/2
    """
    from crawler.commands.fleet import fleet, needed

    needed("worker")
    with sparing.imports():
        from crawler.commands.working import run
    roster, place = fleet(config, into)
    run(roster, place, concurrency, quiet=quiet, as_json=log_format == "json")
