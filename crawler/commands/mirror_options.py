"""What ``mirror`` can be told, a type a flag: its spelling, its unit, and a line of help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Urls = Annotated[
    list[str], typer.Argument(metavar="URL", help="A site, a section, or one article.")
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--into",
        "--mirror",
        metavar="DIR",
        envvar="SLUGLINE_MIRROR",
        help="Where to keep it. [default: mirror, or what --config says]",
    ),
]
Records = Annotated[
    Path | None,
    typer.Option(
        "--records",
        metavar="FILE",
        help="The list of articles, instead of discovery: JSON or JSON Lines of records, or URLs.",
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option("--format", metavar="F", help="Keep only this format; may be repeated."),
]
Rate = Annotated[
    float | None,
    typer.Option("--rate", metavar="N", help="Requests a second a host; 0: no limit. [default: 2]"),
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", metavar="N", help="Connections a host. [default: 2]")
]
Processes = Annotated[
    int | None,
    typer.Option(
        "--processes",
        metavar="N",
        help="Read with N processes: for large sites that allow the rate. [default: 1]",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="GLOB", help="Only URLs that match; may be repeated."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="No URL that matches; may be repeated."),
]
MaxArticles = Annotated[
    int | None,
    typer.Option("--max-articles", metavar="N", help="Take up at most N articles in this run."),
]
IgnoreRobots = Annotated[
    bool,
    typer.Option("--ignore-robots", help="Ask for what robots.txt disallows: on your own site."),
]
Resolves = Annotated[
    list[str] | None,
    typer.Option(
        "--resolve",
        metavar="HOST:PORT:ADDR[:PORT]",
        help="Reach HOST at ADDR, as curl does; may be repeated.",
    ),
]
CaBundle = Annotated[
    str | None,
    typer.Option("--ca-bundle", metavar="FILE", help="Trust these authorities (PEM) instead."),
]
AllowAddress = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-address", metavar="CIDR", help="A private network that links may lead to."
    ),
]
Proxy = Annotated[str | None, typer.Option("--proxy", metavar="URL", help="Use this HTTP proxy.")]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header", metavar="'NAME: VALUE'", help="Send it to the site's own host; may be repeated."
    ),
]
Verify = Annotated[
    Literal["all", "due", "none"],
    typer.Option(
        "--verify",
        help="Which known articles to read again though their dates stand still; due: those not "
        "read for 30 days (verify_within in config.toml).",
    ),
]
NoFiles = Annotated[
    bool, typer.Option("--no-files", help="Leave out the plain files under DIR/files.")
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings from a config.toml; flags win."),
]
Json = Annotated[
    bool, typer.Option("--json", help="The run's summary as JSON: the last line of stdout.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")]
LogFormat = Annotated[
    Literal["text", "json"],
    typer.Option("--log-format", help="How progress is written to stderr."),
]
