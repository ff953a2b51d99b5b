"""What becomes of one entry of a site's run: nothing to ask, an article kept, a page, a failure.

`run` says which entry is next and when the run is over; here one is dealt with from its first
look to the keeper. Only reading a document and handing a snapshot over are awaited.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from msgspec import Struct, structs

from crawler.article.copies import NOT_MODIFIED, Copy, CopyFailed
from crawler.article.format_set import NONE_WANTED, Known
from crawler.article.keeping import Keeper
from crawler.article.mirrored import has_all, is_wrapped
from crawler.article.reading import NoArticle, Reading
from crawler.article.soft_404 import WHY as SOFT_404
from crawler.discovery.documents import GONE
from crawler.discovery.mirrors import CHANGES
from crawler.discovery.table import LISTS
from crawler.events import Began
from crawler.frontier import Entry, Frontier
from crawler.site.ahead import Ahead
from crawler.site.departures import Departures, why_blocked
from crawler.site.discovery import ANOTHER_NAME, Discovery
from crawler.site.dues import Dues
from crawler.site.notes import EntryNotes, Verdict
from crawler.site.plan import Plan, Tools
from crawler.site.screening import Find, Screen
from storage.model import EntryState, Site
from storage.writer import RunInfo

#: Why an article is left alone that a person had taken out with `slugline forget`.
FORGOTTEN = "it was forgotten, and is not asked for again"

#: Sources that name a URL on purpose: one that is not there is a failure, and not just a dead link.
ON_PURPOSE = frozenset({"sitemap", "feed", "records-file", "scope", *LISTS, CHANGES})
#: Entries whose validators are read at once: a question of some milliseconds.
READ_AHEAD = 256


class Parts(Struct, frozen=True, kw_only=True):
    """The parts of one site's run that an entry may concern."""

    frontier: Frontier
    keeper: Keeper
    notes: EntryNotes
    dues: Dues
    departures: Departures
    discovery: Discovery


class Entries:
    """Deals with one site's entries. Mutable state: the names found, and what they came to.

    ``taken`` counts the articles taken up, ``asked`` those of them that cost a request, and
    ``unwanted`` those that come in none of the wanted formats.
    """

    def __init__(self, site: Site, plan: Plan, run: RunInfo, tools: Tools, parts: Parts) -> None:
        self._site = site
        self._plan = plan
        self._run = run
        self._tools = tools
        self._frontier = parts.frontier
        self._keeper = parts.keeper
        self._notes = parts.notes
        self._dues = parts.dues
        self._departures = parts.departures
        self._discovery = parts.discovery
        self._ahead = Ahead(tools.writer, self._upcoming)
        self._screen = Screen(tools.reader, plan.start, run.id)
        self._aliases: list[tuple[str, str]] = []
        self.taken = 0
        self.asked = 0
        self.unwanted = 0

    async def look(self, entry: Entry) -> None:
        """Deal with ``entry``: ask for what it is due. Raises HostResting."""
        if entry.url in self._keeper.forgotten:
            self._notes.passed(entry, "skipped", FORGOTTEN)
            return
        before = self._dues.states.get(entry.url)
        self._dues.saw(entry)
        if await self._stands(entry, before) if entry.listed else self._decided(entry, before):
            return
        if self._discovery.dropped(entry):
            self._notes.passed(entry, "skipped", "pages like it led to no article")
            return
        self._tools.report(Began(at=self._tools.clock(), site=self._site.name, url=entry.url))
        try:
            glanced = None
            if before is not None and not entry.listed and self._dues.may_glance(before):
                glanced = await self._glanced(entry, before)
                if glanced is None:
                    return
            known, page = glanced or (await self._keeper.known(entry.url), None)
            await self.seen(entry, await self._tools.reader.read(entry, known, page), known)
        except CopyFailed as failure:
            self._failed(entry, failure, before)

    async def _glanced(self, entry: Entry, before: EntryState) -> tuple[Known, Copy | None] | None:
        """Look at a known article's page alone; None: it shows that all is as it was.

        Else what the archive has, and the page. Raises CopyFailed and HostResting.
        """
        answer = None
        if self._dues.is_whole(before) and not self._discovery.follows(entry.depth):
            # Nothing but the server's word is wanted: no manifest is read, no stored page parsed.
            validator = await self._ahead.validator(entry.url)
            if validator is not None and self._keeper.names.leads_to(entry.url, before.slug):
                answer = await self._tools.reader.ask(entry, validator)
                if answer.status == NOT_MODIFIED and not answer.hops:
                    self._same(entry, before, answer.fetched_at)
                    self._discovery.stood(entry)
                    return None
        known = await self._keeper.known(entry.url)
        if known.newest is None and answer is None:
            return known, None
        glance = await self._tools.reader.glance(entry, known, answer)
        if not glance.same:
            return known, glance.page
        self._tools.writer.note_validators([glance.page.validator])
        self._same(entry, before, glance.page.representation.fetched_at)
        self._discovery.article(glance.page.facts, glance.page.final_url, entry)
        return None

    async def finish(self) -> None:
        """Deal with what waited for the end of the run."""
        for find in self._screen.rest():
            self._count(-1)
            await self._keep(find)
        for alias, url in self._aliases:
            await self._keeper.add_alias(alias, url)

    async def seen(self, entry: Entry, seen: Reading | NoArticle, known: Known) -> None:
        """Deal with what was read at ``entry``. Raises HostResting."""
        if isinstance(seen, NoArticle):
            self._page(seen)
            return
        if self._keeper.is_forgotten(seen):
            self._notes.passed(entry, "skipped", FORGOTTEN)
            return
        why = self._departures.led_to(entry.url, seen)
        if seen.url != entry.url and not self._frontier.claim(seen.url):
            if why:
                self._departures.taken(entry.url, seen, why)
            self._aliases.append((entry.url, seen.url))
            self._another_name(entry, seen.url)
            return
        if why:
            move = await self._departures.move(entry.url, seen)
            if move is None:
                # What is there instead is an article of its own, or somebody else's.
                self._notes.passed(entry, "not there", why)
                entry = Entry(url=seen.url, source=entry.source, depth=entry.depth)
                known = await self._keeper.known(entry.url)
                aliases = seen.aliases - {seen.entry.url}
                seen = structs.replace(seen, entry=entry, aliases=aliases)
        else:
            move = await self._departures.renamed(seen)
        if move is not None:
            self._frontier.settle(move.start)
            self._notes.note(Entry(url=move.start), "skipped", f"it moved to {seen.url}")
            entry = structs.replace(entry, url=seen.url)
        await self._screened(Find(entry=entry, reading=seen, known=known, move=move))

    async def _screened(self, find: Find) -> None:
        """Keep what is an article by its words; what may not be one waits for others like it."""
        alone = self._site.implicit or (not self._plan.discover and find.entry.source == "scope")
        if alone or find.reading.entry.listed is not None:
            await self._keep(find)
            self._article(find.entry, find.reading)
            return
        self._count(1)
        self._frontier.settle(find.reading.url)
        found = await self._screen.screen(find)
        self._article(find.entry, find.reading)
        for each in found.refused:
            self._refuse(each)
        if found.late:
            self._notes.say(
                f"{SOFT_404}, the same under {len(found.refused) + len(found.late)} URLs; before "
                f"that showed, it was kept as {', '.join(found.late)}",
                trouble=True,
            )
        for each in found.kept:
            self._count(-1)
            await self._keep(each)

    def _upcoming(self) -> Iterator[str]:
        """Give the known articles among the next entries."""
        return (url for url in self._frontier.upcoming(READ_AHEAD) if url in self._dues.states)

    def _count(self, change: int) -> None:
        """Count an article that was read among those of this run, or take it back."""
        self.taken += change
        self.asked += change

    def _refuse(self, find: Find) -> None:
        """Report a page that says that nothing is there, with status 200."""
        self._count(-1)
        before = self._dues.states.get(find.entry.url)
        self._failed(find.entry, CopyFailed(find.entry.url, SOFT_404), before)

    def _another_name(self, entry: Entry, url: str) -> None:
        why = f"{ANOTHER_NAME} {url}"
        if not self._keeper.names.article_at(entry.url):
            self._notes.note(entry, "skipped", why)
        self._notes.passed(entry, "skipped", why)

    async def _keep(self, find: Find) -> None:
        entry, seen = find.entry, find.reading
        self._count(1)
        try:
            # A partial article is due again, whatever its lastmod says.
            due = structs.replace(entry, lastmod="") if seen.missing else entry
            began = min(copy.representation.fetched_at for copy in seen.copies.values())
            verified = None if seen.missing else began
            state = partial(self._notes.state, due, "article", at=began, verified_at=verified)
            judged = await self._keeper.keep(seen, find.known, state, find.move)
            self._departures.lives(self._keeper.names.slug_at(seen.url))
            if seen.missing:
                self._discovery.missed(entry)
        finally:
            self._frontier.settle(seen.url)
        if self._dues.weigh(entry, seen, edited=judged.is_edit):
            self._notes.say(
                f"{entry.url} changed and its lastmod did not: dates are no longer believed",
                trouble=True,
            )

    async def _stands(self, entry: Entry, before: EntryState | None) -> bool:
        """Settle what another mirror lists, where its hashes tell that all of it is here."""
        listed = entry.listed
        if listed is None or before is None or before.verdict != "article":
            gone = listed is not None and listed.gone
            if gone:
                self._notes.passed(entry, "skipped", "it is gone there")
            return gone
        since = self._run.continues_since
        done = since is not None and before.checked_at >= since
        if not done and before.run != self._run.id and not self._dues.may_glance(before):
            return False
        known = await self._keeper.known(entry.url)
        if not has_all(known.newest, listed, self._plan.formats):
            return False
        self.taken += 1
        self._departures.lives(before.slug)
        self._notes.unchanged(entry, before.slug)
        return True

    def _decided(self, entry: Entry, before: EntryState | None) -> bool:
        """Settle an entry without a request: done in the run continued here, or unchanged."""
        if before is not None and (
            self._discovery.spares(entry, before) or self._dues.page_stands(entry, before)
        ):
            self._notes.passed(entry, before.verdict, before.why)
            return True
        if before is None or before.verdict != "article":
            return False
        if before.run == self._run.id:
            self._notes.passed(
                entry, "skipped", "it was looked at from another start URL of this run"
            )
            return True
        since = self._run.continues_since
        moved = entry.lastmod not in ("", before.lastmod)
        done = since is not None and before.checked_at >= since and not moved
        if not done and not self._dues.undue(entry, before):
            return False
        self.taken += 1
        self._departures.lives(before.slug)
        self._notes.unchanged(entry, before.slug)
        return True

    def _same(self, entry: Entry, before: EntryState, at: datetime) -> None:
        """Note an article whose page said nothing new ``at`` that moment."""
        self.taken += 1
        self._departures.lives(before.slug)
        self.asked += 1
        self._tools.writer.note_entry(
            structs.replace(before, lastmod=entry.lastmod, checked_at=at, run=self._run.id)
        )
        self._notes.unchanged(entry, before.slug)

    def _article(self, entry: Entry, reading: Reading) -> None:
        self._frontier.found(entry.url)
        for copy in reading.copies.values():
            if copy.representation.url != reading.url:
                self._frontier.settle(copy.representation.url)
        page = reading.copies.get("html")
        if page is not None:
            self._discovery.article(page.facts, page.final_url, entry)
        source, copies = reading.canonical_source, reading.copies.values()
        if source and self._plan.follow_canonical and not is_wrapped(copies, source):
            self._tools.foreign(source)

    def _page(self, page: NoArticle) -> None:
        if lost := self._departures.became_page(page.entry.url, page):
            self._lost(page.entry, lost)
            return
        self._discovery.page(page)
        self._notes.note(page.entry, "page", page.why)
        self._notes.passed(page.entry, "page", page.why)

    def _lost(self, entry: Entry, why: str) -> None:
        """Deal with a known article that is not what its URL shows."""
        if self._departures.missing(entry.url):
            self._discovery.dead(entry)
            self._notes.passed(entry, "not there", why)
        else:
            self._failed(entry, CopyFailed(entry.url, why), self._dues.states.get(entry.url))

    def _failed(self, entry: Entry, failure: CopyFailed, before: EntryState | None) -> None:
        if not (entry.listed and entry.listed.gone and failure.status in GONE):
            self._discovery.missed(entry)
        if lost := self._departures.failed(entry.url, failure):
            self._lost(entry, lost)
            return
        if failure.disallowed:
            self.unwanted += failure.why == NONE_WANTED
            self._notes.note(entry, "skipped", failure.why, before=before)
            self._notes.passed(entry, "skipped", failure.why)
            return
        why = why_blocked(failure)
        known = before is not None and before.verdict in ("failed", "gone")
        verdict: Verdict = "gone" if failure.status in GONE else "failed"
        attempts = before.attempts if before is not None and known else 0
        slug = before.slug if before is not None else ""
        self._notes.note(entry, verdict, why, attempts + 1, before=before)
        if failure.status in GONE:
            self._discovery.dead(entry)
        if entry.source in ON_PURPOSE or failure.status not in GONE:
            self._notes.failed(entry.url, why, known=known)
        else:
            self._notes.passed(entry, verdict if slug else "dead link", why)
