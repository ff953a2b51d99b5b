"""Handing readings to the store: which snapshot an article's reading becomes, and what is noted.

Between the pure decisions (`assemble`, `judge`, `snapshot`) and the writer: it reads what they need
of an article's history, and never waits for the disk, since the writer commits in batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from msgspec import Struct, structs

from crawler.article.format_set import Known
from crawler.article.judge import Judgement
from crawler.article.kept import (
    by_title,
    earlier_contents,
    extracted_otherwise,
    known_article,
    redigested,
)
from crawler.article.names import SiteNames
from crawler.article.outcomes import not_stored, told
from crawler.article.reading import Reading
from crawler.article.slugs import clean_slug, slug_from_url
from crawler.article.snapshot import (
    Candidate,
    Context,
    alias_event,
    consider,
    declared_slug,
    draft,
    happened,
)
from crawler.events import Event, Failed, Note, Unchanged
from crawler.folding import comparable
from crawler.vanishing import (
    Departure,
    Missed,
    Proofs,
    Sighting,
    matches,
    renamed,
)
from storage.archive import Archive
from storage.errors import BadDraft
from storage.model import Draft, EntryState, Manifest, Site
from storage.writer import Writer

#: Snapshots handed over and not yet durable, at most: one of the writer's batches that it stores,
#: and one that gathers meanwhile.
MOST_PENDING = 128


class Move(Struct, frozen=True, kw_only=True):
    """A known article found at another URL than its own, ``start``, and what shows it."""

    slug: str
    start: str
    evidence: Proofs = Proofs()


class Keeper:
    """Keeps the readings of one site. Mutable state: names given, and what the store still owes."""

    def __init__(
        self,
        site: Site,
        run: str,
        writer: Writer,
        *,
        every_byte: bool = False,
        report: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._site = site
        self._run = run
        self._writer = writer
        self._every_byte = every_byte
        self._report = report
        self._clock = clock
        self._room = asyncio.Semaphore(MOST_PENDING)
        self._pending: set[asyncio.Future[Manifest]] = set()
        self._failure: BaseException | None = None
        self._titled: dict[str, list[str]] | None = None
        self.names = SiteNames()
        self.missed: dict[str, Missed] = {}
        self.forgotten: dict[str, str] = {}

    async def load(self) -> None:
        """Read the names that the archive has given on this site."""
        read, site = self._writer.read, self._site.name
        self.names = SiteNames(await read(Archive.slugs, site), await read(Archive.aliases, site))
        for slug, row in (await read(Archive.missed, site)).items():
            event: Departure = "gone" if row.event == "gone" else "gone-seen"
            self.missed[slug] = Missed(event=event, at=row.observed_at)
        self.forgotten = await read(Archive.forgotten, site)

    async def known(self, url: str) -> Known:
        """Return what the archive has of the article that ``url`` leads to."""
        slug = self.names.known_at(url)
        if not slug:
            return Known()
        return await self._writer.read(known_article, self._site.name, slug)

    def is_forgotten(self, reading: Reading) -> bool:
        """Say whether ``reading`` is of an article that the archive was told to forget."""
        if not self.forgotten:
            return False
        urls = {reading.url, reading.entry.url, *reading.aliases}
        return not urls.isdisjoint(self.forgotten) or (
            clean_slug(declared_slug(reading) or "") in self.forgotten.values()
        )

    def is_gone(self, slug: str) -> bool:
        """Say whether the archive has an article as gone."""
        return slug in self.missed and self.missed[slug].event == "gone"

    async def namesakes(self, reading: Reading) -> list[tuple[str, str]]:
        """Return slug and URL of the known articles that may have been ``reading`` before."""
        if not self.names.has_known:
            return []
        if self._titled is None:
            self._titled = await self._writer.read(by_title, self._site.name)
        titles = {comparable(each.title) for each in reading.facts.values() if each.title}
        slugs = {slug for title in sorted(titles) for slug in self._titled.get(title, ())}
        slugs.add(declared_slug(reading) or "")
        return [(slug, self.names.place(slug)) for slug in sorted(slugs) if self.names.knows(slug)]

    async def is_same(self, slug: str, reading: Reading) -> bool:
        """Say whether ``reading`` has the title or the words of the known article ``slug``."""
        newest = (await self._writer.read(known_article, self._site.name, slug)).newest
        if newest is None:
            return False
        assembly = consider(reading, slug, newest, self._context()).assembly
        return matches(newest, assembly.record, assembly.content)

    async def is_renamed(self, slug: str, reading: Reading) -> bool:
        """Say whether ``reading`` bears the known article's own slug and publication date."""
        newest = (await self._writer.read(known_article, self._site.name, slug)).newest
        if newest is None:
            return False
        assembly = consider(reading, slug, newest, self._context()).assembly
        return renamed(newest, declared_slug(reading), assembly.record)

    async def depart(self, sighting: Sighting, event: Departure, state: EntryState) -> None:
        """Store that a known article is gone, or was seen gone, with the answers that show it."""
        newest = (await self._writer.read(known_article, self._site.name, sighting.slug)).newest
        if newest is None:
            return
        detail = {"url": sighting.url, "why": sighting.why, "status": str(sighting.status)}
        context = self._context()
        self.missed[sighting.slug] = Missed(event=event, at=context.now)
        sent = happened(
            newest, event, context, detail=detail, evidence=sighting.evidence, url=sighting.url
        )
        await self._send(sent, state)

    async def keep(
        self,
        reading: Reading,
        known: Known,
        state: Callable[[str], EntryState],
        move: Move | None = None,
    ) -> Judgement:
        """Judge ``reading`` and hand it to the store if it is new; returns the judgement.

        ``state`` makes the entry's note from the slug; it is stored together with the snapshot, so
        that an article is never taken for done before it is.
        """
        slug, taken = self._named(reading, move)
        newest = known.newest
        if (newest is None or newest.slug != slug) and self.names.knows(slug):
            newest = (await self._writer.read(known_article, self._site.name, slug)).newest
        elif newest is not None and newest.slug != slug:
            # Its entry led to that article once, and leads to another one now.
            newest = None
        context = self._context()
        if newest is not None:
            await self._arrived(reading, newest, context, move)
        candidate = await self._judged(reading, slug, newest, context, taken=taken)
        if candidate.judgement.reason is not None:
            sent = draft(candidate, context)
            await self._send(sent, state(slug))
            noted = not_stored(reading, all_of_them=not sent.payloads)
        else:
            await self._unchanged(candidate, newest, context)
            self._writer.note_entry(state(slug))
            kept = newest is not None and any(r.record_id for r in newest.representations)
            copies = reading.copies.values()
            noted = [copy.validator for copy in copies] if kept else not_stored(reading)
        self.names.give(slug, {reading.url, reading.entry.url, *reading.aliases})
        if noted:
            self._writer.note_validators(noted)
        return candidate.judgement

    def _named(self, reading: Reading, move: Move | None) -> tuple[str, bool]:
        if move is None:
            declared = declared_slug(reading)
            return self.names.slugs.assign(reading.url, declared, entry=reading.entry.url)
        self.names.lead(reading.url, move.slug)
        return move.slug, False

    async def _arrived(
        self, reading: Reading, newest: Manifest, context: Context, move: Move | None
    ) -> None:
        """Store that a known article is back, or that it is at another URL now."""
        slug = newest.slug
        before = self.missed.pop(slug, None)
        if before is not None and before.event == "gone":
            detail = {"url": reading.url}
            await self._send(
                happened(
                    newest,
                    "returned",
                    context,
                    detail=detail,
                    evidence=Proofs(),
                    url=self.names.place(slug),
                )
            )
        if move is not None:
            name = clean_slug(declared_slug(reading) or "") or slug_from_url(reading.url)
            second = {"slug": name} if name and name != slug else {}
            detail = {"from": move.start, "to": reading.url} | second
            self.names.move(slug, reading.url)
            await self._send(
                happened(
                    newest,
                    "moved",
                    context,
                    detail=detail,
                    evidence=move.evidence,
                    url=reading.url,
                )
            )

    async def add_alias(self, alias: str, article_url: str) -> None:
        """Note that ``alias`` leads to the article at ``article_url``: an event, once."""
        slug = self.names.slug_at(article_url)
        if not slug or alias in self.names:
            return
        await self.drain()
        newest = (await self._writer.read(known_article, self._site.name, slug)).newest
        if newest is None:
            # This run has stored it: in a bucket it is safe some time before it can be read.
            await self._writer.flush()
            newest = (await self._writer.read(known_article, self._site.name, slug)).newest
        if newest is not None:
            self.names.lead(alias, slug)
            context = self._context()
            await self._send(alias_event(self._placed(newest), alias, context))

    async def drain(self) -> None:
        """Wait until everything handed over is durable; raises what the store raised."""
        while self._pending:
            self._writer.close_batch()
            await asyncio.wait(self._pending)
        if self._failure is not None:
            raise self._failure

    def _placed(self, newest: Manifest) -> Manifest:
        """Return ``newest`` with the URL where its article is now."""
        return structs.replace(newest, url=self.names.place(newest.slug) or newest.url)

    def _context(self) -> Context:
        return Context(
            site=self._site, run=self._run, now=self._clock(), every_byte=self._every_byte
        )

    async def _judged(
        self, reading: Reading, slug: str, newest: Manifest | None, context: Context, *, taken: bool
    ) -> Candidate:
        candidate = consider(reading, slug, newest, context, taken=taken)
        if newest is None:
            return candidate
        if extracted_otherwise(newest, candidate):
            newest = await self._writer.read(redigested, newest, reading)
            candidate = consider(reading, slug, newest, context, taken=taken)
        if candidate.judgement.edited:
            content = candidate.assembly.content
            words = {source: content[source] for source in candidate.judgement.edited}
            earlier = await self._writer.read(earlier_contents, newest, words)
            candidate = consider(reading, slug, newest, context, earlier, taken=taken)
        return candidate

    async def _unchanged(
        self, candidate: Candidate, newest: Manifest | None, context: Context
    ) -> None:
        reading = candidate.reading
        for alias in sorted(reading.aliases):
            if newest is not None and alias not in self.names:
                await self._send(alias_event(self._placed(newest), alias, context))
        if candidate.judgement.html_differs:
            message = f"{reading.url}: the page's own text changed, its text formats did not"
            self._report(Note(at=context.now, site=self._site.name, message=message))
        before = newest.missing if newest is not None else {}
        for name, why in sorted(reading.missing.items()):
            # What the newest snapshot lacks too was said with it, and stands in `status`.
            if name not in before:
                url, reason = reading.alternates[name], f"no {name}: {why}; what was kept stands"
                self._report(Failed(at=context.now, site=self._site.name, url=url, reason=reason))
        self._report(
            Unchanged(at=context.now, site=self._site.name, slug=candidate.slug, url=reading.url)
        )

    async def _send(self, sent: Draft, state: EntryState | None = None) -> None:
        """Hand ``sent`` over; its event is reported when it is durable and visible."""
        if self._failure is not None:
            raise self._failure
        await self._room.acquire()
        if state is not None:
            self._writer.note_entry(state)
        future = self._writer.submit(sent)
        self._pending.add(future)
        future.add_done_callback(partial(self._settled, sent.manifest, state))

    def _settled(
        self, sent: Manifest, state: EntryState | None, future: asyncio.Future[Manifest]
    ) -> None:
        """Take in what became of one that was handed over; what goes wrong here `drain` raises."""
        self._pending.discard(future)
        self._room.release()
        try:
            self._report(told(future.result(), self._clock()))
        except BadDraft as error:
            self._refused(sent, str(error), state)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  - raised by `drain`
            self._failure = self._failure or error

    def _refused(self, manifest: Manifest, why: str, state: EntryState | None) -> None:
        """Say that one article can't be stored as it is; the next run looks at it again."""
        if state is not None:
            self._writer.note_entry(structs.replace(state, verdict="failed", why=why))
        now = self._clock()
        self._report(Failed(at=now, site=manifest.site, url=manifest.url, reason=why))
