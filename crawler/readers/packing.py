"""Answers and readings as they are sent from one process to another, and back again.

Bodies over the spool size are views of nameless files: the file is handed over, not the bytes.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable

from crawler.article import Page, Reading
from crawler.copies import Copy, CopyFailed
from crawler.faults import HostResting
from crawler.frontier import Entry
from crawler.readers.messages import (
    SentCopy,
    SentEvidence,
    SentFailure,
    SentPage,
    SentPayload,
    SentReading,
    SentResting,
)
from crawler.vanishing import Evidence
from storage.model import Payload

#: Hands an open file over; False: it can't be, and the bytes are to be sent.
HandOver = Callable[[int], bool]
#: Gives the next file that was handed over.
TakeOver = Callable[[], int]


class Packer:
    """Writes values down for the other side, which gets their files by ``hand_over``."""

    def __init__(self, hand_over: HandOver) -> None:
        self._hand_over = hand_over

    def reading(self, reading: Reading, *, new: bool) -> SentReading:
        """Write a reading down, but for its entry; of a ``new`` article its words are weighed."""
        return SentReading(
            url=reading.url,
            copies={name: self.copy(copy) for name, copy in reading.copies.items()},
            alternates=reading.alternates,
            missing=reading.missing,
            withdrawn=reading.withdrawn,
            claims=reading.claims,
            canonical_source=reading.canonical_source,
            aliases=reading.aliases,
            findings=reading.findings,
            content=dict(reading.content),
            words=reading.words if new else None,
        )

    def page(self, page: Page) -> SentPage:
        """Write a page down, but for its entry."""
        return SentPage(
            url=page.url,
            facts=page.facts,
            why=page.why,
            redirected=self._evidence(page.redirected),
        )

    def copy(self, copy: Copy) -> SentCopy:
        """Write a copy down."""
        return SentCopy(
            facts=copy.facts,
            representation=copy.representation,
            payloads=self._payloads(copy.payloads),
            validator=copy.validator,
            answered=copy.answered,
            usage=copy.usage,
            redacted=copy.redacted,
            private=copy.private,
        )

    def failure(self, failure: CopyFailed | HostResting) -> SentFailure | SentResting:
        """Write down why something could not be had."""
        if isinstance(failure, HostResting):
            return resting(failure)
        return SentFailure(
            url=failure.url,
            why=failure.why,
            status=failure.status,
            disallowed=failure.disallowed,
            evidence=self._evidence(failure.evidence),
        )

    def _evidence(self, evidence: Evidence) -> SentEvidence:
        return SentEvidence(
            payloads=self._payloads(evidence.payloads),
            redacted=evidence.redacted,
            private=evidence.private,
        )

    def _payloads(self, payloads: tuple[Payload, ...]) -> tuple[SentPayload, ...]:
        return tuple([self._payload(each) for each in payloads])

    def _payload(self, payload: Payload) -> SentPayload:
        body, spooled = payload.body, False
        if not isinstance(body, bytes):
            spooled = self._spooled(body)
            body = b"" if spooled else bytes(body)
        return SentPayload(
            role=payload.role,
            url=payload.url,
            status=payload.status,
            reason=payload.reason,
            headers=payload.headers,
            body=body,
            fetched_at=payload.fetched_at,
            not_modified=payload.not_modified,
            spooled=spooled,
        )

    def _spooled(self, body: memoryview) -> bool:
        """Hand a large body over in a file of its own; False where that can't be."""
        try:
            with tempfile.TemporaryFile() as file:
                file.write(body)
                file.flush()
                return self._hand_over(file.fileno())
        except OSError:
            return False


class Unpacker:
    """Reads what a Packer wrote; ``take_over`` gives the files, in the order of their bodies."""

    def __init__(self, take_over: TakeOver) -> None:
        self._take_over = take_over

    def reading(self, sent: SentReading, entry: Entry) -> Reading:
        """Read a reading, of ``entry``."""
        reading = Reading(
            entry=entry,
            url=sent.url,
            copies={name: self.copy(copy) for name, copy in sent.copies.items()},
            alternates=sent.alternates,
            missing=sent.missing,
            withdrawn=sent.withdrawn,
            claims=sent.claims,
            canonical_source=sent.canonical_source,
            aliases=sent.aliases,
            findings=sent.findings,
        )
        # what it would work out by itself when it is asked
        known = {"content": sent.content, "words": sent.words}
        vars(reading).update({name: value for name, value in known.items() if value is not None})
        return reading

    def page(self, sent: SentPage, entry: Entry) -> Page:
        """Read a page, of ``entry``."""
        return Page(
            entry=entry,
            url=sent.url,
            facts=sent.facts,
            why=sent.why,
            redirected=self._evidence(sent.redirected),
        )

    def copy(self, sent: SentCopy) -> Copy:
        """Read a copy."""
        return Copy(
            facts=sent.facts,
            representation=sent.representation,
            payloads=self._payloads(sent.payloads),
            validator=sent.validator,
            answered=sent.answered,
            usage=sent.usage,
            redacted=sent.redacted,
            private=sent.private,
        )

    def failure(self, sent: SentFailure) -> CopyFailed:
        """Read why something could not be had."""
        return CopyFailed(
            sent.url,
            sent.why,
            status=sent.status,
            disallowed=sent.disallowed,
            evidence=self._evidence(sent.evidence),
        )

    def _evidence(self, sent: SentEvidence) -> Evidence:
        return Evidence(
            payloads=self._payloads(sent.payloads), redacted=sent.redacted, private=sent.private
        )

    def _payloads(self, sent: tuple[SentPayload, ...]) -> tuple[Payload, ...]:
        return tuple([self._payload(each) for each in sent])

    def _payload(self, sent: SentPayload) -> Payload:
        return Payload(
            role=sent.role,
            url=sent.url,
            status=sent.status,
            reason=sent.reason,
            headers=sent.headers,
            body=self._spooled() if sent.spooled else sent.body,
            fetched_at=sent.fetched_at,
            not_modified=sent.not_modified,
        )

    def _spooled(self) -> memoryview:
        descriptor = self._take_over()
        try:
            return memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))
        finally:
            os.close(descriptor)


def resting(error: HostResting) -> SentResting:
    """Write down that a host's turn is over."""
    return SentResting(url=error.url, host=error.host, until=error.until, sentence=error.sentence)


def rested(sent: SentResting, url: str = "") -> HostResting:
    """Read that a host's turn is over, for ``url`` if another asked."""
    return HostResting(url or sent.url, sent.host, sent.until, sent.sentence)
