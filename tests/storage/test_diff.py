"""A unified diff of two representations, and bytes as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.diff import MAX_LINES, Side, compare, readable_format, side_name, text_of
from storage.files import Names
from storage.groups import Builder
from tests.storage.drafts import article


def side(body: bytes, content_type: str = "text/plain") -> Side:
    return Side(name="s@now.r0 text", body=body, content_type=content_type)


def test_changed_lines_stand_with_their_neighbours() -> None:
    found = compare(side(b"one\ntwo\nthree\n"), side(b"one\n2\nthree\n"))
    assert found.kind == "text"
    assert found.lines == (
        "--- s@now.r0 text",
        "+++ s@now.r0 text",
        "@@ -1,3 +1,3 @@",
        " one",
        "-two",
        "+2",
        " three",
    )


def test_a_missing_line_end_is_a_difference_and_said() -> None:
    found = compare(side(b"one\n"), side(b"one"))
    assert found.lines[-3:] == ("-one", "+one", "\\ No newline at end of file")


def test_equal_bytes_are_the_same_whatever_they_are() -> None:
    assert compare(side(b"\0\1", "image/png"), side(b"\0\1", "image/png")).kind == "same"


@pytest.mark.parametrize("content_type", ["application/pdf", ""])
def test_what_is_no_text_is_said_to_differ(content_type: str) -> None:
    found = compare(side(b"%PDF\0a", content_type), side(b"%PDF\0bc", content_type))
    assert found.kind == "binary"
    assert "6 bytes" in found.lines[0]
    assert "7 bytes" in found.lines[0]


def test_a_text_past_the_bound_is_said_to_differ() -> None:
    found = compare(side(b"a\n"), side(b"a\n" * (MAX_LINES + 1)))
    assert found.kind == "too long"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode(), "text/plain; charset=utf-8", "é"),
        ("é".encode("latin-1"), 'text/plain; charset="ISO-8859-1"', "é"),
        ("é".encode("latin-1"), "text/plain", "é"),
        ("\ufeffé".encode(), "text/plain; charset=iso-8859-1", "é"),
        ("é".encode("utf-16"), "text/plain", "é"),
        (
            '<meta charset="koi8-r">\u0431'.encode("koi8-r"),
            "text/html",
            '<meta charset="koi8-r">\u0431',
        ),
        ("é".encode(), "text/plain; charset=no-such", "é"),
        (b'{"a":1}', "application/ld+json", '{"a":1}'),
    ],
)
def test_text_is_read_by_its_charset(body: bytes, content_type: str, text: str) -> None:
    assert text_of(body, content_type) == text


@given(st.binary(max_size=200), st.text(max_size=40))
def test_any_bytes_are_text_or_are_not(body: bytes, charset: str) -> None:
    assert isinstance(text_of(body, f"text/plain; charset={charset}"), str)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_the_added_and_kept_lines_are_the_new_text(old: bytes, new: bytes) -> None:
    found = compare(side(old), side(new), context=1_000)
    if found.kind == "text":
        kept = [line[1:] for line in found.lines[3:] if line[:1] in {" ", "+"}]
        assert "\n".join(kept) == (text_of(new, "text/plain") or "").removesuffix("\n")


def test_the_most_readable_format_of_both_is_compared() -> None:
    builder = Builder({}, Names())
    old = builder.build(article(formats=("html", "text", "jsonld"))).manifest
    new = builder.build(article(formats=("html", "text", "markdown"))).manifest
    none = builder.build(article(formats=())).manifest
    assert readable_format(old, new) == "text"
    assert readable_format(old, none) is None
    assert side_name(new, "text") == "story@2026-06-19T09:13:50.166750Z.r1 text"
