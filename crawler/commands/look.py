"""inspect and init: look at a site or article and keep nothing but, perhaps, settings for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.commands import mirror_options as opt
from crawler.commands.failures import FAILED, UsageError, complain, guarded
from crawler.commands.options import AsJson
from crawler.commands.output import json_line

if TYPE_CHECKING:
    from crawler.looks import Look

Url = Annotated[str, typer.Argument(metavar="URL", help="A site, a section, or one article.")]


@guarded
def inspect(
    url: Url,
    *,
    resolve: opt.Resolves = None,
    ca_bundle: opt.CaBundle = None,
    allow_address: opt.AllowAddress = None,
    proxy: opt.Proxy = None,
    header: opt.Headers = None,
    ignore_robots: opt.IgnoreRobots = False,
    config: opt.ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Look at a site or one article and store nothing: what it publishes, and where it disagrees.

    Shows robots.txt's verdict, the lists of articles, the canonical URL, every alternate and who
    declares it, and what each format says; of a site, one article is looked at as a sample.

    Examples:
      slugline inspect https://example.org/
      slugline inspect https://example.org/news/a-story
      slugline inspect https://example.org/ --json | jq .article.findings
    """
    flags = _flags(resolve, ca_bundle, allow_address, proxy, header)
    found = _look(url, flags, config, ignore_robots=ignore_robots)
    if as_json:
        json_line(found)
    else:
        from crawler.commands.look_text import shown

        sys.stdout.write(shown(found))
    if found.what == "nothing":
        raise typer.Exit(FAILED)


@guarded
def init(
    url: Url,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it here, if nothing is there yet."),
    ] = None,
    resolve: opt.Resolves = None,
    ca_bundle: opt.CaBundle = None,
    allow_address: opt.AllowAddress = None,
    proxy: opt.Proxy = None,
    header: opt.Headers = None,
    ignore_robots: opt.IgnoreRobots = False,
) -> None:
    """Write a config.toml for a site, from a look at it; every line says why it is there.

    It goes to stdout, or to --out FILE; a file that is there is never overwritten.

    Examples:
      slugline init https://example.org/ --out config.toml
      slugline init https://example.org/blog >> config.toml
    """
    from crawler.starter import starter

    if out is not None and os.path.lexists(out):
        raise UsageError(f"{out} is there already: name another file, or leave out --out")
    flags = _flags(resolve, ca_bundle, allow_address, proxy, header)
    found = _look(url, flags, None, ignore_robots=ignore_robots)
    if found.what == "nothing":
        complain(f"{found.url}: {found.why}")
        raise typer.Exit(FAILED)
    text = starter(found)
    if out is None:
        sys.stdout.buffer.write(text.encode())
        return
    try:
        # "x" refuses what has come to be there meanwhile.
        with out.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{out} is there already: it was left as it is") from None
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    complain(f"{out} is written: next, slugline sync --config {out} --check")


def _flags(
    resolve: list[str] | None,
    ca_bundle: str | None,
    allow_address: list[str] | None,
    proxy: str | None,
    header: list[str] | None,
) -> dict[str, Any]:
    return {
        "resolve": resolve, "ca_bundle": ca_bundle, "allow_address": allow_address,
        "proxy": proxy, "headers": header,
    }  # fmt: skip


def _look(url: str, flags: dict[str, Any], config: Path | None, *, ignore_robots: bool) -> Look:
    import asyncio

    from crawler.commands import request
    from crawler.inspection import look

    asked = request.make(
        [url], Path(), flags, config, None, ignore_robots=ignore_robots, verify="none"
    )
    if sys.stderr.isatty():
        complain(f"looking at {asked.urls[0]}, at most {asked.settings.rate:g} requests a second")
    return asyncio.run(look(asked.urls[0], asked.settings, ignore_robots=ignore_robots))
