"""sync: what cron runs; every configured site, incrementally."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler import sparing
from crawler.commands import mirror_options as opt
from crawler.commands.failures import UsageError, guarded
from crawler.commands.options import ConfigFile, Into

if TYPE_CHECKING:
    from crawler.config.settings import Config
    from crawler.request import MirrorRequest, SiteAsked

Sites = Annotated[
    list[str] | None,
    typer.Argument(metavar="SITE", help="Only these, by name or URL. [default: all]"),
]
Check = Annotated[
    bool,
    typer.Option("--check", help="Ask nobody: check FILE, and say what each site would do."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 for failures known before, too.")]
Metrics = Annotated[
    Path | None,
    typer.Option(
        "--metrics",
        metavar="FILE",
        help="Write the run's numbers to FILE (ends in .prom), for Prometheus.",
    ),
]


@guarded
def sync(
    sites: Sites = None,
    *,
    config: ConfigFile = Path("config.toml"),
    into: Into = None,
    check: Check = False,
    verify: opt.Verify = "due",
    strict: Strict = False,
    metrics: Metrics = None,
    processes: opt.Processes = None,
    as_json: opt.Json = False,
    quiet: opt.Quiet = False,
    log_format: opt.LogFormat = "text",
) -> None:
    """Bring every configured site up to date: what has changed, what is new, what is due.

    Start it as often as you like: an unchanged site with honest dates costs some requests, and a
    second sync of the same mirror ends at once with exit code 3. With --quiet it is silent when
    all is well, so that cron mails trouble only, and each trouble once.

    Examples:
      slugline sync --config news.toml --check
      slugline sync --config news.toml
      slugline sync --config news.toml example --json

    In crontab, every 15 minutes:
      */15 * * * * slugline sync --config /srv/news/news.toml --quiet

    As systemd units, news.service and news.timer:
      [Service]                                     [Timer]
      Type=oneshot                                  OnCalendar=*:0/15
      ExecStart=slugline sync --config … --quiet    RandomizedDelaySec=60
    """
    import os

    from msgspec import structs

    with sparing.imports():
        from crawler.commands import running
        from crawler.commands.request import with_flags
        from crawler.config.settings import load_config
        from crawler.syncing import sync_request

    read = load_config(config, os.environ)
    request = sync_request(read, config, sites or (), into, verify=verify)
    settings = with_flags(request.settings, {"processes": processes})
    request = structs.replace(request, settings=settings)
    if check:
        _tell(request, read, as_json=as_json)
        return
    if metrics is not None and not os.access(metrics.parent, os.W_OK):
        raise UsageError(f"--metrics {metrics}: its folder must exist and be writable")
    voice = running.Voice(as_json=as_json, quiet=quiet, log_format=log_format)
    raise typer.Exit(running.run(request, voice, strict=strict, metrics=metrics))


def _tell(request: MirrorRequest, config: Config, *, as_json: bool) -> None:
    """Say what a run would do, one site after the other."""
    from crawler.commands.output import json_line
    from crawler.progress.wording import clean, count

    labels = {each.url: each.label for each in config.site}
    if as_json:
        for site in request.sites:
            json_line(_facts(site, labels[site.url], request))
        return
    for site in request.sites:
        typer.echo(f"{clean(labels[site.url])}: {clean(site.url)}")
        for line in _lines(site):
            typer.echo(f"  {clean(line)}")
    typer.echo(f"{count(len(request.sites), 'site')}, kept in {request.into}; nobody was asked.")


def _lines(site: SiteAsked) -> Iterable[str]:
    from crawler.progress.wording import pace

    settings = site.settings
    bound = pace(settings.rate) if settings.rate else "without a limit of pace"
    if site.name:
        yield f"is called  {site.name} where it is new; a site that is in the mirror keeps its name"
    yield f"reads      {', '.join(settings.discovery)}; {bound}, {settings.concurrency} at once"
    yield f"keeps      {', '.join(settings.formats) or 'every format it declares'}"
    for name in ("include", "exclude"):
        if getattr(settings, name):
            yield f"{name}s   {' '.join(getattr(settings, name))}"
    yield (
        f"verifies   each article within {settings.verify_within} days, young and often edited "
        "ones sooner; "
        f"gone after {settings.gone_after:g} hours of 404"
    )
    budget = [
        f"{getattr(settings, name):,} {unit}" for name, unit in _BUDGETS if getattr(settings, name)
    ]
    yield f"stops      after {' or '.join(budget)} of a run"
    if settings.headers:
        yield f"sends      {', '.join(settings.headers)} to its own host"
    if settings.proxy:
        yield "goes       through its proxy"
    if settings.schedule:
        yield f"is due     {settings.schedule} (as cron reads it)"


_BUDGETS = (("max_articles", "articles"), ("max_requests", "requests"), ("max_seconds", "seconds"))


def _facts(site: SiteAsked, label: str, request: MirrorRequest) -> dict[str, object]:
    """Return what a program needs to know; header values and proxies may hold secrets."""
    settings = site.settings
    shown = {
        name: getattr(settings, name)
        for name in (
            "rate", "concurrency", "formats", "include", "exclude", "discovery", "verify_within",
            "gone_after", "keep", "schedule", "max_articles", "max_requests", "max_seconds",
        )
    }  # fmt: skip
    private = {"headers": list(settings.headers), "proxy": settings.proxy is not None}
    head = {"site": label, "url": site.url, "mirror": str(request.into), "verify": request.verify}
    return head | shown | private
