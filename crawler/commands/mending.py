"""What ``verify --repair`` does after it has looked: mend here, ask the sites, say what came back.

The sites are asked as ``mirror`` asks: robots.txt, pace and settings hold, and only the articles
that lost something are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from msgspec import structs

from crawler.commands.output import json_line
from crawler.progress.wording import clean, count

if TYPE_CHECKING:
    from storage.upkeep.repair import Repaired
    from storage.upkeep.salvage import Edition

#: Editions that a person is told by name; --json names all.
_NAMED = 20


def tell_mended(done: Repaired, *, as_json: bool) -> None:
    """Say what was done without the site."""
    if as_json:
        json_line({"kind": "repaired", **structs.asdict(done)})
        return
    segments = count(done.segments, "segment")
    typer.echo(f"Repaired: the index was made again, {segments} written anew.")
    for name in done.lost:
        typer.echo(f"  damaged bytes are kept in {name}")
    for sentence in done.left:
        typer.echo(f"  {clean(sentence)}")
    if done.unknown:
        typer.echo(f"  of {done.unknown:,} bytes nothing tells whose they were")


def fetch_again(done: Repaired, mirror: Path, config: Path | None) -> None:
    """Ask each site for the articles that lost something."""
    from crawler.commands import request as requests
    from crawler.commands import running
    from crawler.discovery.records import RecordHint
    from storage.layout import FILES

    # A mirror without plain files is not given any.
    flags = {} if (mirror / FILES).is_dir() else {"files": False}
    by_scope: dict[str, list[str]] = {}
    for _, scope, url in done.owed:
        if scope:
            by_scope.setdefault(scope, []).append(url)
    for scope, urls in by_scope.items():
        request = requests.make(
            [scope], mirror, flags, config, None, ignore_robots=False, verify="all"
        )
        hints = tuple(
            RecordHint(record=None, url=url, line=number) for number, url in enumerate(urls, 1)
        )
        asked = structs.replace(request, records=hints)
        running.run(asked, running.Voice(quiet=True))


def tell_back(again: list[Edition], still: list[Edition], *, fetched: bool, as_json: bool) -> None:
    """Say what the mirror has again and what not; ``fetched`` is whether the sites were asked."""
    if as_json:
        json_line({"kind": "brought-back", "editions": again})
        json_line({"kind": "not-brought-back", "editions": still})
        return
    if fetched and (again or still):
        typer.echo(f"Brought back from the site: {count(len(again), 'edition')}.")
    lost = count(len(still), "edition")
    if still and fetched:
        typer.echo(f"Not brought back, since the site does not serve it now: {len(still)}.")
    elif still:
        typer.echo(
            f"Not brought back, since no site was asked (--no-fetch): {lost}. "
            "The next `slugline mirror` or `sync` asks for what is still served."
        )
    for line in _named(still):
        typer.echo(f"  {line}")


def _named(editions: Iterable[Edition]) -> list[str]:
    lines = [
        clean(f"{one.url}, snapshot {one.sequence}: {', '.join(one.bodies) or 'all of it'}")
        for one in editions
    ]
    more = len(lines) - _NAMED
    return lines[:_NAMED] + ([f"and {more} more: --json names them"] if more > 0 else [])
