"""Short forms in the index: what was packed comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.index.packing import mark_of, packed, unpacked


@given(
    st.one_of(
        st.uuids().map(lambda one: one.urn),
        st.binary(max_size=33).map(bytes.hex),
        st.text(),
        st.text("0123456789abcdefABCDEF- ").map("urn:uuid:".__add__),
    )
)
def test_ids_and_digests_come_back_from_half_their_bytes(text: str) -> None:
    assert unpacked(packed(text)) == text


def test_an_id_and_a_digest_take_half_their_bytes() -> None:
    assert len(packed("urn:uuid:dc9a5ef7-3228-4f1f-b05c-97458c94059b")) == 16
    assert len(packed("ad" * 32)) == 32


def test_what_is_no_id_is_told_apart() -> None:
    with pytest.raises(TypeError, match="no id"):
        unpacked(7)


@given(st.text(max_size=300))
def test_a_mark_is_a_whole_number_that_sqlite_can_hold(text: str) -> None:
    assert -(1 << 63) <= mark_of(text) == mark_of(text) < 1 << 63


def test_urls_that_differ_have_marks_that_differ() -> None:
    urls = {f"https://news.example/{n}{'x' * (n % 400)}" for n in range(2_000)}
    assert len({mark_of(url) for url in urls}) == len(urls)
