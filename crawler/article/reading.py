"""Reading one article: from its entry URL to its whole format set.

The unit of work is the article. A reading follows the entry to the page, the
page's canonical to the article's own URL, and every declared alternate to a copy; where the
copies' update times show that the article changed meanwhile, the stale ones are read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cached_property

from msgspec import Struct, field, structs

from crawler.article.assemble import contents
from crawler.article.canonical import PAGE_ACCEPT, CanonicalFollower
from crawler.article.classify import Verdict, classify, needs_record
from crawler.article.copies import Copy, CopyFailed, Copyist
from crawler.article.format_set import NONE_WANTED, FormatSet, Known
from crawler.article.glance import says_the_same
from crawler.article.identity import conflicts, read_canonical
from crawler.article.mirrored import fetch_listed, last_listed
from crawler.article.probe import PageFinder, Prober
from crawler.article.soft_404 import fingerprint, shown
from crawler.article.torn import TornSets, torn_finding
from crawler.declared import Declared, hinted_links
from crawler.discovery.memory import Memory
from crawler.facts import Facts, Link
from crawler.frontier import Entry
from crawler.transport.answer import Answer
from crawler.urls import same_page
from crawler.vanishing import Proofs
from storage.model import ContentDigest, Finding, Validator


class Reading(Struct, frozen=True, kw_only=True, dict=True):
    """All that one look at an article gave.

    ``url`` is the article's identity; ``copies`` are by format, ``alternates`` the URLs of the
    declared formats, ``missing`` the reasons for those that could not be had, ``withdrawn`` the
    newest snapshot's formats that nobody declares any more.
    """

    entry: Entry
    url: str
    copies: dict[str, Copy]
    alternates: dict[str, str]
    missing: dict[str, str]
    withdrawn: frozenset[str] = frozenset()
    claims: dict[str, str] = field(default_factory=dict)
    canonical_source: str | None = None
    aliases: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    torn: bool = False

    @cached_property
    def facts(self) -> Mapping[str, Facts]:
        """What each copy says, by source."""
        return {copy.facts.source: copy.facts for copy in self.copies.values()}

    @cached_property
    def content(self) -> Mapping[str, ContentDigest]:
        """The content digests of the copies that have words, by source."""
        return contents(self.facts)

    @cached_property
    def words(self) -> str:
        """The fingerprint of what people see at the article's URL; "" where that is nothing."""
        said = shown(self.facts)
        return fingerprint(said, self.url) if said is not None else ""


class NoArticle(Struct, frozen=True, kw_only=True):
    """A document that is no article: its facts, for their links, and why it is none.

    ``redirected`` are the redirects that led to it.
    """

    entry: Entry
    url: str
    facts: Facts
    why: str
    redirected: Proofs = Proofs()


class Glance(Struct, frozen=True, kw_only=True):
    """A known article's page alone: ``same`` where it says nothing but what is stored."""

    page: Copy
    same: bool


class ArticleReader:
    """Reads the articles of one site; its parts remember what a site's articles share."""

    def __init__(
        self,
        copyist: Copyist,
        *,
        in_site: Callable[[str], bool],
        clock: Callable[[], datetime],
        formats: frozenset[str] = frozenset(),
        most_bytes: int = 80 * 2**20,
        probe: bool = True,
        torn_retries: int = 3,
        memory: Memory | None = None,
    ) -> None:
        self._copyist = copyist
        self._in_site = in_site
        self._clock = clock
        self._formats = formats
        self._most_bytes = most_bytes
        memory = memory or Memory.none()
        self._prober = Prober(copyist, memory) if probe else None
        self._finder = PageFinder(copyist, in_site, PAGE_ACCEPT, memory) if probe else None
        self._canonical = CanonicalFollower(copyist, in_site)
        self._torn = TornSets(copyist, torn_retries, clock)

    async def ask(self, entry: Entry, validator: Validator) -> Answer:
        """Ask for a known article's page alone, and whether it is as it was; raises as `read`."""
        return await self._copyist.ask(entry.url, PAGE_ACCEPT, validator)

    async def glance(self, entry: Entry, known: Known, answer: Answer | None = None) -> Glance:
        """Look at a known article's page alone, and compare what it says with the archive.

        ``answer`` is what `ask` has just been given. Raises as `read` does.
        """
        page = await self._copyist.copy(
            Declared(format="", url=entry.url, declared_by=("entry",)),
            previous=known.newest,
            validators=known.stored(),
            accept=PAGE_ACCEPT,
            answer=answer,
        )
        newest = known.newest
        there = newest is not None and (
            same_page(page.final_url, entry.url) or same_page(page.final_url, newest.url)
        )
        same = there and newest is not None and says_the_same(newest, page.facts)
        return Glance(page=page, same=same)

    async def shown_at(self, url: str) -> Copy:
        """Return what the site shows at ``url``, whatever it is; raises as `read` does."""
        place = Declared(format="", url=url, declared_by=("entry",))
        return await self._copyist.copy(place, accept=PAGE_ACCEPT)

    async def read(
        self, entry: Entry, known: Known, page: Copy | None = None
    ) -> Reading | NoArticle:
        """Read the article at ``entry``; a NoArticle where it is none.

        ``page`` is the document at the entry's URL where a glance has just fetched it. Raises
        CopyFailed where the entry itself can't be had; HostResting where its host must wait.
        """
        formats = FormatSet(self._copyist, known, self._formats, self._most_bytes)
        listed = entry.listed or last_listed(known.newest)
        if listed is not None:
            entry = structs.replace(entry, listed=listed)
            await fetch_listed(listed, formats, self._copyist, known, self._formats)
            return self._reading(entry, entry.url, formats, frozenset(), (), torn=False)
        primary, twin = await self._primary(entry, known, page)
        if not self._in_site(primary.final_url):
            why = f"it leads out of the site, to {primary.final_url}"
            raise CopyFailed(entry.url, why, disallowed=True, evidence=primary.redirected)
        formats.put(primary)
        if twin is not None:
            formats.put_twin(twin)
        formats.declare((*entry.links, *_hinted(entry)))
        if primary.facts.source == "html" and needs_record(
            primary.final_url, primary.facts, frozenset(formats.declared)
        ):
            await formats.fetch("json")
        verdict = _verdict(entry, primary, formats)
        if not verdict.article:
            return NoArticle(
                entry=entry,
                url=primary.final_url,
                facts=primary.facts,
                why=verdict.why,
                redirected=primary.redirected,
            )
        identity = await self._canonical.identify(entry.url, primary)
        if identity.page is not primary:
            formats.put(identity.page)
        await formats.complete()
        if self._prober and identity.page.facts.source == "html":
            await self._probe(identity.page, formats)
        if not formats.copies:
            raise _nothing_kept(entry.url, formats)
        torn = await self._torn.mend(formats.declared, formats.copies)
        return self._reading(
            entry, identity.url, formats, identity.aliases, identity.findings, torn=torn
        )

    async def _primary(
        self, entry: Entry, known: Known, copy: Copy | None
    ) -> tuple[Copy, Copy | None]:
        """Fetch the entry; a text twin gives way to its page, and stands beside it."""
        copy = copy or await self._copyist.copy(
            Declared(format="", url=entry.url, declared_by=("entry",)),
            previous=known.newest,
            validators=known.conditional(),
            accept=PAGE_ACCEPT,
        )
        onward = copy.facts.leads_to
        if onward is not None and onward != copy.final_url and self._in_site(onward):
            place = Declared(format="", url=onward, declared_by=("entry",))
            copy = await self._copyist.copy(place, accept=PAGE_ACCEPT)
        own = None if copy.facts.source == "html" else await self._page_of(copy)
        if own is None:
            return copy, None
        declared_by = (entry.source or "link",)
        shown = structs.replace(copy.representation, declared_by=declared_by)
        return own, structs.replace(copy, representation=shown)

    async def _page_of(self, twin: Copy) -> Copy | None:
        """Return the page that a text representation belongs to: as it says, else as is usual."""
        url = _page_url(twin)
        if url is not None and self._in_site(url):
            place = Declared(format="html", url=url, declared_by=("entry",))
            with suppress(CopyFailed):
                return await self._copyist.copy(place, accept=PAGE_ACCEPT)
        return await self._finder.find(twin) if self._finder else None

    async def _probe(self, page: Copy, formats: FormatSet) -> None:
        """Look for undeclared text twins where the page declares no text format at all."""
        if self._prober is None or formats.declared.keys() - {"html", "json"}:
            return
        for name, copy in (await self._prober.probe(page)).items():
            if not self._formats or name in self._formats:
                formats.put(copy)

    def _reading(
        self,
        entry: Entry,
        url: str,
        formats: FormatSet,
        aliases: frozenset[str],
        findings: tuple[Finding, ...],
        *,
        torn: bool,
    ) -> Reading:
        copies = formats.copies
        canonical = read_canonical({c.facts.source: c.facts for c in copies.values()}, url)
        via = next((copy.representation.via for copy in copies.values()), "")
        differing = conflicts(canonical, url)
        found = list(findings)
        if differing and not findings:
            detail = f"{', '.join(differing)} name another canonical URL"
            found.append(Finding(kind="canonical-conflict", detail=detail, formats=differing))
        return Reading(
            entry=entry,
            url=url,
            copies=copies,
            alternates={
                name: url if place.declared_by == ("entry",) else place.url
                for name, place in formats.declared.items()
            },
            missing={n: why for n, why in formats.missing.items() if n not in copies},
            withdrawn=formats.withdrawn(),
            claims=canonical.claims,
            canonical_source=canonical.source or via or None,
            aliases=aliases,
            findings=(*found, *formats.findings(), *torn_finding(copies, self._clock())),
            torn=torn,
        )


def _verdict(entry: Entry, primary: Copy, formats: FormatSet) -> Verdict:
    record = formats.copies.get("json")
    return classify(
        primary.final_url,
        primary.facts,
        text_formats=frozenset(formats.declared) - {"html", "json"},
        json_type=record.facts.evidence.type if record else "",
        json_url=record.facts.canonical if record else None,
        named=entry.named,
    )


def _nothing_kept(url: str, formats: FormatSet) -> CopyFailed:
    """Say why an article is not kept at all: the user's choice of formats, or all of them fail."""
    if not formats.missing:
        return CopyFailed(url, NONE_WANTED, disallowed=True)
    reasons = "; ".join(f"{name}: {why}" for name, why in sorted(formats.missing.items()))
    return CopyFailed(url, f"no wanted format could be had ({reasons})")


def _hinted(entry: Entry) -> tuple[Link, ...]:
    return hinted_links(entry.hint.alternates, "records-file") if entry.hint else ()


def _page_url(copy: Copy) -> str | None:
    """Return the page that a text representation belongs to, by its own word."""
    canonical = read_canonical({copy.facts.source: copy.facts}, copy.final_url).own
    if canonical is not None and canonical != copy.final_url:
        return canonical
    return next(
        (
            link.url
            for link in copy.facts.links
            if link.rel == "alternate" and link.type.startswith("text/html")
        ),
        None,
    )
