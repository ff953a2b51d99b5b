"""The forms of dates: the usual one is RFC 3339's, and no month's name has two meanings."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage.date_forms import MONTH_NUMBERS, RFC3339, USUAL


@given(st.from_regex(USUAL, fullmatch=True))
def test_the_usual_form_is_one_of_rfc_3339(text: str) -> None:
    assert RFC3339.fullmatch(text)


def test_a_month_is_named_by_any_beginning_of_three_letters_or_more() -> None:
    names = ("jan", "mar", "may", "jun", "july", "sept", "december")
    assert [MONTH_NUMBERS[name] for name in names] == ["1", "3", "5", "6", "7", "9", "12"]
    assert "ju" not in MONTH_NUMBERS
