"""The frontier: each URL once, in order, by legal moves only."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crawler.declared import is_twin
from crawler.frontier import MOVES, Entry, Frontier, IllegalMoveError, Room
from storage.model import Record

HOME = "https://news.example"


def url(name: str) -> str:
    return f"{HOME}/{name}"


def entries(*names: str, source: str = "sitemap") -> list[Entry]:
    return [Entry(url=url(name), source=source) for name in names]


def filled(*names: str) -> Frontier:
    frontier = Frontier()
    frontier.add(entries(*names))
    return frontier


def taken(frontier: Frontier) -> list[str]:
    """Take and settle until nothing is left; returns the URLs."""
    found = []
    while (entry := frontier.take()) is not None:
        found.append(entry.url)
        frontier.settle(entry.url)
    return found


def taken_one(frontier: Frontier) -> str | None:
    """Take the next one and settle it; returns its URL."""
    entry = frontier.take()
    if entry is not None:
        frontier.settle(entry.url)
    return entry.url if entry is not None else None


class TestOrder:
    def test_what_comes_next_is_told_and_stays(self) -> None:
        frontier = filled("a", "b", "b.md", "c", "d")
        frontier.take()
        frontier.settle(url("c"))
        assert frontier.upcoming(1) == [url("b")]
        assert frontier.upcoming(9) == [url("b"), url("d")]
        assert taken(frontier)[:2] == [url("b"), url("d")]

    def test_entries_come_out_as_they_went_in(self) -> None:
        assert taken(filled("c", "a", "b")) == [url("c"), url("a"), url("b")]

    def test_what_pages_link_to_comes_out_among_what_lists_name(self) -> None:
        frontier = filled(*(f"article-{number}" for number in range(20)))
        frontier.add(entries("older", "oldest", source="link"))
        order = taken(frontier)
        assert [order.index(url(name)) for name in ("older", "oldest")] == [3, 7]

    def test_a_link_that_a_list_names_late_takes_the_place_it_had(self) -> None:
        frontier = Frontier()
        frontier.add(entries("a", source="link"))
        frontier.add(entries("b", "c"))
        assert taken_one(frontier) == url("b")
        frontier.add(entries("a"))
        assert taken(frontier) == [url("a"), url("c")]

    def test_an_entry_comes_out_once(self) -> None:
        frontier = filled("a")
        assert frontier.add(entries("a", "b", "b")) == 1
        assert taken(frontier) == [url("a"), url("b")]
        assert frontier.add(entries("a")) == 0
        assert frontier.take() is None

    def test_an_empty_one_gives_nothing(self) -> None:
        assert Frontier().take() is None


class TestCounts:
    def test_they_follow_each_entry(self) -> None:
        frontier = filled("a", "b")
        assert (frontier.waiting, frontier.in_hand) == (2, 0)
        entry = frontier.take()
        assert entry is not None
        assert (frontier.waiting, frontier.in_hand) == (1, 1)
        frontier.settle(entry.url)
        assert (frontier.waiting, frontier.in_hand) == (1, 0)

    def test_text_twins_are_not_counted_as_new_since_they_may_be_none(self) -> None:
        assert Frontier().add(entries("a", "a.md", "lone.md")) == 1

    def test_a_url_is_new_until_it_was_added_claimed_or_settled(self) -> None:
        frontier = filled("a", "b.md")
        frontier.claim(url("c"))
        frontier.settle(url("d"))
        names = ("a", "b.md", "c", "d", "e")
        assert [frontier.is_new(url(name)) for name in names] == [False] * 4 + [True]

    def test_settling_twice_counts_once(self) -> None:
        frontier = filled("a")
        frontier.settle(url("a"))
        frontier.settle(url("a"))
        assert (frontier.waiting, frontier.in_hand) == (0, 0)


class TestWhatLaterListsSay:
    def test_a_lastmod_is_added_to_a_link_that_waits(self) -> None:
        frontier = Frontier()
        frontier.add([Entry(url=url("a"), source="link", depth=3)])
        assert frontier.add([Entry(url=url("a"), source="sitemap", lastmod="2026-06-19")]) == 0
        assert frontier.take() == Entry(url=url("a"), source="sitemap", lastmod="2026-06-19")

    def test_a_link_takes_no_lastmod_away(self) -> None:
        frontier = Frontier()
        frontier.add([Entry(url=url("a"), source="sitemap", lastmod="2026-06-19")])
        frontier.add([Entry(url=url("a"), source="link")])
        entry = frontier.take()
        assert entry is not None
        assert (entry.source, entry.lastmod) == ("sitemap", "2026-06-19")

    def test_it_comes_too_late_for_one_in_hand(self) -> None:
        frontier = filled("a")
        frontier.take()
        listed = Entry(url=url("a"), source="sitemap", lastmod="2026-06-19")
        assert frontier.add([listed]) == 0
        assert frontier.take() is None

    def test_what_a_records_list_gave_is_kept(self) -> None:
        hint = Record(slug="a", url=url("a"))
        frontier = Frontier()
        frontier.add([Entry(url=url("a"), named=True, hint=hint)])
        frontier.add([Entry(url=url("a"), source="sitemap", lastmod="2026-06-19")])
        entry = frontier.take()
        assert entry is not None
        assert (entry.named, entry.hint) == (True, hint)


class TestTwins:
    def test_a_text_twin_rides_with_its_page(self) -> None:
        frontier = filled("a.md", "b", "a", "a.txt")
        first, second = frontier.take(), frontier.take()
        assert first is not None
        assert second is not None
        assert (first.url, first.links) == (url("b"), ())
        assert [link.url for link in second.links] == [url("a.md"), url("a.txt")]
        assert {link.rel for link in second.links} == {"alternate"}
        frontier.settle(first.url)
        frontier.settle(second.url)
        assert frontier.take() is None

    @pytest.mark.parametrize("page", ["a", "a.html", "a/", "a/index.html"])
    def test_a_page_and_its_twin_are_known_by_their_names(self, page: str) -> None:
        assert taken(filled("a.md", page)) == [url(page)]

    def test_one_without_a_page_is_an_entry_after_every_page(self) -> None:
        assert taken(filled("lone.md", "a", "b")) == [url("a"), url("b"), url("lone.md")]

    def test_it_waits_while_a_page_in_hand_may_yet_lead_to_its_own(self) -> None:
        frontier = filled("a", "lone.md")
        entry = frontier.take()
        assert entry is not None
        assert frontier.take() is None
        frontier.settle(entry.url)
        late = frontier.take()
        assert late is not None
        assert late.url == url("lone.md")

    def test_lone_twins_are_in_hand_together(self) -> None:
        frontier = filled("a.md", "b.md")
        first, second = frontier.take(), frontier.take()
        assert first is not None
        assert second is not None
        assert frontier.claim(url("a"))
        frontier.add([Entry(url=url("c.md"))])
        assert frontier.take() is None
        frontier.settle(url("a"))
        assert frontier.take() is not None

    def test_one_whose_page_was_read_out_of_turn_is_no_entry(self) -> None:
        frontier = filled("a.md")
        assert frontier.claim(url("a"))
        frontier.settle(url("a"))
        assert frontier.take() is None

    def test_one_that_came_with_an_article_is_no_entry(self) -> None:
        frontier = filled("b", "lone.md")
        frontier.settle(url("lone.md"))
        assert taken(frontier) == [url("b")]

    def test_one_that_a_records_list_names_is_an_entry(self) -> None:
        frontier = Frontier()
        frontier.add([Entry(url=url("a.md"), named=True)])
        assert taken(frontier) == [url("a.md")]


class TestCameAlong:
    def test_what_came_with_an_article_is_no_entry_any_more(self) -> None:
        frontier = Frontier()
        frontier.settle(url("a.txt"))
        assert not frontier.is_new(url("a.txt"))
        assert not frontier.claim(url("a.txt"))
        assert frontier.add(entries("a.txt", "b")) == 1
        assert taken(frontier) == [url("b")]

    def test_a_sitemap_that_names_it_late_is_believed(self) -> None:
        frontier = Frontier()
        frontier.settle(url("a"))
        assert not frontier.in_sitemap(url("a"))
        frontier.add(entries("a", source="sitemap"))
        assert frontier.in_sitemap(url("a"))
        assert taken(frontier) == []

    def test_the_entries_that_led_to_articles_are_told(self) -> None:
        frontier = filled("a", "b", "c")
        assert taken(frontier) == [url("a"), url("b"), url("c")]
        frontier.found(url("a"))
        frontier.found(url("c"))
        assert list(frontier.articles()) == [url("a"), url("c")]


class TestRoom:
    """Bounds on what a site may list and link."""

    def test_links_of_pages_wait_up_to_their_bound_and_the_rest_is_counted(self) -> None:
        frontier = Frontier(Room(links=2))
        assert frontier.add(entries("a", "b", "c", source="link")) == 2
        assert frontier.left_out == {"linked": 1}
        assert taken(frontier) == [url("a"), url("b")]

    def test_lists_go_in_where_links_no_longer_do(self) -> None:
        frontier = Frontier(Room(links=1))
        frontier.add(entries("a", "b", source="link"))
        assert frontier.add(entries("c", "d")) == 2
        assert taken(frontier) == [url("c"), url("d"), url("a")]

    def test_one_that_was_dropped_is_new_and_goes_in_when_there_is_room(self) -> None:
        frontier = Frontier(Room(links=1))
        frontier.add(entries("a", "b", source="link"))
        assert frontier.is_new(url("b"))
        assert frontier.take() is not None
        assert frontier.add(entries("b", source="link")) == 1

    def test_a_link_that_a_list_names_too_makes_room(self) -> None:
        frontier = Frontier(Room(links=1))
        frontier.add(entries("a", source="link"))
        frontier.add(entries("a"))
        assert frontier.add(entries("b", source="link")) == 1

    def test_a_full_one_takes_nothing_in_but_what_workers_hold(self) -> None:
        frontier = Frontier(Room(size=0))
        assert frontier.add([*entries("a", "b"), *entries("c", source="link")]) == 0
        assert frontier.left_out == {"listed": 2, "linked": 1}
        assert frontier.claim(url("d"))
        frontier.settle(url("d"))
        assert not frontier.claim(url("d"))

    def test_it_says_which_urls_a_sitemap_named(self) -> None:
        frontier = Frontier()
        frontier.add(entries("a", source="link"))
        frontier.settle(url("a"))
        frontier.add(entries("a", "b"))
        frontier.add(entries("c", source="feed"))
        assert [frontier.in_sitemap(url(name)) for name in "abcd"] == [True, True, False, False]


class TestClaim:
    def test_a_new_url_is_held_and_never_comes_out(self) -> None:
        frontier = Frontier()
        assert frontier.claim(url("a"))
        assert frontier.in_hand == 1
        assert frontier.add(entries("a")) == 0
        assert frontier.take() is None

    def test_one_that_waits_is_held_and_never_comes_out(self) -> None:
        frontier = filled("a", "b")
        assert frontier.claim(url("a"))
        entry = frontier.take()
        assert entry is not None
        assert entry.url == url("b")

    def test_nobody_gets_what_is_in_hand_or_settled(self) -> None:
        frontier = filled("a")
        frontier.take()
        assert not frontier.claim(url("a"))
        frontier.settle(url("a"))
        assert not frontier.claim(url("a"))


class TestMoves:
    def test_nothing_leaves_settled_and_nothing_waits_twice(self) -> None:
        assert all("settled" not in sources for sources in MOVES.values())
        assert MOVES["waiting"] == (None,)

    def test_an_illegal_one_raises(self) -> None:
        frontier = filled("a")
        with pytest.raises(IllegalMoveError, match="from waiting to waiting"):
            frontier._move(0, "waiting")  # noqa: SLF001  - no public call can ask for it


class Crowd(RuleBasedStateMachine):
    """Workers take, claim and settle in any order; no URL is ever given out twice."""

    NAMES: ClassVar[list[str]] = ["a", "b", "c", "a.md", "d.md", "d.txt", "b/"]
    names = st.sampled_from(NAMES)

    def __init__(self) -> None:
        super().__init__()
        self.frontier = Frontier()
        self.known: set[str] = set()
        self.given: set[str] = set()
        self.held: set[str] = set()

    @rule(chosen=st.lists(names))
    def add(self, chosen: list[str]) -> None:
        new = {url(name) for name in chosen} - self.known
        assert all(self.frontier.is_new(each) for each in new)
        assert self.frontier.add(entries(*chosen)) == sum(not is_twin(each) for each in new)
        self.known |= new
        assert not any(self.frontier.is_new(each) for each in self.known)

    @rule()
    def take(self) -> None:
        entry = self.frontier.take()
        if entry is not None:
            assert entry.url not in self.given
            self.given.add(entry.url)
            self.held.add(entry.url)

    @rule(name=names)
    def claim(self, name: str) -> None:
        if self.frontier.claim(url(name)):
            assert url(name) not in self.given
            self.given.add(url(name))
            self.held.add(url(name))
            self.known.add(url(name))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        done = data.draw(st.sampled_from(sorted(self.held)))
        self.held.remove(done)
        self.frontier.settle(done)

    @invariant()
    def counts_are_true(self) -> None:
        assert self.frontier.in_hand == len(self.held)
        assert 0 <= self.frontier.waiting <= len(self.known) - len(self.held)

    def teardown(self) -> None:
        """Whatever happened, the rest can be worked off and then nothing waits."""
        for each in self.held:
            self.frontier.settle(each)
        taken(self.frontier)
        assert (self.frontier.waiting, self.frontier.in_hand) == (0, 0)


Crowd.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestCrowd = Crowd.TestCase
