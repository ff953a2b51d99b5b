"""``slugline demo``: a small newsroom on this machine, and a first look at its mirror.

``newsroom`` is the site as a value, ``server`` serves it on the loopback, ``tour`` is what the
command shows. The tests mirror the same newsroom.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console


async def run_demo(into: Path | None = None, console: Console | None = None) -> int:
    """Show what slugline does, in a few seconds; return the command's exit code.

    The mirror goes into the folder ``into``, a new one under the system's temporary folder
    without it; ``console`` is stdout by default. Asks no server but its own.
    """
    from crawler.demo.tour import show_around  # noqa: PLC0415  - the newsroom needs no crawler

    return await show_around(into, console or Console())
