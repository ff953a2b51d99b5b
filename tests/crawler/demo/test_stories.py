"""Made-up stories: the same from one seed, each with a slug of its own."""

from __future__ import annotations

from crawler.demo.newsroom import Newsroom

BASE = "http://127.0.0.1:8080"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    one, two, other = (Newsroom.create(BASE, 3, seed=seed) for seed in (1, 1, 2))
    assert [one.page(path) for path in one.paths()] == [two.page(path) for path in two.paths()]
    assert one.records != other.records


def test_every_story_of_two_thousand_has_a_slug_of_its_own() -> None:
    assert len(Newsroom.create(BASE, 2000).records) == 2000
