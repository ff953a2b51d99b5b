"""Cron lines: what crontab takes is taken, the rest is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config.schedule import problem_of


@pytest.mark.parametrize(
    "line",
    [
        "*/15 * * * *",
        "0 4 1,15 * 1-5",
        "0 0 * JAN-mar sun",
        "5-50/5 * * * 7",
        "@daily",
        "0 0 31 12 *",
    ],
)
def test_what_cron_takes_is_taken(line: str) -> None:
    assert problem_of(line) == ""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("@never", "five fields"),
        ("60 * * * *", "its minute from 0 to 59, not '60'"),
        ("* 24 * * *", "its hour from"),
        ("* * 0 * *", "its day of the month from 1"),
        ("* * * 13 *", "its month from"),
        ("* * * * 8", "its day of the week from"),
        ("*/0 * * * *", "its minute"),
        ("5/5 * * * *", "its minute"),
        ("30-10 * * * *", "its minute"),
        ("1,,2 * * * *", "its minute"),
        ("-1 * * * *", "its minute"),
        ("* * * jan- *", "its month"),
    ],
)
def test_what_is_wrong_is_named(line: str, words: str) -> None:
    assert words in problem_of(line)


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(line: str) -> None:
    assert isinstance(problem_of(line), str)
