"""Options that several commands share, each worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_MIRROR = Path("mirror")

MirrorDir = Annotated[
    Path,
    typer.Option("--mirror", metavar="DIR", envvar="SLUGLINE_MIRROR", help="The mirror to read."),
]
SiteName = Annotated[
    str | None,
    typer.Option("--site", metavar="SITE", help="Only this site, named as in `slugline status`."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs, one value a line.")]
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The article's slug, or its URL.")]
Canonicals = Annotated[
    bool, typer.Option("--canonicals", help="Captured originals of other hosts too.")
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="WHEN",
        help="What was observed at WHEN or later: an RFC 3339 moment, or a date (its start, UTC).",
    ),
]
When = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="WHEN",
        help="As it was at WHEN: an RFC 3339 moment, or a date (its end, UTC).",
    ),
]
Lang = Annotated[
    str | None,
    typer.Option("--lang", metavar="LANG", help="Only in this language: en takes en-GB too."),
]
Topic = Annotated[str | None, typer.Option("--topic", metavar="TOPIC", help="Only of this topic.")]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", metavar="TOPIC", help="Only of this topic; again: or of that."),
]
ConfigFile = Annotated[
    Path, typer.Option("--config", metavar="FILE", help="The sites and their settings.")
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        "--mirror",
        metavar="DIR",
        envvar="SLUGLINE_MIRROR",
        help="Where to keep it. [default: mirror of [store], else FILE's folder/mirror]",
    ),
]
