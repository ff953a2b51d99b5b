"""The sites of a config.toml as a fleet sees them: their hosts, when they are due, what a job asks.

Pure, but for the next moment of a cron line, which croniter counts: it is procrastinate's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from croniter import croniter
from croniter.croniter import CroniterError
from msgspec import structs

from crawler.config.settings import Config, SiteTable, mirror_folder
from crawler.request import MirrorRequest, Original, RequestError, SiteAsked
from crawler.syncing import sync_request
from crawler.urls import host_key, in_scope

#: Minutes of an hour, over which the sites without a schedule are spread.
_HOUR = 60


class Roster:
    """The sites of ``config``, read from ``path`` and kept in ``into``. Never changes."""

    def __init__(self, config: Config, path: Path, into: Path | None = None) -> None:
        """Raise RequestError where sites contradict each other, or one is due at no time."""
        self.config = config
        self._path = path
        self.into = into or mirror_folder(config, path)
        self._whole = sync_request(config, path, into=self.into)
        self._by_host: dict[str, list[SiteAsked]] = {}
        for asked in self._whole.sites:
            self._by_host.setdefault(host_key(asked.url), []).append(asked)
        self.lines = {table.url: cron_line(table, config) for table in config.site}
        for table in config.site:
            if next_at(self.lines[table.url], datetime.now(UTC)) is None:
                line = self.lines[table.url]
                raise RequestError(f"{path}: {table.label} is due at no time: schedule = {line!r}")

    @cached_property
    def labels(self) -> dict[str, str]:
        """What each site is called, by URL."""
        return {table.url: table.label for table in self.config.site}

    @property
    def defaults(self) -> MirrorRequest:
        """What the mirror is opened by: the settings of no site."""
        return self._whole

    def named(self, site: str) -> str:
        """Return the URL of the site called ``site``, by name or URL; raises RequestError."""
        return sync_request(self.config, self._path, [site], self.into).urls[0]

    def knows(self, url: str) -> bool:
        """Say whether ``url`` is of one of the sites, whose own job finds it."""
        near = self._by_host.get(host_key(url), ())
        return any(in_scope(url, site.url) for site in near)

    def sync(self, url: str, grace: float) -> MirrorRequest:
        """Return what a job for the site at ``url`` asks for; raises RequestError for none of ours.

        Its host's other sites stand beside it: the slowest one's pace is the host's.
        """
        if url not in self.lines:
            raise RequestError(f"{url} is no site of {self._path}")
        return self._asked((url,), host_key(url), grace)

    def originals(self, host: str, wanted: Iterable[Original], grace: float) -> MirrorRequest:
        """Return what a job for originals on ``host`` asks for: nothing that the user named."""
        return structs.replace(self._asked((), host, grace), originals=tuple(wanted))

    def _asked(self, urls: tuple[str, ...], host: str, grace: float) -> MirrorRequest:
        settings = self._whole.settings
        settings = settings.changed(grace=min(settings.grace, grace), processes=1)
        sites = tuple(self._by_host.get(host, ()))
        return structs.replace(self._whole, urls=urls, sites=sites, settings=settings)


def cron_line(table: SiteTable, config: Config) -> str:
    """Return when a site is due: its own line, the default one, else once an hour.

    The minute is made from the URL, so that ten thousand sites are not due in the same one.
    """
    own = "schedule" in table.model_fields_set
    line = table.schedule if own else config.defaults.schedule
    return line or f"{sha256(table.url.encode()).digest()[0] * _HOUR // 256} * * * *"


def next_at(line: str, after: datetime) -> datetime | None:
    """Return the first moment after ``after`` that ``line`` names, None where there is none."""
    try:
        moment: datetime = croniter(line, after.astimezone(UTC)).get_next(datetime)
    except (CroniterError, ValueError):
        return None
    return moment
