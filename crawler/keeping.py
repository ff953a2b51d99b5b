"""Handing readings to the store: which snapshot an article's reading becomes, and what is noted.

Between the pure decisions (`assemble`, `judge`, `snapshot`) and the writer: it reads what they need
of an article's history, and never waits for the disk, since the writer commits in batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from msgspec import structs

from crawler.article import Reading
from crawler.digest import content_digest
from crawler.events import Event, Failed, Happened, Note, Stored, Unchanged
from crawler.facts import Malformed
from crawler.format_set import Known
from crawler.formats import parse
from crawler.slugs import Slugs
from crawler.snapshot import Candidate, Context, alias_event, consider, declared_slug, draft
from storage.archive import Archive
from storage.errors import ArchiveError, BadDraft
from storage.model import ContentDigest, Draft, EntryState, Manifest, Site
from storage.writer import Writer

#: Snapshots handed over and not yet durable, at most: four of the writer's batches.
MOST_PENDING = 256
#: Reasons that mean the words changed, so that older editions are worth a look for a revert.
EDITS = frozenset({"edit", "silent-edit", "same-day", "undated"})


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
        self._pending: set[asyncio.Task[None]] = set()
        self._failure: ArchiveError | None = None
        self._names: dict[str, str] = {}
        self._old_slugs: frozenset[str] = frozenset()
        self.slugs = Slugs()

    async def load(self) -> None:
        """Read the names that the archive has given on this site."""
        slugs = await self._writer.read(Archive.slugs, self._site.name)
        self._old_slugs = frozenset(slugs)
        self.slugs = Slugs(slugs)
        self._names = {url: slug for slug, url in slugs.items()}
        self._names |= await self._writer.read(Archive.aliases, self._site.name)
        for url, slug in self._names.items():
            self.slugs.add_alias(url, slug)

    async def known(self, url: str) -> Known:
        """Return what the archive has of the article that ``url`` leads to."""
        slug = self._names.get(url)
        if slug is None or slug not in self._old_slugs:
            return Known()
        return await self._writer.read(_known, self._site.name, slug)

    async def keep(self, reading: Reading, known: Known, state: Callable[[str], EntryState]) -> str:
        """Judge ``reading`` and hand it to the store if it is new; returns the article's slug.

        ``state`` makes the entry's note from the slug; it is stored together with the snapshot, so
        that an article is never taken for done before it is.
        """
        slug, taken = self.slugs.assign(
            reading.url, declared_slug(reading), entry=reading.entry.url
        )
        newest = known.newest
        if slug in self._old_slugs and (newest is None or newest.slug != slug):
            newest = (await self._writer.read(_known, self._site.name, slug)).newest
        context = self._context()
        candidate = await self._judged(reading, slug, newest, context, taken=taken)
        if candidate.judgement.reason is not None:
            await self._send(draft(candidate, context), state(slug))
        else:
            await self._unchanged(candidate, newest, context)
            self._writer.note_entry(state(slug))
        for url in (reading.url, reading.entry.url, *reading.aliases):
            self._names.setdefault(url, slug)
            self.slugs.add_alias(url, slug)
        self._writer.note_validators(copy.validator for copy in reading.copies.values())
        return slug

    async def add_alias(self, alias: str, article_url: str) -> None:
        """Note that ``alias`` leads to the article at ``article_url``: an event, once."""
        slug = self._names.get(article_url)
        if slug is None or alias in self._names:
            return
        await self.drain()
        newest = (await self._writer.read(_known, self._site.name, slug)).newest
        if newest is not None:
            self._names[alias] = slug
            context = self._context()
            await self._send(alias_event(newest, alias, context))

    async def drain(self) -> None:
        """Wait until everything handed over is durable; raises what the store raised."""
        while self._pending:
            await asyncio.gather(*self._pending)
        if self._failure is not None:
            raise self._failure

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
        if _extracted_otherwise(newest, candidate):
            newest = await self._writer.read(_redigested, newest, reading)
            candidate = consider(reading, slug, newest, context, taken=taken)
        if candidate.judgement.reason in EDITS:
            earlier = await self._writer.read(_earlier_contents, self._site.name, slug)
            candidate = consider(reading, slug, newest, context, earlier, taken=taken)
        return candidate

    async def _unchanged(
        self, candidate: Candidate, newest: Manifest | None, context: Context
    ) -> None:
        reading = candidate.reading
        for alias in sorted(reading.aliases - self._names.keys()):
            if newest is not None:
                await self._send(alias_event(newest, alias, context))
        if candidate.judgement.html_differs:
            message = f"{reading.url}: the page's own text changed, its text formats did not"
            self._report(Note(at=context.now, site=self._site.name, message=message))
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

        async def settle() -> None:
            try:
                stored = await future
            except BadDraft as error:
                self._refused(sent.manifest, str(error), state)
                return
            except ArchiveError as error:
                self._failure = error
                return
            finally:
                self._room.release()
            event = stored.kind == "event"
            self._report(_happened(stored) if event else _stored(stored, self._clock()))

        task = asyncio.ensure_future(settle())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    def _refused(self, manifest: Manifest, why: str, state: EntryState | None) -> None:
        """Say that one article can't be stored as it is; the next run looks at it again."""
        if state is not None:
            self._writer.note_entry(structs.replace(state, verdict="failed", why=why))
        now = self._clock()
        self._report(Failed(at=now, site=manifest.site, url=manifest.url, reason=why))


def _known(archive: Archive, site: str, slug: str) -> Known:
    newest = archive.newest(site, slug)
    if newest is None:
        return Known()
    return Known(
        newest=newest, validators=archive.validators(each.url for each in newest.representations)
    )


def _earlier_contents(archive: Archive, site: str, slug: str) -> list[dict[str, ContentDigest]]:
    return [archive.manifest(row).content for row in archive.history(site, slug)[:-1]]


def _extracted_otherwise(newest: Manifest, candidate: Candidate) -> bool:
    """Say whether a stored digest was made by another version of its extractor."""
    now = candidate.assembly.content
    return any(
        source in now and now[source].extractor != old.extractor
        for source, old in newest.content.items()
    )


def _redigested(archive: Archive, newest: Manifest, reading: Reading) -> Manifest:
    """Digest the stored bodies with today's extractors, so that only words are compared."""
    content = {}
    for name, copy in reading.copies.items():
        shown = newest.representation(name)
        if copy.facts.source not in newest.content or shown is None:
            continue
        try:
            body = archive.body(newest, name)
            facts = parse(name, body.decoded, shown.final_url, shown.media_type)
        except (ArchiveError, Malformed):
            continue
        if (digest := content_digest(facts)) is not None:
            content[copy.facts.source] = digest
    return structs.replace(newest, content=content)


def _stored(manifest: Manifest, now: datetime) -> Stored:
    key = manifest.key
    return Stored(
        at=now,
        site=manifest.site,
        slug=manifest.slug,
        url=manifest.url,
        updated_at=key.updated_at if key else manifest.observed_at,
        revision=manifest.revision,
        reason=manifest.reason or "first",
        state=manifest.state,
        formats=tuple(each.format for each in manifest.representations),
        missing=manifest.missing,
        findings=tuple(each.kind for each in manifest.findings),
    )


def _happened(manifest: Manifest) -> Happened:
    return Happened(
        at=manifest.observed_at,
        site=manifest.site,
        slug=manifest.slug,
        url=manifest.url,
        event=manifest.event or "",
    )
