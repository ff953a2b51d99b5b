"""mirror and demo: the commands that ask servers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crawler import sparing
from crawler.commands import mirror_options as opt
from crawler.commands.failures import guarded
from crawler.readers import starting


@guarded
def mirror(
    urls: opt.Urls,
    *,
    into: opt.Into = None,
    records: opt.Records = None,
    formats: opt.Formats = None,
    rate: opt.Rate = None,
    concurrency: opt.Concurrency = None,
    processes: opt.Processes = None,
    include: opt.Include = None,
    exclude: opt.Exclude = None,
    max_articles: opt.MaxArticles = None,
    ignore_robots: opt.IgnoreRobots = False,
    resolve: opt.Resolves = None,
    ca_bundle: opt.CaBundle = None,
    allow_address: opt.AllowAddress = None,
    proxy: opt.Proxy = None,
    header: opt.Headers = None,
    verify: opt.Verify = "all",
    no_files: opt.NoFiles = False,
    config: opt.ConfigFile = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
    log_format: opt.LogFormat = "text",
) -> None:
    """Mirror a site: every article, in every format, as one snapshot each.

    Run it again to continue, or to catch what changed. Ctrl-C finishes the articles in hand and
    saves; a second Ctrl-C stops at once.

    Examples:
      slugline mirror https://example.org/ --into news
      slugline mirror https://example.org/news/a-story
      slugline mirror https://example.org/blog --format markdown --rate 1 --max-articles 50
      slugline mirror https://example.org/ --records articles.jsonl --json
      slugline mirror https://example.org/ --resolve example.org:443:127.0.0.1:8443
    """
    flags = {
        "formats": formats, "rate": rate, "concurrency": concurrency, "include": include,
        "processes": processes,
        "exclude": exclude, "max_articles": max_articles, "resolve": resolve,
        "ca_bundle": ca_bundle, "allow_address": allow_address, "proxy": proxy,
        "headers": header, "files": False if no_files else None,
    }  # fmt: skip
    with starting.ahead(processes):
        with sparing.imports():
            from crawler.commands import request, running

        asked = request.make(
            urls, into, flags, config, records, ignore_robots=ignore_robots, verify=verify
        )
        voice = running.Voice(as_json=as_json, quiet=quiet, log_format=log_format)
        code = running.run(asked, voice)
    raise typer.Exit(code)


@guarded
def demo(
    *,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", help="Keep its mirror here. [default: a new folder]"),
    ] = None,
) -> None:
    """Show in ten seconds what slugline does, on a small newsroom of its own on this machine.

    Examples:
      slugline demo
    """
    import asyncio

    from crawler.demo import run_demo

    raise typer.Exit(asyncio.run(run_demo(into)))
