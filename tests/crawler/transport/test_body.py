"""Bodies and heads as hostile servers send them: every fault has a kind and a sentence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crawler.transport.faults import FetchError
from tests.crawler.fetching import fetching
from tests.crawler.raw_server import Handler, Request, Wire, answer, raw_server

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1024 * 1024


def then_close(*parts: bytes, reset: bool = False) -> Handler:
    async def route(request: Request, wire: Wire) -> None:
        for part in parts:
            await wire.send(part)
        if reset:
            wire.reset()
        else:
            wire.close()

    return route


def endless(head: bytes, piece: bytes) -> Handler:
    async def route(request: Request, wire: Wire) -> None:
        await wire.send(head)
        while True:
            await wire.send(piece)
            await asyncio.sleep(0)

    return route


async def trouble(route: Handler | bytes, *, attempts: int = 1, **values: Any) -> FetchError:
    async with (
        raw_server({"/a": route}) as site,
        fetching(site, attempts=attempts, **values) as fetcher,
    ):
        with pytest.raises(FetchError) as caught:
            await fetcher.get(site.url("/a"))
        assert fetcher.politeness.state()[0].active == 0
    assert "\n" not in caught.value.sentence
    assert caught.value.sentence.isprintable()
    return caught.value


@pytest.mark.parametrize(
    ("parts", "kind", "words"),
    [
        (
            [HEAD + b"Content-Length: 4096\r\n\r\n" + b"x" * 1024],
            "truncated",
            "1,024 of 4,096 bytes",
        ),
        ([CHUNKED + b"5\r\nhello\r\n"], "truncated", "cut short after 5 bytes"),
        ([CHUNKED + b"5\r\nhel"], "truncated", "cut short after 3 bytes"),
        ([CHUNKED + b"zz\r\nhello\r\n"], "protocol", "chunk size"),
        ([CHUNKED + b"-5\r\nhello\r\n"], "protocol", "not valid HTTP"),
        ([CHUNKED + b"f" * 40 + b"\r\nhello\r\n"], "protocol", "not valid HTTP"),
        ([CHUNKED + b"5\r\nhelloxx\r\n0\r\n\r\n"], "protocol", "not valid HTTP"),
        ([], "reset", "without an answer"),
        ([HEAD], "reset", "without an answer"),
        ([b"HTTP/1.1 2"], "reset", "without an answer"),
        ([b"hello"], "protocol", "not valid HTTP"),
        ([b"HTTP/1.1 0 No\r\n\r\n"], "protocol", "status line"),
        ([b"HTTP/1.1 99999 No\r\n\r\n"], "protocol", "status line"),
        ([b"HTTP/1.1 abc No\r\n\r\n"], "protocol", "not valid HTTP"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "protocol", "not valid HTTP"),
        ([b"\x00\xff" * 500], "protocol", "not valid HTTP"),
        ([HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"], "protocol", "Duplicate"),
        ([HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"], "protocol", "Duplicate"),
        ([HEAD + b"Content-Length: -5\r\n\r\nhello"], "protocol", "Content-Length"),
        ([HEAD + b"Content-Length: five\r\n\r\nhello"], "protocol", "Content-Length"),
        (
            [HEAD + b"Content-Length: 9" + b"9" * 30 + b"\r\n\r\nhello"],
            "protocol",
            "Content-Length",
        ),
        ([HEAD + b"Content-Length: 3\r\n\r\nhello"], "protocol", "not valid HTTP"),
        (
            [
                HEAD
                + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            ],
            "protocol",
            "Content-Length",
        ),
        ([HEAD + b"Transfer-Encoding: gzip\r\n\r\nhello"], "protocol", "transfer coding"),
        ([HEAD + b"no colon here\r\n\r\nhello"], "protocol", "not valid HTTP"),
        ([HEAD + b"X: a\x00b\r\n\r\nhello"], "protocol", "not valid HTTP"),
        ([HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n"], "too-large", "over 65,536 bytes"),
        ([HEAD + b"X: y\r\n" * 10_000 + b"\r\n"], "too-large", "too many header fields"),
        ([HEAD + b"X: %s\r\n" % (b"y" * 60_000) * 2 + b"\r\n"], "too-large", "over 65,536 bytes"),
        ([b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"], "protocol", "unasked"),
    ],
)
async def test_a_fault_has_a_kind_and_words(parts: list[bytes], kind: str, words: str) -> None:
    error = await trouble(then_close(*parts))
    assert (error.kind, words in error.sentence) == (kind, True), error.sentence


@pytest.mark.parametrize("parts", [[], [HEAD], [HEAD + b"Content-Length: 9\r\n\r\nx"], [CHUNKED]])
async def test_resets_at_every_stage_are_faults_that_may_pass(parts: list[bytes]) -> None:
    error = await trouble(then_close(*parts, reset=True))
    assert error.kind in {"reset", "truncated"}
    assert error.again


@pytest.mark.parametrize(
    ("parts", "requests"),
    [
        ([HEAD + b"Content-Length: 9\r\n\r\nx"], 4),
        ([], 4),
        ([b"nonsense\r\n\r\n"], 4),
        ([HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n"], 1),
    ],
)
async def test_faults_are_tried_again_and_bounds_are_not(parts: list[bytes], requests: int) -> None:
    async with raw_server({"/a": then_close(*parts)}) as site, fetching(site) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(site.url("/a"))
    assert len(site.requests) == requests == caught.value.attempts


async def test_a_body_that_mends_is_an_answer() -> None:
    cut = then_close(HEAD + b"Content-Length: 9\r\n\r\nx")
    replies = [cut]

    async def route(request: Request, wire: Wire) -> None:
        if replies:
            await replies.pop()(request, wire)
        else:
            await wire.send(answer(body=b"whole"))

    async with raw_server({"/a": route}) as site, fetching(site) as fetcher:
        got = await fetcher.get(site.url("/a"))
    assert (got.body, got.attempts) == (b"whole", 2)


async def test_endless_interim_answers_end_at_the_bound() -> None:
    route = endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    error = await trouble(route)
    assert error.kind == "too-large"
    assert "over 16 interim answers" in error.sentence


async def test_endless_empty_lines_end_at_the_bound() -> None:
    error = await trouble(endless(b"", b"\r\n" * 999))
    assert (error.kind, error.again) == ("too-large", False)
    assert "what comes before the body is over 131,072 bytes" in error.sentence


async def test_a_body_without_length_that_is_reset_is_cut_short() -> None:
    async def handler(_request: Request, wire: Wire) -> None:
        await wire.send(HEAD + b"\r\nhalf")
        wire.reset()

    assert (await trouble(handler)).kind in {"truncated", "reset"}


async def test_endless_headers_end_at_the_bound() -> None:
    error = await trouble(endless(HEAD, b"X: y\r\n"))
    assert error.kind == "too-large"


@pytest.mark.parametrize("head", [HEAD + b"\r\n", CHUNKED])
async def test_an_endless_body_ends_at_the_bound(head: bytes) -> None:
    piece = b"x" * 65_536
    chunk = b"10000\r\n" + piece + b"\r\n" if head is CHUNKED else piece
    error = await trouble(endless(head, chunk), max_body=MIB, spool_bytes=256 * 1024)
    assert error.kind == "too-large"
    assert "the bound is 1,048,576 bytes" in error.sentence
    assert not error.again


async def test_a_body_announced_too_large_is_not_read() -> None:
    head = HEAD + b"Content-Length: 99999999\r\n\r\n"
    error = await trouble(then_close(head), max_body=1000)
    assert (error.kind, "announces 99,999,999 bytes" in error.sentence) == ("too-large", True)


async def test_one_byte_at_a_time_is_too_slow() -> None:
    route = endless(HEAD + b"Content-Length: 9999999\r\n\r\n", b"x")
    error = await trouble(route, slow_grace=0.0, min_transfer_rate=10**9)
    assert error.kind == "slow"
    assert "too slowly" in error.sentence


async def test_a_body_has_a_time_in_all() -> None:
    route = endless(HEAD + b"\r\n", b"x")
    error = await trouble(route, total_timeout=0.1)
    assert (error.kind, error.again) == ("slow", False)
    assert "not complete within 0.1 seconds" in error.sentence


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\nx"])
async def test_silence_is_bounded_at_every_stage(sent: bytes) -> None:
    async def silent(request: Request, wire: Wire) -> None:
        await wire.send(sent)
        await wire.reader.read()

    error = await trouble(silent, read_timeout=0.05)
    assert (error.kind, error.again) == ("timeout", True)
    assert "silent for 0.05 seconds" in error.sentence


async def test_a_head_that_never_ends_is_bounded() -> None:
    route = endless(HEAD + b"X: ", b"y")
    error = await trouble(route, total_timeout=0.1, max_header=10**7)
    assert error.kind == "timeout"


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("size", [0, 1, 1000, 300_000, 3 * MIB])
async def test_bodies_of_every_size_and_framing_are_whole(framing: str, size: int) -> None:
    body = bytes(range(251)) * (size // 251 + 1)
    body = body[:size]
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[n : n + 7000]), body[n : n + 7000])
        for n in range(0, size, 7000)
    )
    routes: dict[str, Handler | bytes] = {
        "length": answer(body=body),
        "chunked": CHUNKED + chunks + b"0\r\n\r\n",
        "close": then_close(HEAD + b"\r\n" + body),
    }
    async with raw_server({"/a": routes[framing]}) as site, fetching(site) as fetcher:
        got = await fetcher.get(site.url("/a"))
    assert bytes(got.body) == body
    assert isinstance(got.body, memoryview) == (size > MIB)
    assert got.decoded(4 * MIB) == body


async def test_several_large_bodies_do_not_mix() -> None:
    routes = {f"/{n}": answer(body=bytes([n]) * (2 * MIB + n)) for n in range(4)}
    async with raw_server({**routes}) as site, fetching(site) as fetcher:
        got = await asyncio.gather(*(fetcher.get(site.url(f"/{n}")) for n in range(4)))
    assert [bytes(a.body) for a in got] == [bytes([n]) * (2 * MIB + n) for n in range(4)]


@pytest.mark.parametrize("body", [b"x" * 100, b"x" * 500_000])
async def test_reading_stops_where_the_caller_asks(body: bytes) -> None:
    async with raw_server({"/a": answer(body=body)}) as site, fetching(site) as fetcher:
        got = await fetcher.get(site.url("/a"), cut_at=64)
        whole = await fetcher.get(site.url("/a"), cut_at=len(body))
    assert (bytes(got.body), got.cut) == (b"x" * 64, True)
    assert (bytes(whole.body), whole.cut) == (body, False)


async def test_a_large_body_without_room_on_our_disk_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    error = await trouble(answer(body=b"x" * 2 * MIB))
    assert (error.kind, error.again) == ("spool", False)
    assert "could not be put aside" in error.sentence
