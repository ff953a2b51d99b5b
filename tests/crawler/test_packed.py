"""Packed tables: what goes in is found, numbered as it came, and comes out as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crawler.packed import Claims, HashIndex, NameSet, PackedStrings

#: URLs of one site and of others, and text that is none.
FIRSTS = st.one_of(
    st.text("ab/é?\ud800", max_size=6).map(lambda rest: f"https://site.example/{rest}"),
    st.sampled_from(["https://other.example/a", "https://site.example", "https://site.examples/a"]),
    st.text(st.characters(exclude_characters="\n\0/"), max_size=8),
)
SECONDS = st.one_of(
    st.text(st.characters(exclude_characters="\0\1\2\3"), max_size=30),
    st.from_regex(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(Z|[+-]00:00)?", fullmatch=True),
    st.text("ab/é?\ud800", max_size=2),
)


@given(st.lists(st.tuples(FIRSTS, SECONDS), unique_by=lambda pair: pair[0]))
def test_pairs_come_out_as_they_went_in(pairs: list[tuple[str, str]]) -> None:
    packed = PackedStrings()
    for number, (first, second) in enumerate(pairs):
        assert packed.find(first) is None
        assert packed.add(first, second) == number
    assert len(packed) == len(pairs)
    for number, pair in enumerate(pairs):
        assert packed.find(pair[0]) == number
        assert packed.pair(number) == pair


@given(st.lists(FIRSTS, unique=True, min_size=1), SECONDS)
def test_one_that_is_replaced_changes_no_other(firsts: list[str], second: str) -> None:
    packed = PackedStrings()
    for first in firsts:
        packed.add(first, "before")
    packed.replace(0, second)
    assert packed.pair(0) == (firsts[0], second)
    assert [packed.find(first) for first in firsts] == list(range(len(firsts)))
    assert all(packed.pair(n) == (firsts[n], "before") for n in range(1, len(firsts)))


def test_many_are_found_after_every_growth_and_take_little() -> None:
    # Of so many, two are likely to have half of a hash in common.
    packed = PackedStrings()
    urls = [f"https://site.example/news/a-title-of-usual-length-{n}" for n in range(100_000)]
    for url in urls:
        packed.add(url, "2026-06-19T09:13:50Z")
    assert [packed.find(url) for url in urls] == list(range(len(urls)))
    assert packed.size < 100 * len(urls)


def test_pairs_longer_than_what_is_left_of_a_piece_are_whole() -> None:
    packed = PackedStrings()
    pairs = [(f"https://site.example/{n}/{'x' * 4000}", "y" * n) for n in range(200)]
    for first, second in pairs:
        packed.add(first, second)
    assert [packed.pair(number) for number in range(200)] == pairs


def test_all_of_one_hash_are_found_under_it() -> None:
    index = HashIndex()
    assert [index.add(7), index.add(7), index.add(7 + (1 << 32))] == [0, 1, 2]
    assert index.numbers(7) == [0, 1, 2]
    assert index.first(7) == 0
    assert index.numbers(8) == []
    assert index.first(8) == -1


class Hashed(str):
    """A name whose hash is that of its number."""

    __slots__ = ()

    def __hash__(self) -> int:
        return int(self)


def test_names_whose_hashes_have_one_half_in_common_are_told_apart() -> None:
    claims = Claims()
    names = [Hashed(7 + (n << 32)) for n in range(3)]
    assert all(claims.claim(name, f"its {name}") for name in names)
    for name in names:
        assert claims.claim(name, f"its {name}")
        assert claims.held_by_another(name, "another's")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))))
def test_a_name_is_its_first_claimants(pairs: list[tuple[str, str]]) -> None:
    claims, expected = Claims(), dict[str, str]()
    for name, claimant in pairs:
        assert claims.claim(name, claimant) == (expected.setdefault(name, claimant) == claimant)
    for name in "abc":
        for claimant in "xyz":
            another = expected.get(name, claimant) != claimant
            assert claims.held_by_another(name, claimant) == another


def test_controls_that_packing_uses_are_left_out_of_a_second() -> None:
    packed = PackedStrings()
    packed.put("https://site.example/a", "\0\2b\1c\3")
    assert packed.get("https://site.example/a") == "bc"


def test_what_is_kept_stands_and_what_is_put_takes_its_place() -> None:
    packed = PackedStrings()
    packed.keep("a/b", "b")
    packed.keep("a/b", "c")
    assert packed.get("a/b") == "b"
    packed.put("a/b", "c")
    assert packed.get("a/b") == "c"
    assert packed.get("a/c") is None


@given(st.lists(st.text(max_size=3)))
def test_marks_hold_each_name_once(names: list[str]) -> None:
    marks = NameSet()
    for name in names:
        marks.add(name)
    assert len(marks) == len(set(names))
    assert all(name in marks for name in names)
    assert "another" not in marks
