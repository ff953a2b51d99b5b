"""Numbers and words for people."""

from __future__ import annotations

import pytest

from storage.wording import count, size, told


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (20 << 10, "20 KiB"), (3 << 30, "3.0 GiB")],
)
def test_bytes_are_shown_in_a_few_characters(number: int, text: str) -> None:
    assert size(number) == text


def test_one_and_many_are_told_apart() -> None:
    assert count(1, "snapshot") == "1 snapshot"
    assert count(1200, "entry", "entries") == "1,200 entries"


def test_what_happened_has_words_and_what_is_unknown_its_own_name() -> None:
    assert told("silent-edit") == "Edited in silence"
    assert told("something-new") == "something-new"
