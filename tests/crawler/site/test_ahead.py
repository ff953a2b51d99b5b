"""Validators read ahead of need: the right one for each URL, and few questions."""

from __future__ import annotations

import asyncio
from pathlib import Path

from crawler.site.ahead import Ahead
from storage.model import Validator
from storage.writer import Writer

URLS = [f"https://site.example/{number}" for number in range(40)]


def tagged(url: str) -> Validator:
    return Validator(url=url, etag=f'"{url}"', digest="0" * 64)


async def test_each_url_gets_its_own_and_what_comes_next_is_read_along(tmp_path: Path) -> None:
    questions: list[int] = []
    left = list(URLS)

    def upcoming() -> list[str]:
        questions.append(len(left))
        return left[:20]

    async with Writer(tmp_path / "m", files=False) as writer:
        writer.note_validators(map(tagged, URLS))
        await writer.flush()
        ahead = Ahead(writer, upcoming)
        found = []
        while left:
            found.append(await ahead.validator(left.pop(0)))
    assert found == [tagged(url) for url in URLS]
    assert questions == [39, 18]


async def test_many_that_ask_at_once_are_answered_together(tmp_path: Path) -> None:
    questions: list[None] = []

    def upcoming() -> list[str]:
        questions.append(None)
        return []

    async with Writer(tmp_path / "m", files=False) as writer:
        writer.note_validators(map(tagged, URLS))
        await writer.flush()
        ahead = Ahead(writer, upcoming)
        found = await asyncio.gather(*map(ahead.validator, URLS))
    assert found == [tagged(url) for url in URLS]
    assert len(questions) == 2


async def test_an_unknown_url_and_one_without_validators_give_none(tmp_path: Path) -> None:
    async with Writer(tmp_path / "m", files=False) as writer:
        writer.note_validators([Validator(url=URLS[0], digest="0" * 64)])
        await writer.flush()
        ahead = Ahead(writer, list)
        assert await ahead.validator(URLS[0]) is None
        assert await ahead.validator(URLS[1]) is None
