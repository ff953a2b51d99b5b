"""What the operator is told of a site's discovery: what named how much, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from crawler.events import Discovered, Event, Note
from crawler.frontier import Entry
from crawler.progress.wording import count, duration, pace

#: What an article of this kind of site costs at first: HTML, Markdown, text and JSON-LD.
REQUESTS_AN_ARTICLE = 4


class Telling:
    """Tells of one site's discovery in one run. Mutable state: what is said once was said."""

    def __init__(
        self, site: str, report: Callable[[Event], None], clock: Callable[[], datetime]
    ) -> None:
        self._site = site
        self._report = report
        self._clock = clock
        self._full: set[str] = set()

    def say(self, message: str, *, trouble: bool = False) -> None:
        """Say a sentence; ``trouble``: to whoever hears only that, too."""
        self._report(Note(at=self._clock(), site=self._site, message=message, trouble=trouble))

    def added(self, entries: Sequence[Entry], url: str, new: int) -> None:
        """Tell how many ``entries`` the document at ``url`` named, a page where any was ``new``."""
        if new or (entries and entries[0].source != "link"):
            self._report(
                Discovered(
                    at=self._clock(),
                    site=self._site,
                    source=entries[0].source,
                    url=url,
                    count=len(entries),
                    new=new,
                )
            )

    def left_out(self, kinds: Collection[str], pending_links: int) -> None:
        """Say, once each, that the frontier takes no more of what lists or pages name."""
        if self._full.issuperset(kinds):
            return
        said = {
            "listed": "more URLs are listed than are held (max_frontier): the rest is left out of "
            "this run",
            "linked": f"{count(pending_links, 'link')} of pages wait (pending_links), "
            f"or the frontier is full (max_frontier): links past that are dropped",
        }
        for kind in set(kinds) - self._full:
            self._full.add(kind)
            self.say(said[kind], trouble=True)

    def estimate(self, listed: int, rate: float) -> None:
        """Say how long the articles listed so far will take at a pace of ``rate`` requests/s."""
        if rate and listed:
            seconds = listed * REQUESTS_AN_ARTICLE / rate
            self.say(
                f"{count(listed, 'article')} listed: {pace(rate)}, about "
                f"{REQUESTS_AN_ARTICLE} requests each, so this takes about {duration(seconds)}"
            )
