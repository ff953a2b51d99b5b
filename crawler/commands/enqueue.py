"""enqueue: one site now, by whichever worker is free first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawler.commands.failures import guarded
from crawler.commands.options import ConfigFile, Into

Site = Annotated[str, typer.Argument(metavar="SITE", help="A site of FILE, by name or URL.")]


@guarded
def enqueue(site: Site, *, config: ConfigFile = Path("config.toml"), into: Into = None) -> None:
    """Have a worker sync SITE now: it goes before what is due by the clock.

    Where the site waits in the queue already, nothing is added: what waits goes first.

    Examples:
      slugline enqueue example --config news.toml
    """
    from crawler.commands.fleet import asked, fleet, needed

    needed("enqueue")
    from crawler.cluster.queue import enqueue_now

    roster, place = fleet(config, into)
    url = roster.named(site)
    added = asked(place, lambda app: enqueue_now(app, url))
    typer.echo(f"{url} {'is queued' if added else 'was in the queue already, and comes first now'}")
