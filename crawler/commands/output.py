"""What goes to stdout: tables for people, tab-separated lines for pipes, JSON Lines for programs.

Words from a site are shown without their control characters: a title must not drive a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

import msgspec

from crawler.wording import clean

#: Characters of one cell: a title that is longer is no title.
CELL = 2000
#: Columns that fold on a narrow terminal, and the characters they keep: a word, a day.
_FOLDED = {"SLUG": 12, "TITLE": 8, "OBSERVED": 10, "FORMATS": 8, "FINDINGS": 10}


def json_line(value: object) -> None:
    """Write one JSON value and a line end."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")


def moment_text(moment: datetime) -> str:
    """Write a moment as all output does: RFC 3339, UTC, Z."""
    from storage.times import format_utc

    return format_utc(moment)


def key_text(updated_at: datetime, revision: int) -> str:
    """Write a snapshot's key as ``diff`` takes it back, exactly: ``UPDATED_AT.rN``."""
    return f"{moment_text(updated_at)}.r{revision}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Show rows: a rich table on a terminal, else tab-separated lines as they come."""
    if not sys.stdout.isatty():
        for row in chain([columns], rows):
            sys.stdout.write("\t".join(clean(cell, CELL) for cell in row) + "\n")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        # Folded, never cut: people copy keys and slugs out of here.
        least = _FOLDED.get(column)
        shown.add_column(column, no_wrap=least is None, min_width=least, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(clean(cell, CELL)) for cell in row))
    Console().print(shown)
