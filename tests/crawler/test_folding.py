"""White space folded in stretches is what it is in one piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import folding
from crawler.folding import LONG, STRETCH, fold


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
