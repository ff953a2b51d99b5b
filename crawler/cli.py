"""The command ``slugline``: its name, its version and the list of its commands.

Nothing heavy is imported here: ``slugline --help`` must answer at once, so each command imports
its parts when it is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from crawler.collector import look_for_cycles_seldom
from crawler.commands import (
    changes,
    compare,
    enqueue,
    export,
    keep,
    look,
    mirror,
    move,
    read,
    schedule,
    search,
    serve,
    status,
    streams,
    sync,
    upkeep,
    worker,
)
from crawler.commands import verify as check

app = typer.Typer(
    name="slugline",
    help="Keep every edition of every article in every format.",
    epilog="Begin with `slugline demo`; then `slugline mirror URL --into DIR`.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

#: Each command, and its line in `slugline --help`: a longer one would be cut at 80 columns.
_COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "mirror": (mirror.mirror, "Keep every article of a site, in every format."),
    "sync": (sync.sync, "Bring every site of a config.toml up to date: what cron runs."),
    "list": (read.list_articles, "The articles of a mirror, each with its newest snapshot."),
    "log": (read.log, "An article's history: each snapshot, and why it was kept."),
    "show": (read.show, "An article's record, or the exact bytes of one format."),
    "diff": (compare.diff, "What changed between two snapshots of an article."),
    "changes": (changes.changes, "What changed on all articles, newest last."),
    "search": (search.search, "Articles by their words, the best first, with what stands around."),
    "status": (status.status, "How much of each site is here, what is short, what fails."),
    "serve": (serve.serve, "A mirror in the browser, and for Memento clients."),
    "export": (export.export, "Take articles out: as data, plain files or a web archive."),
    "inspect": (look.inspect, "What a site or article publishes; nothing is stored."),
    "init": (look.init, "A commented config.toml for a site, from a look at it."),
    "reindex": (keep.reindex, "Make a mirror's index again from its segments."),
    "verify": (check.verify, "Whether all is as it was stored; what is short, apart from it."),
    "prune": (upkeep.prune, "Let old snapshots go: all, then one a week, then one a month."),
    "forget": (upkeep.forget, "Take an article out for good: a takedown, with its reason."),
    "compact": (upkeep.compact, "Join a mirror's small segments into large ones."),
    "move": (move.move, "Move a mirror's segments to a bucket, or back."),
    "worker": (worker.worker, "Sync sites as they fall due, beside workers on other machines."),
    "schedule": (schedule.schedule, "What runs when and where, for workers."),
    "enqueue": (enqueue.enqueue, "Have a worker sync a site now."),
    "demo": (mirror.demo, "See it work, on a small newsroom of its own on this machine."),
}


def _help(command: Callable[..., None]) -> str:
    """Return the command's docstring; its examples keep their lines (typer's mark for that)."""
    text = inspect.getdoc(command) or ""
    for block in ("Examples:", "In crontab", "As systemd"):
        text = text.replace(f"\n{block}", f"\n\b\n{block}")
    return text


for _name, (_command, _line) in _COMMANDS.items():
    app.command(_name, help=_help(_command), short_help=_line)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"slugline {version('slugline')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Keep every edition of every article in every format."""


def main() -> None:
    """Run the command line: what the console script calls."""
    look_for_cycles_seldom()
    streams.prepare()
    app()
