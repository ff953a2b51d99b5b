"""move: a mirror's segments to a bucket, its index to a database, or back into its folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from crawler.commands.failures import UsageError, guarded
from crawler.commands.options import DEFAULT_MIRROR, AsJson, MirrorDir
from crawler.commands.output import json_line
from crawler.progress.wording import count, size

#: The place that is the mirror's own folder.
HERE = "here"


@guarded
def move(
    *,
    segments: Annotated[
        str | None,
        typer.Option(
            "--segments",
            metavar="URL",
            help="s3://bucket/prefix, gs://…, az://… or file://…; `here`: the mirror's folder.",
        ),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option(
            "--index",
            metavar="URL",
            help="postgresql://host/database[?schema=name]; `here`: the mirror's folder.",
        ),
    ] = None,
    mirror: MirrorDir = DEFAULT_MIRROR,
    as_json: AsJson = False,
) -> None:
    """Move a mirror's segments to a bucket, its index to a database, or back into its folder.

    Each segment is copied and read back before the old one goes; the index is made anew where it
    is to be, with what runs remember. Killed, the same command goes on. The bucket's credentials
    are those of the environment, as each cloud's own tools read them; the database's password is
    PGPASSWORD's or ~/.pgpass's; no URL may have any. The rest stays in the mirror's folder.

    Examples:
      slugline move --segments s3://bucket/news --mirror news
      slugline move --index postgresql://db.example/news --mirror news
      slugline move --segments here --index here --mirror news
    """
    if segments is None and index is None:
        raise UsageError("where to? Say --segments or --index with a URL, or with here")
    if segments is not None:
        _move_segments(mirror, None if segments == HERE else segments, as_json=as_json)
    if index is not None:
        _move_index(mirror, None if index == HERE else index, as_json=as_json)


def _move_segments(mirror: Path, url: str | None, *, as_json: bool) -> None:
    from storage.upkeep.moving import move_segments

    done = move_segments(mirror, url, datetime.now(UTC))
    if as_json:
        json_line(done)
        return
    copied = f"{count(done.segments, 'segment')}, {size(done.bytes)}"
    typer.echo(f"{copied}, moved to {done.to or mirror}")


def _move_index(mirror: Path, url: str | None, *, as_json: bool) -> None:
    from storage.upkeep.moving_index import move_index

    done = move_index(mirror, url, datetime.now(UTC))
    if as_json:
        json_line(done)
        return
    held = f"the index of {count(done.snapshots, 'snapshot')} and {count(done.events, 'event')}"
    typer.echo(f"{held}, moved to {done.to or mirror}")
