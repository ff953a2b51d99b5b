"""What is said between two processes arrives as it was said, in order, with its files."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.events import Requested
from crawler.readers import messages as said
from crawler.readers.channel import MOST_FRAME, Channel, connect
from crawler.readers.starting import Sockets

NOW = datetime(2026, 6, 19, 8, 9, 44, 5, tzinfo=UTC)


class Side:
    """One end, and what it heard. Mutable: both."""

    def __init__(self, sockets: Sockets) -> None:
        self.sockets = sockets
        self.heard: list[said.ToRun] = []
        self.gone = asyncio.Event()
        self._news = asyncio.Event()
        decoder = msgspec.msgpack.Decoder(list[said.ToRun])
        self.channel: Channel[said.ToRun, said.ToRun] = Channel(
            sockets.files, decoder, self._hear, self.gone.set
        )

    def _hear(self, message: said.ToRun) -> None:
        self.heard.append(message)
        self._news.set()

    async def until(self, count: int) -> list[said.ToRun]:
        while len(self.heard) < count:
            self._news.clear()
            await self._news.wait()
        return self.heard


@asynccontextmanager
async def sides() -> AsyncIterator[tuple[Side, Side]]:
    one, other = map(Side, Sockets.pair())
    for side in (one, other):
        await connect(side.sockets, side.channel)
    yield one, other
    for side in (one, other):
        side.channel.close()
        await side.gone.wait()


def failed(text: str) -> said.Failed:
    return said.Failed(7, "news.example:443", 1.5, "timeout", text)


async def test_many_messages_come_in_their_order() -> None:
    exchange = Requested(at=NOW, url="http://a/", status=200, size=5)
    spoken: list[said.ToRun] = [
        said.Sent(1, 2.5),
        said.Exchanged(exchange, lent=True),
        failed("x"),
        said.Left(1),
    ]
    async with sides() as (one, other):
        for message in spoken:
            one.channel.say(message)
        assert await other.until(4) == spoken
        other.channel.say(said.Sent(2, 3.5))
        assert await one.until(1) == [said.Sent(2, 3.5)]


async def test_a_message_of_megabytes_comes_whole() -> None:
    long = failed("long " * 1_000_000)
    async with sides() as (one, other):
        one.channel.say(long)
        one.channel.say(said.Left(1))
        assert await other.until(2) == [long, said.Left(1)]


async def test_half_a_character_comes_as_it_is() -> None:
    exchange = Requested(at=NOW, url="http://a/", status=200, size=5)
    spoken: list[said.ToRun] = [failed("a\udc80b"), said.Exchanged(exchange, lent=False)]
    async with sides() as (one, other):
        for message in spoken:
            one.channel.say(message)
        assert await other.until(2) == spoken


async def test_open_files_are_handed_over_in_their_order() -> None:
    async with sides() as (one, other):
        for text in (b"first", b"second"):
            with tempfile.TemporaryFile() as file:
                file.write(text)
                file.flush()
                assert one.channel.hand_over(file.fileno())
        for text in (b"first", b"second"):
            descriptor = other.channel.take_over()
            assert os.pread(descriptor, 10, 0) == text
            os.close(descriptor)
        with pytest.raises(OSError, match="unavailable"):
            other.channel.take_over()


async def test_no_file_is_handed_over_to_a_queue_that_is_full() -> None:
    async with sides() as (one, _):
        with tempfile.TemporaryFile() as file:
            taken = 0
            while one.channel.hand_over(file.fileno()):
                taken += 1
        assert taken


async def test_the_end_of_one_side_is_told_to_the_other() -> None:
    async with sides() as (one, other):
        one.channel.say(said.Left(3))
        one.channel.close()
        await other.gone.wait()
        assert other.heard == [said.Left(3)]
        # to nobody, and no error
        other.channel.say(said.Left(4))
        await asyncio.sleep(0)


@contextmanager
def listening() -> Iterator[tuple[Channel[said.ToRun, said.ToRun], list[said.ToRun]]]:
    heard: list[said.ToRun] = []
    one, other = Sockets.pair()
    decoder = msgspec.msgpack.Decoder(list[said.ToRun])
    yield Channel(one.files, decoder, heard.append, lambda: None), heard
    one.close()
    other.close()


@given(data=st.binary(max_size=60))
def test_what_is_no_message_is_an_error_and_never_run(data: bytes) -> None:
    with listening() as (channel, heard):
        frame = len(data).to_bytes(4, "big") + b"\0" + data
        try:
            channel.data_received(frame)
        except (msgspec.DecodeError, msgspec.ValidationError):
            assert not heard


def test_a_frame_has_a_greatest_size() -> None:
    with listening() as (channel, _), pytest.raises(ValueError, match="a frame of"):
        channel.data_received((MOST_FRAME + 1).to_bytes(4, "big") + b"\0")
