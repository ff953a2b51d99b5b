"""Numbers, times and foreign words on a terminal."""

from __future__ import annotations

import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.progress.wording import SHOWN, clean, count, duration, inert, pace, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.21, "0.2 s"), (59, "59 s"), (60, "1 min"), (200, "3 min 20 s"),
        (3600, "1 h"), (7500, "2 h 5 min"), (90_000, "1 d 1 h"), (-3, "0 s"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (2**50, "1024.0 TiB")],
)
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


def test_counts() -> None:
    assert count(1, "article") == "1 article"
    assert count(2000, "article") == "2,000 articles"
    assert count(2, "entry", "entries") == "2 entries"


def test_paces() -> None:
    assert [pace(rate) for rate in (0.5, 1.0, 2.0)] == [
        "at most 0.5 requests/s", "at most 1 request/s", "at most 2 requests/s",
    ]  # fmt: skip


@given(st.text())
def test_clean_text_is_one_short_line_without_controls(text: str) -> None:
    shown = clean(text)
    assert len(shown) <= SHOWN
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs"}


@given(st.text())
def test_inert_json_is_the_same_value_and_drives_no_terminal(text: str) -> None:
    written = inert(msgspec.json.encode(text).decode())
    assert msgspec.json.decode(written) == text
    assert not any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in written)
    assert not any(
        unicodedata.bidirectional(char) in {"RLO", "LRO", "RLE", "RLI"} for char in written
    )
