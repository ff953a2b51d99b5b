"""Which of two groups with one number counts: what was seen, a tombstone, the later one."""

from __future__ import annotations

from storage.overtaken import Claim, overtaken, rivals
from tests.storage.drafts import hour


def claim(
    name: str,
    writer: str,
    sequence: int,
    at: int,
    slug: str = "a",
    *,
    tombstone: bool = False,
    joined_to: str = "",
) -> Claim:
    return Claim(
        id=name,
        segment=f"news.example/20260620T120000000000Z-1-{(joined_to or writer) * 8}.warc.gz",
        run=f"run of {writer}",
        offset=0,
        length=1,
        slug=slug,
        sequence=sequence,
        observed_at=hour(at),
        is_tombstone=tombstone,
    )


def ids(claims: list[Claim]) -> list[str]:
    return sorted(one.id for one in claims)


def test_numbers_borne_once_have_no_rivals() -> None:
    claims = [claim("a1", "a", 1, 0), claim("a2", "b", 2, 1), claim("b1", "a", 1, 0, "b")]
    assert rivals(claims) == []
    assert overtaken(claims, ()) == []


def test_rivals_are_all_of_their_article() -> None:
    claims = [claim("x", "a", 1, 0), claim("y", "b", 1, 1), claim("z", "b", 2, 2)]
    other = claim("b1", "a", 1, 0, "b")
    assert ids(rivals([*claims, other])) == ["x", "y", "z"]


def test_what_was_observed_later_counts() -> None:
    assert ids(overtaken([claim("old", "a", 1, 0), claim("new", "b", 1, 1)], ())) == ["old"]


def test_what_an_index_has_shown_counts_before_what_is_later() -> None:
    claims = [claim("old", "a", 1, 0), claim("new", "b", 1, 1)]
    assert ids(overtaken(claims, {"old"})) == ["new"]


def test_a_tombstone_counts_whatever_the_clocks_say() -> None:
    claims = [claim("tomb", "a", 2, 0, tombstone=True), claim("text", "b", 2, 1)]
    assert ids(overtaken(claims, ())) == ["text"]


def test_what_was_stored_on_top_goes_too_and_what_others_stored_stays() -> None:
    lost = [claim("a2", "a", 2, 1), claim("a3", "a", 3, 2), claim("a4", "a", 4, 3)]
    stays = [claim("a1", "a", 1, 0), claim("b2", "b", 2, 5), claim("c3", "c", 3, 1)]
    assert ids(overtaken([*lost, *stays], ())) == ["a2", "a3", "a4"]


def test_of_a_lost_writers_groups_those_that_were_seen_stay() -> None:
    claims = [claim("a2", "a", 2, 1), claim("b2", "b", 2, 5), claim("a3", "a", 3, 6)]
    assert ids(overtaken(claims, {"b2", "a3"})) == ["a2"]


def test_what_was_joined_to_a_lost_writers_object_is_no_group_of_its() -> None:
    joined = [claim("b2", "b", 2, 5, joined_to="a"), claim("b3", "b", 3, 6, joined_to="a")]
    claims = [claim("a1", "a", 1, 0), claim("a2", "a", 2, 1), claim("a3", "a", 3, 7), *joined]
    assert ids(overtaken(claims, ())) == ["a2", "a3"]
