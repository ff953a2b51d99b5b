"""What goes to stdout: tables for people, tab-separated lines for pipes, JSON Lines for programs.

Words from a site are shown without their control characters: a title must not drive a terminal.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain

import msgspec

from crawler.progress.wording import clean, inert

#: Characters of one cell: a title that is longer is no title.
CELL = 2000
#: Between the cells of a row, and before the further lines of an entry.
_GAP, _INDENT = "  ", "    "


def json_line(value: object) -> None:
    """Write one JSON value and a line end."""
    sys.stdout.buffer.write(inert(msgspec.json.encode(value).decode()).encode() + b"\n")


def moment_text(moment: datetime) -> str:
    """Write a moment as all output does: RFC 3339, UTC, Z."""
    from storage.times import format_utc

    return format_utc(moment)


def key_text(updated_at: datetime, revision: int) -> str:
    """Write a snapshot's key as ``diff`` takes it back, exactly: ``UPDATED_AT.rN``."""
    return f"{moment_text(updated_at)}.r{revision}"


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    folded: Mapping[str, int] | None = None,
) -> None:
    """Show rows: a table on a terminal, else tab-separated lines as they come.

    What is too wide for the terminal becomes an entry of some lines a row, so that a key or a slug
    stays whole to be copied; with ``folded``, these columns (and the characters they keep) fold.
    """
    if not sys.stdout.isatty():
        for row in chain([columns], rows):
            sys.stdout.write("\t".join(clean(cell, CELL) for cell in row) + "\n")
        return
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    cells = [[clean(cell, CELL) for cell in row] for row in rows]
    widths = (max(map(cell_len, column)) for column in zip(columns, *cells, strict=True))
    fits = sum(widths) + len(_GAP) * (len(columns) - 1) <= console.width
    if not fits and folded is None:
        for number, row in enumerate(chain([columns], cells)):
            style = "" if number else "bold"
            for line in _entry(row, console.width):
                console.print(Text(line, style=style), soft_wrap=True)
        return
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        least = (folded or {}).get(column)
        shown.add_column(column, no_wrap=least is None, min_width=least, overflow="fold")
    for row in cells:
        shown.add_row(*map(Text, row))
    console.print(shown)


def _entry(cells: Sequence[str], width: int) -> Iterator[str]:
    """Put cells one after the other on lines of ``width``; what has no space is never broken."""
    line = ""
    for cell in filter(str.strip, cells):
        if line and len(line) + len(_GAP) + len(cell) <= width:
            line += _GAP + cell
            continue
        if line:
            yield line
        # the first line stands out, the others are indented
        indent = _INDENT if line else ""
        *whole, line = textwrap.wrap(
            cell, width, initial_indent=indent, subsequent_indent=_INDENT,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        yield from whole
    if line:
        yield line
