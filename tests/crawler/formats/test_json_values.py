"""JSON within bounds, and values by what they mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.facts import Malformed
from crawler.formats.json_values import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_VALUES,
    entries_of,
    first_stamp,
    load_json,
    names_of,
    plain_text_of,
    stamp_of,
    text_of,
    url_text_of,
)


def test_reads_json_with_mark_and_with_raw_line_ends() -> None:
    assert load_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert load_json('{"a": "x\ny"}') == {"a": "x\ny"}


@pytest.mark.parametrize(
    "text",
    ['<!-- {"a": 1} -->', '//<![CDATA[\n{"a": 1}\n//]]>', '<![CDATA[{"a": 1}]]>'],
)
def test_undoes_what_templates_wrap_around(text: str) -> None:
    assert load_json(text) == {"a": 1}


def test_more_values_than_are_read_are_malformed_and_commas_in_words_are_none() -> None:
    with pytest.raises(Malformed, match="values"):
        load_json(b"[" + b"{}," * MAX_VALUES + b"1]")
    words = "a, " * MAX_VALUES
    assert load_json(f'["{words}"]') == [words]


def test_json_longer_than_is_read_is_malformed() -> None:
    with pytest.raises(Malformed, match="longer"):
        load_json(b'"' + b"a" * MAX_BYTES + b'"')


@pytest.mark.parametrize("text", ["", "{", "[1,]", "nope", '{"a" 1}', b"\xff\xfe{"])
def test_what_is_no_json_is_malformed(text: str | bytes) -> None:
    with pytest.raises(Malformed, match="JSON"):
        load_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\ud800"', "a\ufffd"),
        (r'"\uDFFFa"', "\ufffda"),
        (r'"\ud800\ud800\udc00"', "\ufffd\U00010000"),
        (r'"\ud800\\udc00"', "\ufffd\\udc00"),
        (r'"\\ud800"', r"\ud800"),
        (r'"\ud83d\ude00"', "\U0001f600"),
    ],
)
def test_half_of_a_surrogate_pair_is_read_as_a_lost_character(text: str, value: str) -> None:
    assert load_json(text) == value


def test_nesting_is_bounded_before_anything_is_built() -> None:
    for piece in ("[", '{"a":', '[{"a":'):
        with pytest.raises(Malformed, match="nests deeper"):
            load_json(piece * 100_000)
    assert load_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert load_json('["' + "[" * 1000 + '"]') == ["[" * 1000]


def test_brackets_in_an_unended_string_take_linear_time() -> None:
    with pytest.raises(Malformed):
        load_json("[" * 150 + "{" * 60 + '"' + '\\"' * 100_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" a ", "a"),
        ("", None),
        (3, "3"),
        (True, None),
        (["a", "b"], "a"),
        ([], None),
        ({"@value": "a", "@language": "en"}, "a"),
        ({"rendered": "a"}, "a"),
        ({"name": "a"}, "a"),
        ({"x": "a"}, None),
        (None, None),
    ],
)
def test_text_of(value: Any, text: str | None) -> None:
    assert text_of(value) == text


def test_plain_text_undoes_markup_but_not_angle_brackets() -> None:
    assert plain_text_of("A &amp; <em>B</em>\n now") == "A & B now"
    assert plain_text_of("Option<T> &lt;b&gt;") == "Option<T> <b>"


def test_names() -> None:
    assert names_of("a, b,,a") == ("a", "b")
    assert names_of(["a, b", {"name": "c"}, 7, None]) == ("a, b", "c")
    assert entries_of("Smith, John") == ("Smith, John",)
    assert names_of(None) == ()


def test_url_text() -> None:
    assert url_text_of([{"@id": " x "}]) == "x"
    assert url_text_of({"contentUrl": "y"}) == "y"
    assert url_text_of(4) is None


def test_unix_times_have_one_meaning_by_their_size() -> None:
    seconds, millis = stamp_of(1_718_784_584), stamp_of(1_718_784_584_123)
    assert seconds is not None
    assert millis is not None
    assert seconds.at == datetime(2024, 6, 19, 8, 9, 44, tzinfo=UTC)
    assert millis.at == datetime(2024, 6, 19, 8, 9, 44, 123_000, tzinfo=UTC)
    assert (seconds.unit, millis.unit) == ("second", "millisecond")
    assert stamp_of(20240619) is None
    assert stamp_of(True) is None


def test_a_zero_date_gives_way_to_a_real_one_and_zoned_wins() -> None:
    found = first_stamp(["0001-01-01T00:00:00Z", "2024-01-01T10:00:00", "2024-01-01T09:00:00Z"])
    assert found is not None
    assert (found.at.hour, found.offset) == (9, 0)
    zero = first_stamp(["0001-01-01T00:00:00Z", None, "x"])
    assert zero is not None
    assert zero.at.year == 1


@given(st.binary(max_size=80))
def test_loading_raises_nothing_but_malformed(data: bytes) -> None:
    try:
        load_json(data)
    except Malformed:
        return
