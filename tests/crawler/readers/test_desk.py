"""The run's side of one child: its own politeness, robots.txt and store, asked by message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crawler.events import Requested
from crawler.politeness.turns import Politeness
from crawler.readers import messages as said
from crawler.readers.desk import Desk, Service
from crawler.robots_cache import RobotsCache
from crawler.transport.answer import FetchSettings
from crawler.transport.faults import HostResting
from storage.archive import Body
from storage.errors import StoreFailed
from storage.model import Manifest, Representation
from tests.crawler.fetching import NOW, fetching, settings
from tests.crawler.raw_server import answer, raw_server

A = "a.example:443"
URL = "https://a.example/1"
SHOWN = Representation(
    format="html",
    url=URL,
    final_url=URL,
    status=200,
    media_type="text/html",
    digest="0" * 64,
    length=5,
    fetched_at=NOW,
)
NEWEST = Manifest(site="a", scope=URL, slug="1", url=URL, observed_at=NOW, run="r")


class Told:
    """What a child was told and the run observed. Mutable: both, and what broke."""

    def __init__(self) -> None:
        self.said: list[said.ToChild] = []
        self.seen: list[Requested] = []
        self.broke: list[BaseException] = []


async def read_stored(_: Manifest, name: str) -> Body:
    if name != "html":
        raise StoreFailed("the disk is gone")
    return Body(
        representation=SHOWN, status=200, reason="OK", headers=(), stored=b"x", decoded=b"words"
    )


def desk(told: Told, polite: Politeness, robots: Any = None, children: int = 2) -> Desk:
    service = Service(
        politeness=polite,
        robots=robots,
        read_stored=read_stored,
        observe=told.seen.append,
        children=children,
    )
    made = Desk(
        service, told.said.append, lambda number: NEWEST if number else None, told.broke.append
    )
    polite.recall = made.recall
    return made


def politeness(**values: Any) -> Politeness:
    chosen: FetchSettings = settings(**values)
    return Politeness(chosen, lambda: NOW)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def kinds(told: Told) -> list[str]:
    return [type(each).__name__ for each in told.said]


async def test_a_place_is_given_when_it_is_free_and_not_before() -> None:
    told, polite = Told(), politeness(concurrency=1)
    it = desk(told, polite)
    it.hear(said.Enter(1, A, URL))
    it.hear(said.Enter(2, A, URL))
    await settle()
    assert [each.number for each in told.said if isinstance(each, said.Go)] == [1]
    it.hear(said.Sent(1, 0.0))
    it.hear(said.Answered(1, A, 0.0, 200, None, 0.1))
    it.hear(said.Left(1))
    await settle()
    assert [each.number for each in told.said if isinstance(each, said.Go)] == [1, 2]
    it.hear(said.Left(2))
    await settle()
    assert polite.state()[0].active == 0
    assert polite.state()[0].requests == 2


async def test_a_wait_that_is_given_up_leaves_no_place_taken() -> None:
    told, polite = Told(), politeness(concurrency=1)
    it = desk(told, polite)
    for number in (1, 2, 3):
        it.hear(said.Enter(number, A, URL))
    await settle()
    it.hear(said.Left(2))
    it.hear(said.Left(1))
    await settle()
    assert [each.number for each in told.said if isinstance(each, said.Go)] == [1, 3]
    it.hear(said.Left(3))
    await settle()
    assert (polite.state()[0].active, polite.state()[0].waiting) == (0, 0)


async def borrow(it: Desk, places: int) -> None:
    """Have ``places`` used and left, after which they are lent."""
    for number in range(1, places + 1):
        it.hear(said.Enter(number, A, URL))
    await settle()
    for number in range(1, places + 1):
        it.hear(said.Answered(number, A, 0.0, 200, None, 0.1))
        it.hear(said.Left(number))
    await settle()


async def test_a_share_of_the_places_is_lent_where_there_is_no_pace() -> None:
    told, polite = Told(), politeness(concurrency=5)
    it = desk(told, polite)
    await borrow(it, 3)
    lent = [each for each in told.said if isinstance(each, said.Lend)]
    assert lent == [said.Lend(A, whole=False), said.Lend(A, whole=True)]
    assert polite.state()[0].active == 2
    exchange = Requested(at=NOW, url=URL, status=200, size=5)
    it.hear(said.Exchanged(exchange, lent=True))
    assert told.seen == [exchange]
    assert polite.state()[0].requests == 4
    it.hear(said.Returned(A, 2))
    assert polite.state()[0].active == 0


@pytest.mark.parametrize("values", [{"rate": 500.0}, {"concurrency": 1}])
async def test_nothing_is_lent_where_a_pace_is_kept_or_places_are_few(
    values: dict[str, Any],
) -> None:
    told = Told()
    it = desk(told, politeness(**values))
    await borrow(it, 1)
    assert kinds(told) == ["Go"]
    it.close()


async def test_trouble_recalls_what_is_lent_and_lends_no_more() -> None:
    told, polite = Told(), politeness(concurrency=16)
    it = desk(told, polite)
    await borrow(it, 2)
    assert kinds(told) == ["Go", "Go", "Lend", "Lend"]
    # in one of the lent places, which the child gives back by itself
    it.hear(said.Answered(0, A, 5.0, 503, None, 0.1))
    it.hear(said.Returned(A, 2))
    it.hear(said.Enter(3, A, URL))
    await settle()
    it.hear(said.Left(3))
    await settle()
    assert kinds(told)[4:] == ["Go"]
    # a good answer since then ends the trouble
    it.hear(said.Enter(4, A, URL))
    await settle()
    it.hear(said.Answered(4, A, 0.0, 200, None, 0.1))
    it.hear(said.Left(4))
    await settle()
    assert kinds(told)[5:] == ["Go", "Lend"]
    it.close()
    assert polite.state()[0].active == 0


async def test_trouble_of_one_recalls_what_is_lent_to_another() -> None:
    told, polite = Told(), politeness(concurrency=16)
    it = desk(told, polite)
    await borrow(it, 1)
    async with polite.slot(A, URL) as slot:
        slot.failed("timeout", "no answer")
    assert told.said[2:] == [said.Recall(A)]
    it.close()


async def test_who_waits_and_is_no_child_has_what_is_lent_recalled() -> None:
    told, polite = Told(), politeness(concurrency=2)
    it = desk(told, polite, children=1)
    await borrow(it, 2)
    it.hear(said.Enter(9, A, URL))
    await settle()
    assert kinds(told) == ["Go", "Go", "Lend", "Lend"]
    waiting = asyncio.ensure_future(polite.slot(A, URL).__aenter__())
    await settle()
    assert told.said[4:] == [said.Recall(A)]
    it.hear(said.Returned(A, 2))
    await waiting
    assert told.said[5] == said.Go(9, told.said[5].started)  # type: ignore[union-attr]  # a Go
    it.close()


async def test_the_end_of_a_turn_is_told_to_whoever_asks() -> None:
    told, polite = Told(), politeness(strikes=1)
    it = desk(told, polite)
    it.hear(said.Enter(1, A, URL))
    await settle()
    it.hear(said.AskEnded(2, A, URL))
    it.hear(said.Failed(1, A, 0.0, "connect", "no connection"))
    it.hear(said.AskEnded(3, A, URL))
    it.hear(said.Enter(4, A, URL))
    it.hear(said.AskRetry(5, A))
    await settle()
    answers = {each.number: each for each in told.said if isinstance(each, said.Answer)}
    for number in (3, 4):
        resting = answers[number].resting
        assert resting is not None
        assert "no connection" in resting.sentence
    assert answers[5].yes
    it.close()


async def test_a_child_that_is_gone_leaves_no_place_taken() -> None:
    told, polite = Told(), politeness(concurrency=9)
    it = desk(told, polite)
    for number in range(1, 12):
        it.hear(said.Enter(number, A, URL))
    await settle()
    assert polite.state()[0].active == 9
    it.close()
    await settle()
    assert (polite.state()[0].active, polite.state()[0].waiting) == (0, 0)


async def test_robots_txt_is_asked_for_once_for_all() -> None:
    told = Told()
    text = answer(body=b"User-agent: *\nDisallow: /private\n")
    async with raw_server({"/robots.txt": text}) as site, fetching(site) as fetcher:
        robots = RobotsCache(fetcher, "slugline/0", lambda: NOW)
        it = desk(told, politeness(), robots)
        for number in (1, 2):
            it.hear(said.AskRules(number, site.url("/a")))
        await robots.robots_for(site.url("/b"))
        await settle()
        assert site.counts == {"/robots.txt": 1}
    rules = [each.rules for each in told.said if isinstance(each, said.Answer)]
    assert rules[0] == rules[1]
    assert rules[0] is not None
    assert b"/private" in rules[0].body


async def test_a_stored_body_is_read_for_a_child() -> None:
    told = Told()
    it = desk(told, politeness())
    it.hear(said.AskStored(1, 5, "html"))
    it.hear(said.AskStored(2, 0, "html"))
    await settle()
    assert told.said == [said.StoredBody(1, SHOWN, 200, "OK", (), b"x", b"words")]
    it.hear(said.AskStored(3, 5, "markdown"))
    await settle()
    assert [str(each) for each in told.broke] == ["the disk is gone"]


async def test_leaving_twice_or_a_place_that_was_never_given_harms_nothing() -> None:
    told, polite = Told(), politeness(concurrency=1)
    it = desk(told, polite)
    it.hear(said.Left(7))
    it.hear(said.Enter(1, A, URL))
    await settle()
    it.hear(said.Left(1))
    it.hear(said.Left(1))
    await settle()
    assert (polite.state()[0].active, told.broke) == (0, [])


async def test_what_is_recalled_is_not_lent_once_more() -> None:
    told, polite = Told(), politeness(concurrency=16)
    it = desk(told, polite)
    await borrow(it, 1)
    it.hear(said.Enter(2, A, URL))
    await settle()
    it.recall(A)
    it.hear(said.Left(2))
    await settle()
    assert kinds(told) == ["Go", "Lend", "Go", "Recall"]
    it.close()


async def test_an_answer_in_a_place_that_came_back_meanwhile_counts_all_the_same() -> None:
    told, polite = Told(), politeness(concurrency=16)
    it = desk(told, polite)
    await borrow(it, 1)
    it.hear(said.Returned(A, 1))
    it.hear(said.Answered(0, A, 5.0, 503, None, 0.1))
    await borrow(it, 1)
    assert kinds(told) == ["Go", "Lend", "Go", "Lend"]
    it.close()
    assert polite.state()[0].active == 0


async def test_a_host_that_asks_to_be_left_alone_gives_no_robots_txt() -> None:
    told = Told()
    busy = answer("503 Service Unavailable", headers=("Retry-After: 9000",))
    async with raw_server({"/robots.txt": busy}) as site, fetching(site) as fetcher:
        robots = RobotsCache(fetcher, "slugline/0", lambda: NOW)
        it = desk(told, politeness(), robots)
        it.hear(said.AskRules(1, site.url("/a")))
        with pytest.raises(HostResting):
            await robots.robots_for(site.url("/b"))
        await settle()
    (given,) = told.said
    assert isinstance(given, said.Answer)
    assert given.rules is None
    assert given.resting is not None
    assert "left alone" in given.resting.sentence
