"""Having a site's discovery documents: fetched once a run, or read from memory where they stand.

Knows nothing of what documents say, only how they are come by: asked for conditionally where an
earlier run kept them (RFC 9110 section 13), not at all where an index says that they are as they
were, or where there was none at a place that nobody names. What could not be had is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct

from crawler.discovery.memory import MAX_DOCUMENT, Document, Memory, packed
from crawler.events import Event, Failed, Note
from crawler.fetch import Fetcher
from crawler.transport.answer import Answer
from crawler.transport.faults import FetchError, HostResting
from storage.codings import CodingError
from storage.model import Validator
from storage.times import parse_http_date

OK = 200
NOT_MODIFIED = 304
GONE = frozenset({404, 410})
#: RFC 9110 section 8.8.2.2: a younger Last-Modified may stand for two editions of one second.
STRONG = timedelta(seconds=60)


class ListDocument(Struct, frozen=True, kw_only=True):
    """A document to be read, and the answer it came in: None where memory gave it."""

    url: str
    final_url: str
    media_type: str
    body: bytes
    answer: Answer | None


class Documents:
    """One site's documents in one run. Mutable state: which were asked for, and whether all came.

    ``whole`` is False once a document that the site names could not be read.
    """

    whole = True

    def __init__(
        self,
        site: str,
        fetcher: Fetcher,
        memory: Memory,
        *,
        allowed: Callable[[str], Awaitable[bool]],
        report: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._site = site
        self._fetcher = fetcher
        self._memory = memory
        self._allowed = allowed
        self._report = report
        self._clock = clock
        self.read: set[str] = set()

    def standing(self, url: str, lastmod: str) -> datetime | None:
        """Return when a sitemap was last asked for that stands, by its index's ``lastmod``."""
        document = self._memory.document(url)
        if document is None or not self._memory.stands(document, lastmod):
            return None
        return document.asked_at

    async def get(
        self, url: str, *, promised: bool, lastmod: str = "", spared: bool = False
    ) -> ListDocument | None:
        """Fetch a document once; None where it is not there, may not be read, or was read.

        ``lastmod`` is what an index says of it; where that still holds, it is read from memory if
        it is to be ``spared``.
        """
        if url in self.read or (not promised and self._memory.absent(url)):
            return None
        if not await self._allowed(url):
            return None
        self.read.add(url)
        kept = await self._kept(url)
        if kept is not None and spared and self._memory.stands(kept[0], lastmod):
            return self._once(kept[1], promised=promised)
        answer = await self._answer(url, kept[0] if kept else None, promised=promised)
        if answer is None:
            return None
        if answer.status == NOT_MODIFIED and kept is not None:
            self._memory.stood(url, lastmod, answer.fetched_at)
            return self._once(kept[1], promised=promised)
        return self._once(self._received(answer, promised=promised), promised=promised)

    async def _kept(self, url: str) -> tuple[Document, ListDocument] | None:
        """Return a document from memory."""
        document = self._memory.document(url)
        body = await asyncio.to_thread(self._memory.body, url) if document is not None else None
        if document is None or body is None:
            return None
        source = ListDocument(
            url=url,
            final_url=document.final_url,
            media_type=document.media_type,
            body=body,
            answer=None,
        )
        return document, source

    async def _answer(self, url: str, kept: Document | None, *, promised: bool) -> Answer | None:
        validator = None
        if kept is not None:
            validator = Validator(
                url=kept.final_url,
                etag=kept.etag,
                last_modified=kept.last_modified,
                digest=kept.digest,
            )
        try:
            return await self._fetcher.get(url, validators=validator)
        except HostResting:
            raise
        except FetchError as error:
            self._unread(url, error.sentence, promised=promised)
            return None

    def _received(self, answer: Answer, *, promised: bool) -> ListDocument | None:
        """Undo an answer's codings; what is none of the document is said."""
        url = answer.url
        if answer.status != OK:
            gone = answer.status in GONE
            if gone:
                self._memory.missed(url, answer.fetched_at)
                self._memory.forget(url)
            why = f"the server answered {answer.status}"
            if gone and promised:
                # What isn't there can't be read later either: a stale name is no failure.
                self.trouble(url, why, promised=False)
            elif not gone:
                self._unread(url, why, promised=promised)
            return None
        try:
            body = answer.decoded(MAX_DOCUMENT)
        except CodingError as error:
            self._unread(url, str(error), promised=True)
            return None
        return ListDocument(
            url=url,
            final_url=answer.final_url,
            media_type=answer.header("content-type") or "",
            body=body,
            answer=answer,
        )

    def _once(self, source: ListDocument | None, *, promised: bool) -> ListDocument | None:
        """Return ``source``, unless it leads to a document that was read already."""
        if source is None:
            return None
        if source.final_url != source.url and source.final_url in self.read:
            if not promised:
                self.not_one(source.url)
            return None
        self.read.add(source.final_url)
        self._memory.found(source.url)
        return source

    async def keep(self, source: ListDocument, lastmod: str = "") -> None:
        """Remember a document that was read whole, if it can be asked for conditionally."""
        answer = source.answer
        if answer is None:
            return
        document = Document(
            final_url=source.final_url,
            media_type=source.media_type,
            etag=answer.header("etag"),
            last_modified=_strong(answer),
            lastmod=lastmod,
            digest=sha256(source.body).hexdigest(),
            fetched_at=answer.fetched_at,
            asked_at=answer.fetched_at,
        )
        datable = document.etag or document.last_modified or lastmod
        if datable and self._memory.may_keep(source.body):
            body = await asyncio.to_thread(packed, source.body)
            trusted = not self._memory.misdated
            self._memory.keep(source.url, document, body)
            if trusted and self._memory.misdated:
                why = "it changed and its date in the index did not: such dates are not believed"
                self.trouble(source.url, why, promised=False)
        else:
            self._memory.forget(source.url)

    def unreadable(self, url: str, why: str, *, promised: bool) -> None:
        """Say that what came from ``url`` is not what was looked for."""
        if not promised:
            self.not_one(url)
        self._unread(url, why, promised=promised)

    def not_one(self, url: str) -> None:
        """Remember that what is at ``url`` is something else: not to be asked for again soon."""
        self._memory.missed(url, self._clock())

    def _unread(self, url: str, why: str, *, promised: bool) -> None:
        """Say that a document could not be read, though it may be there."""
        self.whole = self.whole and not promised
        self.trouble(url, why, promised=promised)

    def trouble(self, url: str, why: str, *, promised: bool) -> None:
        """Say what could not be read; a document that the site itself names counts as a failure."""
        now = self._clock()
        if promised:
            self._report(Failed(at=now, site=self._site, url=url, reason=why))
        else:
            self._report(Note(at=now, site=self._site, message=f"{url}: {why}"))


def _strong(answer: Answer) -> str | None:
    written = answer.header("last-modified")
    stamp = parse_http_date(written) if written is not None else None
    if stamp is None or answer.fetched_at - stamp.at < STRONG:
        return None
    return written
