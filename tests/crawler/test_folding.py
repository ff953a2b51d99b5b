"""White space folded in stretches is what it is in one piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import folding
from crawler.folding import STRETCH, fold


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
