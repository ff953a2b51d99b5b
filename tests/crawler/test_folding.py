"""White space folded in stretches is what it is in one piece."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import folding
from crawler.folding import LONG, STRETCH, fold, is_folded


@pytest.mark.parametrize(
    "text",
    ["", " ", "a", " a\n\tb  c\u2003d ", "a" * (STRETCH + 1), "a " * STRETCH, " " * 3 * STRETCH],
)
def test_folding_is_what_split_and_join_make(text: str) -> None:
    assert fold(text) == " ".join(text.split())


@given(
    st.lists(st.tuples(st.sampled_from(" \n\u2003ab"), st.integers(1, folding.STRETCH)), max_size=6)
)
def test_stretches_leave_no_seam(runs: list[tuple[str, int]]) -> None:
    text = "".join(character * times for character, times in runs)
    assert fold(text) == " ".join(text.split())


@given(st.text("ab \n\r\t\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028", max_size=20))
def test_long_lines_are_folded_as_short_ones(text: str) -> None:
    for long in ("x" * LONG + text, text + "x" * LONG, text * LONG):
        assert fold(long) == " ".join(long.split())


@given(st.text("ab \n\t\x1c\x1f\x85\xa0\u2028\u00e9", max_size=20).map(str.strip))
def test_what_is_called_folded_is(words: str) -> None:
    assert not is_folded(words) or fold(words) == words


def test_no_white_space_but_the_blank_is_printable() -> None:
    spaces = [mark for mark in map(chr, range(sys.maxunicode + 1)) if mark.isspace()]
    assert [mark for mark in spaces if mark.isprintable()] == [" "]
