"""Fetching an article's whole format set: every declared format, once, together.

Copies may declare further formats; they are fetched too, until nobody names a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct, field, structs

from crawler.article.copies import Copy, CopyFailed, Copyist
from crawler.article.judge import READ_FOR_WORDS
from crawler.declared import MAX_FORMATS, MAX_NAMED, Declared, declared_formats
from crawler.facts import Link
from crawler.progress.wording import count
from crawler.transport.faults import HostResting
from crawler.urls import host_key
from storage.model import Finding, Manifest, Representation, Validator

#: Formats in which the words are surest, best first: one of them is asked for without validators,
#: since validators made from ``updated_at`` hide silent edits.
SUREST = ("markdown", "text", "json", "jsonld", "html")
#: Declarers that are documents themselves: when one answers and no longer names a format, that
#: format is withdrawn. The silence of the others (a list, a probe) proves nothing.
DOCUMENTS = {
    "html": "html",
    "header": "html",
    "jsonld": "jsonld",
    "json": "json",
    "markdown": "markdown",
}
#: Why an article is left alone of which the user wants no format.
NONE_WANTED = "it comes in none of the wanted formats"


class Known(Struct, frozen=True, kw_only=True):
    """What the archive has of an article: its newest snapshot, and what to ask its URLs with."""

    newest: Manifest | None = None
    validators: dict[str, Validator] = field(default_factory=dict)

    def stored(self) -> Mapping[str, Validator]:
        """Return the validators whose bodies are stored: a 304 to any other proves nothing.

        Where words are compared, they are those of a body with the stored one's words, too: a page
        whose menu changed is not asked for in whole at each look.
        """
        kept = self.newest.representations if self.newest else ()
        stored = {each.url: each for each in kept if each.record_id}
        return {
            url: each
            for url, each in self.validators.items()
            if url in stored
            and (stored[url].format in READ_FOR_WORDS or stored[url].digest == each.digest)
        }

    def conditional(self) -> Mapping[str, Validator]:
        """Return the validators of stored bodies, but for the surest format's (see `SUREST`)."""
        kept = self.newest.representations if self.newest else ()
        have = {each.format: each.url for each in kept if each.record_id}
        surest = next((have[name] for name in SUREST if name in have), "")
        return {url: each for url, each in self.stored().items() if url != surest}


class FormatSet:
    """One article's formats on their way in. Mutable state: declared, copies, missing, left out."""

    def __init__(
        self, copyist: Copyist, known: Known, wanted: frozenset[str], most_bytes: int
    ) -> None:
        """``wanted`` empty: every format; ``most_bytes``: decoded, of all copies together."""
        self._copyist = copyist
        self._known = known
        self._validators = known.conditional()
        self._wanted = wanted
        self._most_bytes = most_bytes
        self.declared: dict[str, Declared] = {}
        self.copies: dict[str, Copy] = {}
        self.missing: dict[str, str] = {}
        self._left_out: set[str] = set()

    def declare(self, links: Sequence[Link]) -> None:
        """Take in what ``links`` declare; what was declared before stays as it is."""
        if not links:
            return
        for name, place in declared_formats(links, MAX_NAMED).items():
            if name in self.declared or len(self.declared) < MAX_FORMATS:
                self.declared.setdefault(name, place)
            elif self._wants(name) and len(self._left_out) < MAX_NAMED:
                self._left_out.add(name)

    def findings(self) -> tuple[Finding, ...]:
        """Say which declared formats were left out, for there are too many."""
        if not self._left_out:
            return ()
        some = ", ".join(sorted(self._left_out)[:3])
        detail = (
            f"{count(len(self._left_out), 'more format')} declared, {some} among them: "
            f"at most {MAX_FORMATS} of an article are fetched"
        )
        return (Finding(kind="too-many-formats", detail=detail),)

    def put(self, copy: Copy) -> None:
        """Take in a copy that is here, and what it declares."""
        shown = copy.representation
        self.copies[shown.format] = copy
        self.declared[shown.format] = Declared(
            format=shown.format, url=shown.url, type=shown.media_type, declared_by=shown.declared_by
        )
        self.declare(copy.facts.links)

    def put_twin(self, copy: Copy) -> None:
        """Take in a text twin that came before its page, unless the page names another one."""
        shown = copy.representation
        place = self.declared.get(shown.format)
        if place is None:
            self.put(copy)
        elif place.url == shown.url:
            shown = structs.replace(shown, declared_by=place.declared_by)
            self.put(structs.replace(copy, representation=shown))

    async def fetch(self, *names: str) -> None:
        """Fetch the declared formats ``names`` together; failures go to ``missing``.

        Raises HostResting where a host must be left alone: the article then waits as a whole.
        """
        places = [self.declared[name] for name in names]
        for place, result in zip(places, await self._all(places), strict=True):
            if isinstance(result, CopyFailed):
                self.missing[place.format] = result.why
            elif self._fits(result):
                self.put(result)
                self.missing.pop(place.format, None)
            else:
                self.missing[place.format] = f"the set is larger than {self._most_bytes:,} bytes"

    async def _all(self, places: list[Declared]) -> list[Copy | CopyFailed]:
        """Fetch from all ``places`` at once: the first needs no task of its own."""
        first, *others = places
        if not others:
            return [await self._one(first)]
        tasks = [asyncio.ensure_future(self._one(place)) for place in others]
        try:
            return [await self._one(first), *[await task for task in tasks]]
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def complete(self) -> None:
        """Fetch every wanted format that is declared now or comes to be declared on the way."""
        while True:
            names = [name for name in self._owed() if self._wants(name)]
            if not names:
                break
            await self.fetch(*names)
        self.copies = {name: copy for name, copy in self.copies.items() if self._wants(name)}

    def withdrawn(self) -> frozenset[str]:
        """Return the newest snapshot's wanted formats that nobody declares any more."""
        newest = self._known.newest
        if newest is None:
            return frozenset()
        had = {each.format for each in newest.representations} | newest.missing.keys()
        return frozenset(name for name in had - self.declared.keys() if self._wants(name))

    def _owed(self) -> list[str]:
        for old in self._known.newest.representations if self._known.newest else ():
            if old.format not in self.declared and not self._retracted(old):
                self.declared[old.format] = Declared(
                    format=old.format, url=old.url, type=old.media_type, declared_by=old.declared_by
                )
        return [n for n in self.declared if n not in self.copies and n not in self.missing]

    def _retracted(self, old: Representation) -> bool:
        """Say whether a document that declared ``old`` answered without naming it this time."""
        documents = {DOCUMENTS[name] for name in old.declared_by if name in DOCUMENTS}
        return bool(documents & self.copies.keys()) and not documents & self.missing.keys()

    def _fits(self, copy: Copy) -> bool:
        held = sum(each.representation.length for each in self.copies.values())
        return held + copy.representation.length <= self._most_bytes

    def _wants(self, name: str) -> bool:
        return not self._wanted or name in self._wanted

    async def _one(self, place: Declared) -> Copy | CopyFailed:
        try:
            return await self._copyist.copy(
                place, previous=self._known.newest, validators=self._validators
            )
        except CopyFailed as failure:
            return failure
        except HostResting as resting:
            if self._is_home(place.url):
                raise
            return CopyFailed(place.url, resting.sentence)

    def _is_home(self, url: str) -> bool:
        """Say whether ``url`` is on a host of the article's own, whose turn is the article's."""
        hosts = {host_key(copy.representation.url) for copy in self.copies.values()}
        return not hosts or host_key(url) in hosts
