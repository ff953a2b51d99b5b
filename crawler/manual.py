"""The manual page, made from what ``--help`` says: ``python -m crawler.manual > slugline.1``.

One page for all commands, so that a reader searches in one place. It is written in man(7), which
groff and mandoc set alike. Nothing stands here that the command line does not say itself, but for
the exit codes and variables, which belong to no one command.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import typer

from crawler.cli import app
from crawler.commands.failures import MEANINGS

_VARIABLES = {
    "SLUGLINE_MIRROR": "The mirror to read or to write, where no option names one.",
    "SLUGLINE_INDEX": "Where a new mirror has its index: postgresql://HOST/DATABASE.",
    "SLUGLINE_SEGMENTS": "Where a new mirror has its segments: s3://, gs:// or az://.",
    "SLUGLINE_DEBUG": "1: a bug shows its traceback.",
}


def escaped(text: str) -> str:
    """Return text as man(7) prints it: nothing in it is an instruction."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line[:1] in {".", "'"} else line for line in text.split("\n"))


def manual() -> str:
    """Return the manual page of the command line, in man(7)."""
    group: Any = typer.main.get_command(app)
    name = group.name
    lines = [f'.TH {name.upper()} 1 "" "{name} {version(name)}" "User commands"']
    lines += [".SH NAME", escaped(f"{name} - {_first(group.help)}")]
    lines += [".SH SYNOPSIS", f".B {name}", escaped("COMMAND [OPTIONS] [ARGUMENTS]")]
    lines += [".SH DESCRIPTION", escaped(group.epilog or "")]
    lines.append(".SH COMMANDS")
    with group.make_context(name, [], resilient_parsing=True) as context:
        for each, command in group.commands.items():
            lines += _command(each, command, context)
    lines.append(".SH EXIT STATUS")
    for code, meaning in MEANINGS.items():
        lines += _entry(str(code), meaning)
    lines.append(".SH ENVIRONMENT")
    for variable, meaning in _VARIABLES.items():
        lines += _entry(variable, meaning)
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any, parent: Any) -> Iterator[str]:
    # Both are of click, which typer has inside itself and does not name.
    with command.make_context(name, [], parent=parent, resilient_parsing=True) as context:
        yield f".SS {name}"
        yield f".B {escaped(context.command_path)}"
        yield escaped(" ".join(command.collect_usage_pieces(context)))
        for paragraph in (command.help or "").split("\n\n"):
            yield ".PP"
            # typer's mark for a paragraph whose lines stay as they are.
            marked, kept, rest = paragraph.partition("\b\n")
            yield f".nf\n{escaped(rest)}\n.fi" if kept else escaped(marked)
        for parameter in command.get_params(context):
            if record := parameter.get_help_record(context):
                yield from _entry(*record)


def _entry(what: str, meaning: str) -> Iterator[str]:
    yield ".TP"
    yield f".B {escaped(what)}"
    yield escaped(" ".join(meaning.split()))


def _first(text: str | None) -> str:
    return (text or "").split("\n")[0].removesuffix(".")


if __name__ == "__main__":
    sys.stdout.write(manual())
