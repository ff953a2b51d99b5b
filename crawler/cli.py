"""The command ``slugline``: its name, its version and the list of its commands.

Nothing heavy is imported here: ``slugline --help`` must answer at once, so each command imports
its parts when it is called.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from crawler.commands import compare, keep, mirror, read

app = typer.Typer(
    name="slugline",
    help="Keep every edition of every article in every format.",
    epilog="Begin with `slugline demo`; then `slugline mirror URL --into DIR`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_COMMANDS: dict[str, Callable[..., None]] = {
    "mirror": mirror.mirror,
    "list": read.list_articles,
    "log": read.log,
    "show": read.show,
    "diff": compare.diff,
    "status": read.status,
    "export": keep.export,
    "reindex": keep.reindex,
    "demo": mirror.demo,
}


def _help(command: Callable[..., None]) -> str:
    """Return the command's docstring; its examples keep their lines (typer's mark for that)."""
    return (inspect.getdoc(command) or "").replace("\nExamples:", "\n\b\nExamples:")


for _name, _command in _COMMANDS.items():
    app.command(_name, help=_help(_command))(_command)


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
    app()
