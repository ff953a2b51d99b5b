"""Answers and readings as they are sent from one process to another, and back again.

Bodies over the spool size are views of nameless files: the file is handed over, not the bytes.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from crawler.article.copies import Copy, CopyFailed
from crawler.article.reading import NoArticle, Reading
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
from crawler.transport.faults import HostResting
from crawler.vanishing import Proofs
from storage.model import Payload

S = TypeVar("S", bound=Struct)

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
        return _turned(
            reading,
            SentReading,
            copies={name: self.copy(copy) for name, copy in reading.copies.items()},
            content=dict(reading.content),
            words=reading.words if new else None,
        )

    def page(self, page: NoArticle) -> SentPage:
        """Write a page down, but for its entry."""
        return _turned(page, SentPage, redirected=self._evidence(page.redirected))

    def copy(self, copy: Copy) -> SentCopy:
        """Write a copy down."""
        return _turned(copy, SentCopy, payloads=self._payloads(copy.payloads))

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

    def _evidence(self, evidence: Proofs) -> SentEvidence:
        return _turned(evidence, SentEvidence, payloads=self._payloads(evidence.payloads))

    def _payloads(self, payloads: tuple[Payload, ...]) -> tuple[SentPayload, ...]:
        return tuple([self._payload(each) for each in payloads])

    def _payload(self, payload: Payload) -> SentPayload:
        body, spooled = payload.body, False
        if not isinstance(body, bytes):
            spooled = self._spooled(body)
            body = b"" if spooled else bytes(body)
        return _turned(payload, SentPayload, body=body, spooled=spooled)

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
        copies = {name: self.copy(copy) for name, copy in sent.copies.items()}
        # A torn set is handed back, and mended by the run.
        reading = _turned(sent, Reading, entry=entry, copies=copies, torn=False)
        # what it would work out by itself when it is asked
        known = {"content": sent.content, "words": sent.words}
        vars(reading).update({name: value for name, value in known.items() if value is not None})
        return reading

    def page(self, sent: SentPage, entry: Entry) -> NoArticle:
        """Read a page, of ``entry``."""
        return _turned(sent, NoArticle, entry=entry, redirected=self._evidence(sent.redirected))

    def copy(self, sent: SentCopy) -> Copy:
        """Read a copy."""
        return _turned(sent, Copy, payloads=self._payloads(sent.payloads))

    def failure(self, sent: SentFailure) -> CopyFailed:
        """Read why something could not be had."""
        return CopyFailed(
            sent.url,
            sent.why,
            status=sent.status,
            disallowed=sent.disallowed,
            evidence=self._evidence(sent.evidence),
        )

    def _evidence(self, sent: SentEvidence) -> Proofs:
        return _turned(sent, Proofs, payloads=self._payloads(sent.payloads))

    def _payloads(self, sent: tuple[SentPayload, ...]) -> tuple[Payload, ...]:
        return tuple([self._payload(each) for each in sent])

    def _payload(self, sent: SentPayload) -> Payload:
        return _turned(sent, Payload, body=self._spooled() if sent.spooled else sent.body)

    def _spooled(self) -> memoryview:
        descriptor = self._take_over()
        try:
            return memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))
        finally:
            os.close(descriptor)


def _turned(value: Struct, kind: type[S], **others: object) -> S:
    """Make a ``kind`` of a value's fields of the same names; ``others`` are its own, or changed."""
    fields = {n: getattr(value, n) for n in kind.__struct_fields__ if n not in others}
    return kind(**fields, **others)


def resting(error: HostResting) -> SentResting:
    """Write down that a host's turn is over."""
    return SentResting(url=error.url, host=error.host, until=error.until, sentence=error.sentence)


def rested(sent: SentResting, url: str = "") -> HostResting:
    """Read that a host's turn is over, for ``url`` if another asked."""
    return HostResting(url or sent.url, sent.host, sent.until, sent.sentence)
