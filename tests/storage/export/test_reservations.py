"""What a publisher reserved, by each of the published ways to say it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.export.reservations import reservations


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("x-robots-tag", "noindex, NoAI", ["noai"]),
        ("x-robots-tag", "noimageai,noarchive", ["noimageai", "noarchive"]),
        ("x-robots-tag", "none", []),
        ("x-robots-tag", "otherbot: noai, noarchive", []),
        ("x-robots-tag", "otherbot: noai\nnoarchive", ["noarchive"]),
        ("x-robots-tag", "slugline: noarchive", ["noarchive"]),
        ("x-robots-tag", "max-snippet: 20, noai", ["noai"]),
        ("x-robots-tag", "unavailable_after: 25 Jun 2030 15:00:00 GMT", []),
        ("meta robots", "noai", ["noai"]),
        ("tdm-reservation", "1", ["1"]),
        ("tdm-reservation", "0", []),
        ("meta tdm-reservation", "1", ["1"]),
        ("meta tdm-policy", "https://example.org/policy.json", []),
        ("tdm-reservation", "10", []),
        ("tdm-policy", "https://example.org/policy.json", []),
        ("content-usage", "train-ai=n", ["train-ai=n"]),
        ("content-usage", "train-ai=n;x=1, search=y", ["train-ai=n"]),
        ("content-usage", "search=y\ntrain-ai=n", ["train-ai=n"]),
        ("content-usage", "train-ai=n, train-ai=y", []),
        ("content-usage", 'a="b, train-ai=n"', []),
        ("content-usage", "train-ai", []),
        ("content-usage", "Train-AI=n", []),
        ("content-usage", "train-ai=n search=n", []),
        ("content-usage", "", []),
    ],
)
def test_a_field_reserves_what_its_specification_says(
    field: str, value: str, found: list[str]
) -> None:
    told = reservations({f"html: {field}": value})
    assert told == tuple(f"html: {field} {word}" for word in found)


@given(st.text(st.sampled_from('noai=n,;" \n\\:*a-'), max_size=40), st.booleans())
def test_any_text_is_read(text: str, twice: bool) -> None:
    usage = {"html: content-usage": text, "text: x-robots-tag": text * (1 + twice)}
    assert all(": " in each for each in reservations(usage))
