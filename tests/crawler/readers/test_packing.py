"""Readings, pages and failures are the same on the other side, whatever is in them."""

from __future__ import annotations

import os
from collections import deque
from datetime import UTC, datetime

import msgspec

from crawler.article.copies import Copy, CopyFailed
from crawler.article.reading import NoArticle, Reading
from crawler.facts import Link
from crawler.frontier import Entry
from crawler.readers import messages as said
from crawler.readers.packing import Packer, Unpacker, rested, resting
from crawler.transport.faults import HostResting
from crawler.vanishing import Proofs
from storage.model import Finding, Payload, Representation, Validator
from tests.crawler.readings import NOW, URL, says

ENTRY = Entry(url=URL, source="sitemap", lastmod="2026-06-19")


class Files:
    """Hands descriptors over inside one process; ``room`` False: to nobody."""

    def __init__(self, *, room: bool = True) -> None:
        self._room = room
        self._open: deque[int] = deque()

    def hand_over(self, descriptor: int) -> bool:
        if self._room:
            self._open.append(os.dup(descriptor))
        return self._room

    def take_over(self) -> int:
        return self._open.popleft()


def payload(role: str, body: bytes | memoryview = b"words", status: int = 200) -> Payload:
    headers = (("Content-Type", "text/html"), ("X-Odd", "caf\udce9"))
    return Payload(
        role=role, url=URL, status=status, reason="OK", headers=headers, body=body, fetched_at=NOW
    )


def copy(*payloads: Payload, name: str = "html") -> Copy:
    shown = Representation(
        format=name,
        url=URL,
        final_url=URL,
        status=200,
        media_type="text/html",
        digest="0" * 64,
        length=5,
        fetched_at=NOW,
        declared_by=("entry",),
    )
    link = Link(rel="alternate", url=f"{URL}.md", type="text/markdown", declared_by="html")
    return Copy(
        facts=says("html", "2026-06-19T09:13:50.166750+00:00", links=(link,)),
        representation=shown,
        payloads=payloads,
        validator=Validator(url=URL, etag='"1"', digest="0" * 64),
        usage={"html: x-robots-tag": "noindex"},
        redacted=("set-cookie",),
    )


def reading(*payloads: Payload) -> Reading:
    return Reading(
        entry=ENTRY,
        url=URL,
        copies={"html": copy(*payloads)},
        alternates={"html": URL},
        missing={"text": "the server answered 500"},
        withdrawn=frozenset({"pdf"}),
        claims={"html": URL},
        canonical_source="https://origin.example/a",
        aliases=frozenset({f"{URL}/"}),
        findings=(Finding(kind="canonical-conflict", detail="x", formats=("html",)),),
    )


def there_and_back(reading: Reading, files: Files, *, new: bool = True) -> Reading:
    sent = Packer(files.hand_over).reading(reading, new=new)
    done = said.Done(1, sent)
    try:
        wire = msgspec.msgpack.decode(msgspec.msgpack.encode(done), type=said.ToRun)
    except UnicodeEncodeError:
        wire = msgspec.convert(msgspec.to_builtins(done), said.ToRun)
    assert isinstance(wire, said.Done)
    assert isinstance(wire.outcome, said.SentReading)
    return Unpacker(files.take_over).reading(wire.outcome, ENTRY)


def test_a_reading_comes_back_as_it_was() -> None:
    before = reading(payload("hop", status=301), payload("html"))
    after = there_and_back(before, Files())
    assert after == before
    assert (after.content, after.words) == (before.content, before.words)
    assert after.words


def test_what_was_worked_out_there_is_not_worked_out_again() -> None:
    after = there_and_back(reading(payload("html")), Files())
    assert {"content", "words"} <= vars(after).keys()
    known = there_and_back(reading(payload("html")), Files(), new=False)
    assert "words" not in vars(known)


def test_a_large_body_comes_as_a_file() -> None:
    body = b"large " * 100_000
    files = Files()
    sent = Packer(files.hand_over).copy(copy(payload("html", memoryview(body))))
    assert (sent.payloads[0].spooled, sent.payloads[0].body) == (True, b"")
    came = Unpacker(files.take_over).copy(sent).payloads[0].body
    assert isinstance(came, memoryview)
    assert came == body


def test_a_large_body_comes_as_bytes_where_no_file_can_be_handed_over() -> None:
    body = b"large " * 1_000
    files = Files(room=False)
    sent = Packer(files.hand_over).copy(copy(payload("html", memoryview(body))))
    assert Unpacker(files.take_over).copy(sent).payloads[0].body == body


def test_a_page_comes_back_as_it_was() -> None:
    redirected = Proofs(payloads=(payload("hop", status=302),), redacted=("set-cookie",))
    page = NoArticle(entry=ENTRY, url=URL, facts=says("html"), why="a list", redirected=redirected)
    files = Files()
    sent = Packer(files.hand_over).page(page)
    assert Unpacker(files.take_over).page(sent, ENTRY) == page


def test_a_failure_comes_back_with_its_evidence() -> None:
    evidence = Proofs(payloads=(payload("evidence", status=404),), private=True)
    failure = CopyFailed(URL, "gone", status=404, disallowed=True, evidence=evidence)
    files = Files()
    sent = Packer(files.hand_over).failure(failure)
    assert isinstance(sent, said.SentFailure)
    after = Unpacker(files.take_over).failure(sent)
    assert (after.url, after.why, after.status, after.disallowed, after.evidence) == (
        URL,
        "gone",
        404,
        True,
        evidence,
    )


def test_a_rest_comes_back_for_whoever_asked() -> None:
    error = HostResting(URL, "news.example:443", datetime(2026, 6, 21, tzinfo=UTC), "left alone")
    after = rested(resting(error))
    assert (after.url, after.host, after.until, after.sentence) == (
        URL,
        error.host,
        error.until,
        error.sentence,
    )
    assert rested(resting(error), "http://b/").url == "http://b/"
    packed = Packer(Files().hand_over).failure(error)
    assert packed == resting(error)
