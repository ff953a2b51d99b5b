"""Two texts word by word: nothing lost, nothing made up, and bounded."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.web.words import Comparison, changed_words, compare

LINES = st.lists(st.text(alphabet="ab c.日", max_size=8), max_size=8).map("\n".join)


def sides(found: Comparison) -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]  # two of them
        "\n".join(
            "".join(word for _, word in line.spans)
            for row in found.rows
            if (line := getattr(row, side)) is not None
        )
        for side in ("old", "new")
    )


@given(LINES, LINES)
@settings(max_examples=300)
def test_both_texts_stand_whole_beside_each_other(old: str, new: str) -> None:
    found = compare(old, new, context=None)
    assert sides(found) == ("\n".join(old.splitlines()), "\n".join(new.splitlines()))
    for row in found.rows:
        if row.kind == "same":
            assert row.old is not None
            assert row.new is not None
            assert row.old.spans == row.new.spans


@given(LINES, LINES)
@settings(max_examples=300)
def test_what_is_marked_the_same_is_the_same_on_both_sides(old: str, new: str) -> None:
    marked = [
        "".join(
            word
            for row in compare(old, new, context=None).rows
            if (line := getattr(row, side)) is not None
            for mark, word in line.spans
            if mark == "same"
        )
        for side in ("old", "new")
    ]
    assert marked[0] == marked[1]


def test_a_changed_word_is_marked_and_counted() -> None:
    found = compare("One two three.\nEnd.", "One 2 three.\nEnd.")
    assert (found.taken, found.added) == (1, 1)
    row = found.rows[0]
    assert row.old is not None
    assert row.new is not None
    assert row.old.spans == (("same", "One "), ("changed", "two"), ("same", " three."))
    assert row.new.spans == (("same", "One "), ("changed", "2"), ("same", " three."))


def test_unchanged_lines_far_from_a_change_are_left_out() -> None:
    old = "\n".join(str(number) for number in range(20))
    found = compare(old, old.replace("10", "ten"))
    assert [row.kind for row in found.rows].count("same") == 6
    assert [row.skipped for row in found.rows if row.kind == "skipped"] == [7, 6]
    assert {row.kind for row in compare(old, old, context=None).rows} == {"same"}


def test_texts_with_nothing_in_common_are_replaced_and_the_work_is_bounded() -> None:
    rng = random.Random(1)
    old, new = ("\n".join(rng.choice("xyz") for _ in range(20_000)) for _ in range(2))
    found = compare(old, new, context=None)
    assert sides(found) == (old, new)
    assert found.added > 19_900


def test_words_changed_are_counted_without_their_order() -> None:
    assert changed_words("a b c", "c b d d") == (1, 2)


def test_punctuation_is_marked_and_no_word() -> None:
    found = compare("It was done", "It was: done, twice - 日本!")
    assert (found.taken, found.added) == (0, 3)
    marked = [
        word for row in found.rows if row.new for mark, word in row.new.spans if mark == "changed"
    ]
    assert "".join(marked) == ":, twice - 日本!"
