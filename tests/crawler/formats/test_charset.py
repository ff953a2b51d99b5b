"""Bytes to text by what was said, then by what decodes, then by replacement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.formats.charset import MAX_READ, TOO_LONG, codec_of, decode, unread


def test_a_byte_order_mark_wins_over_the_header() -> None:
    body = "\ufeffé".encode()
    assert decode(body, "text/html; charset=iso-8859-1") == ("é", ())
    assert decode("\ufeffé".encode("utf-16-le")) == ("é", ())


def test_the_header_wins_over_meta() -> None:
    body = b'<meta charset="utf-8">' + "é".encode("cp1252")
    assert decode(body, 'text/html; charset="windows-1252"', meta=True)[0].endswith("é")


def test_what_is_too_long_is_read_up_to_a_whole_character() -> None:
    body = b"a" * (MAX_READ - 1) + "é".encode() * 3
    assert decode(body) == ("a" * (MAX_READ - 1), (TOO_LONG,))
    assert unread(body)
    assert unread(body) != unread(body + b"b")
    assert unread(body[:MAX_READ]) == ""


def test_meta_is_read_in_both_its_forms_and_only_when_asked() -> None:
    for meta in (
        "<meta charset=shift_jis>",
        '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">',
    ):
        body = f"{meta}日本".encode("cp932")
        assert decode(body, "text/html", meta=True)[0].endswith("日本")
        assert not decode(body, "text/html")[0].endswith("日本")


def test_a_label_far_behind_in_a_header_counts_too() -> None:
    content_type = f"text/plain; x={'y' * 1_000}; charset=koi8-r"
    assert decode("да".encode("koi8-r"), content_type) == ("да", ())


def test_a_wrong_label_falls_to_the_next_that_decodes() -> None:
    assert decode("é".encode("cp1252"), "text/plain; charset=utf-8") == ("é", ())
    assert decode("日本".encode(), "text/plain; charset=euc-jp")[0] == "日本"


def test_what_no_encoding_reads_is_replaced_and_found() -> None:
    text, findings = decode(b"a\x81\xff", "text/plain; charset=utf-8")
    assert text.startswith("a\ufffd")
    assert [finding.kind for finding in findings] == ["charset"]


def test_latin1_means_windows_1252() -> None:
    assert decode(b"\x93x\x94", "text/plain; charset=ISO-8859-1")[0] == "“x”"


@pytest.mark.parametrize("label", ["utf-7", "punycode", "idna", "unicode_escape", "zlib", ""])
def test_labels_outside_the_standard_mean_nothing(label: str) -> None:
    assert codec_of(label) is None


@given(st.binary(max_size=200), st.text(max_size=30))
def test_never_raises(body: bytes, label: str) -> None:
    text, _ = decode(body, f"text/html; charset={label}", meta=True)
    assert isinstance(text, str)
