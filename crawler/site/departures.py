"""One site's known articles that are not where they were, from the first look to the run's end.

What each sighting means is `vanishing`'s; here they are gathered, redirects are told apart, and at
the end of a run its conclusions go to the keeper. Nothing is concluded earlier: only the whole
run shows whether it was the article or the site.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from crawler.article.copies import CopyFailed
from crawler.article.keeping import Keeper, Move
from crawler.article.reading import ArticleReader, NoArticle, Reading
from crawler.events import Event, Note
from crawler.packed import NameSet
from crawler.urls import same_page
from crawler.vanishing import (
    BLOCKED,
    GONE,
    NOT_FOUND,
    Proofs,
    Sighting,
    conclude,
    moved_for_good,
)
from storage.model import EntryState, Payload, Site
from storage.writer import Writer

#: Bytes of evidence held until a run's end; past them a sighting stands without its answer.
MOST_EVIDENCE = 32 * 2**20
#: Under which a site's memory keeps when the operator was last told of a mass of missing articles.
MASS_SAID = "mass-gone-said"
_ZONED = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)])
#: How often a quiet run says so while it lasts: once a day is a reminder, every run is noise.
SAY_AGAIN = timedelta(days=1)
#: Known articles of one title that are asked whether they redirect to a new one.
MOST_NAMESAKES = 3


class Departures:
    """Mutable state: who was found at home, who was not, and whose redirect is not settled yet.

    And what earlier runs noted of the site's entries.
    """

    def __init__(
        self,
        site: Site,
        run: str,
        keeper: Keeper,
        writer: Writer,
        reader: ArticleReader,
        *,
        gone_after: timedelta,
        report: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._site = site
        self._run = run
        self._keeper = keeper
        self._writer = writer
        self._reader = reader
        self._gone_after = gone_after
        self._report = report
        self._clock = clock
        self._living = NameSet()
        self._sightings: dict[str, Sighting] = {}
        self._undecided: dict[str, tuple[Sighting, str]] = {}
        self._held = 0
        self._mass_said: datetime | None = None
        self._states: Mapping[str, EntryState] = {}

    def recall(self, states: Mapping[str, EntryState], memory: Mapping[str, str]) -> None:
        """Forget what was seen gone once and found in its place by a later run.

        Such an article has no event that says so: only its entry's state tells. ``memory`` is what
        the site's earlier runs left.
        """
        self._states = states
        # An unreadable note is none: the index may be somebody else's.
        with suppress(msgspec.DecodeError):
            self._mass_said = _ZONED.decode(memory.get(MASS_SAID, ""))
        gone = {each.slug for each in states.values() if each.verdict == "gone"}
        for slug, before in list(self._keeper.missed.items()):
            if before.event == "gone-seen" and slug not in gone:
                del self._keeper.missed[slug]

    def lives(self, slug: str) -> None:
        """Note that an article was found as it should be."""
        self._living.add(slug)

    def failed(self, url: str, failure: CopyFailed) -> str:
        """Take in that ``url`` could not be had; returns what to say of a known article there.

        Empty: it is no sighting, and a failure like any other.
        """
        slug = self._keeper.names.article_at(url)
        away = failure.disallowed and moved_for_good(_hops(failure.evidence))
        if not slug or not (failure.status in (NOT_FOUND, GONE) or away):
            return ""
        status = failure.evidence.payloads[0].status if away else failure.status
        self._saw(slug, url, status, failure.why, failure.evidence)
        return failure.why

    def became_page(self, url: str, page: NoArticle) -> str:
        """Return why a known article at ``url`` is a mere page now; empty where it never was one.

        A redirect for good to what is no article counts as gone.
        """
        slug = self._keeper.names.article_at(url)
        if not slug:
            return ""
        if same_page(page.url, url):
            return f"it is no article any more: {page.why}"
        if not moved_for_good(_hops(page.redirected)):
            return f"it redirects for now to {page.url}, which is no article"
        why = f"it redirects for good to {page.url}, which is no article"
        self._saw(slug, url, _hops(page.redirected)[0].status, why, page.redirected)
        return why

    def led_to(self, url: str, reading: Reading) -> str:
        """Return why what ``url`` led to is not the known article there, or an empty text.

        Not yet looked at is whether it is that article at a new URL: see `move`.
        """
        slug = self._keeper.names.article_at(url)
        if not slug or same_page(reading.url, url):
            return ""
        evidence = _redirected(url, reading)
        if not _hops(evidence):
            return ""
        if self._keeper.names.slug_at(reading.url) == slug:
            return ""
        if not moved_for_good(_hops(evidence)):
            return f"it redirects for now to {reading.url}"
        return f"it redirects for good to {reading.url}"

    def missing(self, url: str) -> bool:
        """Say whether what was to be at ``url`` was taken in as not there."""
        return self._keeper.names.article_at(url) in self._sightings

    def taken(self, url: str, reading: Reading, why: str) -> None:
        """Note that another entry has what ``url`` redirects to; the end of the run decides."""
        evidence = _redirected(url, reading)
        if moved_for_good(_hops(evidence)):
            sighting = Sighting(
                slug=self._keeper.names.article_at(url),
                url=url,
                status=_hops(evidence)[0].status,
                why=f"{why}, another article",
                evidence=evidence,
            )
            self._undecided[url] = (sighting, reading.url)

    async def move(self, url: str, reading: Reading) -> Move | None:
        """Return the move that a redirect of a known article's URL is, or None: it is gone there.

        To be called where `led_to` says something and nobody has ``reading.url``.
        """
        slug, evidence = self._keeper.names.article_at(url), _redirected(url, reading)
        if not moved_for_good(_hops(evidence)):
            return None
        unknown = not self._keeper.names.slug_at(reading.url)
        if unknown and await self._keeper.is_same(slug, reading):
            return Move(slug=slug, start=url, evidence=_first(evidence))
        why = f"it redirects for good to {reading.url}, another article"
        self._saw(slug, url, _hops(evidence)[0].status, why, evidence)
        return None

    async def renamed(self, reading: Reading) -> Move | None:
        """Return the known article that a reading at an unknown URL is, if its old URL says so.

        Raises HostResting.
        """
        if self._keeper.names.slug_at(reading.url):
            return None
        found = await self._keeper.namesakes(reading)
        away = [each for each in found if each[0] not in self._living]
        for slug, place in away[:MOST_NAMESAKES]:
            try:
                copy = await self._reader.shown_at(place)
            except CopyFailed as failure:
                gone = failure.status in (NOT_FOUND, GONE)
                if gone and await self._keeper.is_renamed(slug, reading):
                    return Move(slug=slug, start=place, evidence=failure.evidence)
                continue
            there = same_page(copy.final_url, reading.url) and copy.final_url != place
            redirected = moved_for_good(_hops(copy.redirected)) and there
            if redirected and await self._keeper.is_same(slug, reading):
                return Move(slug=slug, start=place, evidence=_first(copy.redirected))
        return None

    async def settle(self, known: int) -> None:
        """Store what the run's sightings come to, ``known`` articles having been looked for."""
        for sighting, target in self._undecided.values():
            if self._keeper.names.slug_at(target) != sighting.slug:
                self._sightings.setdefault(sighting.slug, sighting)
        seen = [each for slug, each in self._sightings.items() if slug not in self._living]
        now = self._clock()
        found = conclude(
            seen,
            self._keeper.missed,
            living=len(self._living),
            known=known,
            now=now,
            gone_after=self._gone_after,
        )
        if found.mass:
            self._say_mass(found.mass, now)
        for sighting in found.waiting:
            self._writer.note_entry(self._state(sighting, now))
        for sighting, event in found.events:
            await self._keeper.depart(sighting, event, self._state(sighting, now))

    def _say_mass(self, message: str, now: datetime) -> None:
        """Tell of a mass of missing articles: loudly the first time, and once a day from then."""
        said = self._mass_said
        trouble = said is None or not timedelta() <= now - said < SAY_AGAIN
        self._report(Note(at=now, site=self._site.name, message=message, trouble=trouble))
        if trouble:
            text = msgspec.json.encode(now).decode()
            self._writer.remember(self._site.name, MASS_SAID, text)

    def _saw(self, slug: str, url: str, status: int, why: str, evidence: Proofs) -> None:
        kept = Proofs() if self._held + evidence.size > MOST_EVIDENCE else evidence
        self._held += kept.size
        self._sightings[slug] = Sighting(slug=slug, url=url, status=status, why=why, evidence=kept)

    def _state(self, sighting: Sighting, now: datetime) -> EntryState:
        before = self._states.get(sighting.url)
        # To miss an article takes nothing from what was compared with the site before.
        if before is not None and before.slug != sighting.slug:
            before = None
        return EntryState(
            site=self._site.name,
            url=sighting.url,
            verdict="gone",
            slug=sighting.slug,
            why=sighting.why,
            checked_at=now,
            run=self._run,
            verified_at=None if before is None else before.verified_at,
        )


def why_blocked(failure: CopyFailed) -> str:
    """Say of a refusal that it tells nothing of the article; other failures as they are."""
    return f"blocked: {failure.why}" if failure.status in BLOCKED else failure.why


def _hops(evidence: Proofs) -> tuple[Payload, ...]:
    return tuple(each for each in evidence.payloads if each.role == "hop")


def _first(evidence: Proofs) -> Proofs:
    """Leave out the article at the end of the redirects: it is stored as one."""
    return Proofs(payloads=_hops(evidence), redacted=evidence.redacted, private=evidence.private)


def _redirected(url: str, reading: Reading) -> Proofs:
    """Return the redirects that led from ``url`` to the reading."""
    copies = (each for each in reading.copies.values() if each.representation.url == url)
    found = next(copies, None)
    return found.redirected if found is not None else Proofs()
