"""Words on their way into the full-text index, and a person's question as an FTS5 MATCH."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.search.fulltext import TABLES
from storage.search.words import (
    MOST_ITEMS,
    indexed,
    mark,
    match_of,
    snippet_of,
    without_links,
)

WORDS = "{title summary names body links} : "


@pytest.mark.parametrize(
    ("typed", "match"),
    [
        ("one two", '("one" "two")'),
        ('a "row of words" b', '("a" "row of words" "b")'),
        ('"never closed', '("never closed")'),
        ("begin*", '("begin"*)'),
        ('"of two begin"*', '("of two begin"*)'),
        ("b* ***", '("b")'),
        ("up-to-date AND NOT or", '("up-to-date" "AND" "NOT" "or")'),
        ("title:x near(y)", '("title:x" "near(y)")'),
        ("\u201cpasted words\u201d \u2013", '("pasted words")'),
        ("- a", '("a")'),
        ("a\0b", '("a" "b")'),
    ],
)
def test_a_question_is_words_phrases_and_beginnings(typed: str, match: str) -> None:
    assert match_of(typed) == WORDS + match


def test_what_must_not_be_there_is_left_out() -> None:
    assert match_of('solar -wind -"on shore"') == (
        f'({WORDS}("solar")) NOT {WORDS}("wind" OR "on shore")'
    )


@pytest.mark.parametrize("typed", ["", " ", '"', "-", "*", "-wind", "…", '""""', "_"])
def test_a_question_without_a_word_to_look_for_is_none(typed: str) -> None:
    assert match_of(typed) == ""


def test_a_question_has_bounds() -> None:
    assert match_of("a " * 400).count('"a"') == MOST_ITEMS
    assert len(match_of("x" * 100_000)) < 1_100


@given(st.text(), st.text(alphabet="ab\"-* (){}:^+,\0'é中", max_size=30))
def test_no_question_is_a_syntax_error(any_text: str, like_syntax: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        for table in TABLES:
            connection.execute(table)
        for typed in (any_text, like_syntax, f"a {any_text}", f"{any_text} -{like_syntax}"):
            match = match_of(typed, [mark("site", any_text)])
            if match:
                connection.execute("SELECT * FROM texts WHERE texts MATCH ?", (match,)).fetchall()
    connection.close()


def test_a_mark_is_one_word_that_knows_no_case() -> None:
    assert mark("topic", "Énergie solaire") == mark("topic", "e\u0301NERGIE SOLAIRE".lower())
    assert mark("topic", "x") != mark("entity", "x")
    assert mark("topic", "x").isalnum()


def test_characters_of_a_text_without_spaces_are_words() -> None:
    assert indexed("新聞ab 記") == "新\x1f聞\x1fab 記"
    assert indexed("e\u0301t\x00é\x02") == "ét é "
    assert indexed(None) == ""


def test_a_links_words_stay_and_its_target_goes_elsewhere() -> None:
    text = "See [the report](https://a.example/x) and [![chart](c.png)](https://b.example)."
    assert without_links(text) == (
        "See the report and chart.",
        "https://a.example/x c.png https://b.example",
    )
    assert without_links(None) == ("", "")


def test_links_are_found_in_time_however_they_nest() -> None:
    for hostile in ("[" * 200_000 + "](", "[a](" * 100_000, "![" * 100_000, "](" * 100_000):
        assert without_links(hostile)[0] == hostile


def test_a_snippet_is_one_line_without_marks_of_markdown() -> None:
    marked = "# A \x02Title\x03\n\n- *first*  `code`\n> \x02snake_case\x03 \\_x 新\x1f聞 _end_"
    assert snippet_of(marked) == (
        ("A ", False),
        ("Title", True),
        (" first code ", False),
        ("snake_case", True),
        (" x 新聞 end", False),
    )
    assert snippet_of("") == ()
