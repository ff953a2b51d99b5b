"""From a config.toml to one run over its sites: what ``slugline sync`` does.

Which sites, and by which settings, is decided here and purely; the conductor runs them.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from crawler.conductor import mirror
from crawler.config.settings import Config, SiteTable, load_config, mirror_folder
from crawler.events import Event, Summary
from crawler.request import MirrorRequest, RequestError, SiteAsked
from crawler.urls import host_key, normalise

__all__ = ["MirrorRequest", "mirror", "sync", "sync_request"]

#: Unknown sites of a command line are answered with at most so many known ones.
MOST_NAMED = 20


async def sync(
    config: Path,
    sites: Iterable[str] = (),
    into: Path | None = None,
    report: Callable[[Event], None] = lambda _: None,
    stop: asyncio.Event | None = None,
) -> Summary:
    """Bring the mirror of the sites in ``config`` up to date, and return the summary.

    ``sites`` are names or URLs of some of them, ``into`` another folder than the file's. Raises
    ConfigError and RequestError for the user's faults, and storage's errors.
    """
    request = sync_request(load_config(config, os.environ), config, sites, into)
    return await mirror(request, report, stop)


def sync_request(
    config: Config,
    path: Path,
    names: Iterable[str] = (),
    into: Path | None = None,
    *,
    verify: Literal["all", "due", "none"] = "due",
) -> MirrorRequest:
    """Return what the conductor is asked for; ``path`` is where ``config`` was read from.

    Raises RequestError with a sentence that names the file and the sites.
    """
    _check(config.site, path)
    tables = _chosen(config.site, path, list(names))
    sites = tuple(
        SiteAsked(url=each.url, settings=config.settings(each), name=each.name or "")
        for each in tables
    )
    _check_hosts(sites, path)
    return MirrorRequest(
        command="sync",
        urls=tuple(site.url for site in sites),
        into=into or mirror_folder(config, path),
        settings=config.settings(),
        sites=sites,
        verify=verify,
    )


def _chosen(tables: Sequence[SiteTable], path: Path, names: list[str]) -> list[SiteTable]:
    """Return the sites called ``names``, in the file's order; all of them where there is none."""
    chosen: set[str] = set()
    for name in names:
        url = normalise(name) if "://" in name else None
        found = [each for each in tables if name == each.label or url == each.url]
        if not found:
            known = ", ".join(each.label for each in tables[:MOST_NAMED])
            more = ", …" if len(tables) > MOST_NAMED else ""
            raise RequestError(f"{name!r} is no site of {path}: it has {known}{more}")
        chosen.update(each.url for each in found)
    return [each for each in tables if not names or each.url in chosen]


def _check(tables: Sequence[SiteTable], path: Path) -> None:
    """Refuse sites that can't be told apart, or that want different things of one host."""
    if not tables:
        raise RequestError(
            f"{path} has no [[site]]: write one with its url, or let `slugline init URL` write it"
        )
    for what, values in (
        ("url", [each.url for each in tables]),
        ("name", [each.label for each in tables]),
    ):
        twice = [value for value, times in Counter(values).items() if times > 1]
        if twice:
            raise RequestError(f"{path}: two sites have the {what} {twice[0]}")


def _check_hosts(sites: Iterable[SiteAsked], path: Path) -> None:
    """Refuse two sites of one host with different proxies or headers: a host has one of each."""
    first: dict[str, SiteAsked] = {}
    for site in sites:
        other = first.setdefault(host_key(site.url), site)
        for what in ("proxy", "headers"):
            if getattr(other.settings, what) != getattr(site.settings, what):
                raise RequestError(
                    f"{path}: {other.url} and {site.url} are on one host and have different {what}"
                )
