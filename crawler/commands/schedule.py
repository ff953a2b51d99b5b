"""schedule: what runs when and where, and who works."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.commands.failures import guarded
from crawler.commands.options import AsJson, ConfigFile, Into

if TYPE_CHECKING:
    from crawler.cluster.board import Board, SiteView

Workers = Annotated[bool, typer.Option("--workers", help="Show the workers instead of the sites.")]
Metrics = Annotated[
    bool, typer.Option("--metrics", help="Show the fleet's numbers as Prometheus reads them.")
]


@guarded
def schedule(
    *,
    config: ConfigFile = Path("config.toml"),
    into: Into = None,
    workers: Workers = False,
    metrics: Metrics = False,
    as_json: AsJson = False,
) -> None:
    """Show for each site when it is due, what became of its last job, and where it runs.

    Times are UTC. A site without a schedule is due once an hour.

    Examples:
      slugline schedule --config news.toml
      slugline schedule --config news.toml --workers
      slugline schedule --config news.toml --metrics > /var/lib/node_exporter/slugline.prom
    """
    from crawler.commands.fleet import asked, fleet, needed

    needed("schedule")
    from crawler.cluster.board import board, prometheus
    from crawler.commands.output import json_line

    roster, place = fleet(config, into)
    view = asked(place, lambda app: board(app, roster, datetime.now(UTC)))
    if metrics:
        typer.echo(prometheus(view), nl=False)
    elif as_json:
        for each in view.workers if workers else view.sites:
            json_line(each)
    elif workers:
        _show_workers(view)
    else:
        _show_sites(view)


def _show_sites(view: Board) -> None:
    from crawler.commands.output import table
    from crawler.progress.wording import count

    columns = ("site", "schedule", "next", "state", "where", "last end", "note")
    table(columns, (_row(each) for each in view.sites), folded={"note": 20})
    working = count(len(view.workers), "worker")
    typer.echo(f"{working}, {view.running} jobs running, {view.queued} queued", err=True)


def _row(each: SiteView) -> tuple[str, ...]:
    state = f"{each.state}, from {_time(each.queued_for)}" if each.queued_for else each.state
    where = each.machine if each.worker is None else f"{each.machine}/{each.worker}"
    return (
        each.site,
        each.schedule,
        _time(each.next_at),
        state,
        where,
        _time(each.ended_at),
        each.why,
    )


def _show_workers(view: Board) -> None:
    from crawler.commands.output import table

    columns = ("worker", "where", "since", "beat", "running", "jobs", "articles", "requests")
    rows = (
        (
            str(each.worker),
            f"{each.machine}:{each.pid}",
            _time(each.started_at),
            f"{each.silent:.0f} s ago",
            f"{each.running} of {each.concurrency}",
            f"{each.jobs:,}",
            f"{each.articles:,}",
            f"{each.requests:,}",
        )
        for each in view.workers
    )
    table(columns, rows)


def _time(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""
