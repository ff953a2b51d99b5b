"""What a run is asked for: URLs, where to keep them, and the settings each is read by. Values only.

``mirror`` reads all its URLs by one set of settings; ``sync`` gives every site its own.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import ClassVar, Literal

from msgspec import Struct

from crawler.config.settings import Settings
from crawler.discovery.records import RecordHint


class RequestError(ValueError):
    """The user asked for something that can't be had; the sentence says what to change."""

    exit_code: ClassVar[int] = 2


class SiteAsked(Struct, frozen=True, kw_only=True):
    """A site with settings of its own: its URL in normal form, and its label ("": from the URL)."""

    url: str
    settings: Settings
    name: str = ""


class Original(Struct, frozen=True, kw_only=True):
    """An article's original on another host, and the least time between two captures of it."""

    url: str
    every: timedelta


class MirrorRequest(Struct, frozen=True, kw_only=True):
    """What the user asked for: URLs in normal form, where to keep them, and how.

    ``settings`` are the whole run's, and those of every URL that ``sites`` does not name.
    ``originals`` are captured beside the URLs, and no article has to lead to them.
    """

    urls: tuple[str, ...]
    into: Path
    settings: Settings
    command: Literal["mirror", "sync"] = "mirror"
    sites: tuple[SiteAsked, ...] = ()
    records: tuple[RecordHint, ...] | None = None
    ignore_robots: bool = False
    verify: Literal["all", "due", "none"] = "all"
    originals: tuple[Original, ...] = ()

    def settings_of(self, url: str) -> Settings:
        """Return the settings that ``url``, one of ``urls``, is read by."""
        return next((site.settings for site in self.sites if site.url == url), self.settings)

    @property
    def verify_bound_days(self) -> int:
        """The longest time, in days, after which every article is read again."""
        each = (self.settings_of(url).verify_within for url in self.urls)
        return max(each, default=self.settings.verify_within)
