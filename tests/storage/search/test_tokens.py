"""Words for PostgreSQL: cut and folded as SQLite does it, and the pieces of text around them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.search.tokens import fold, marked, tokens, tsquery
from storage.search.words import snippet_of

words = st.text(st.characters(max_codepoint=0x24F), max_size=30)


@given(text=words)
def test_latin_words_are_those_that_sqlite_finds(text: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            """CREATE VIRTUAL TABLE t USING fts5 (x, tokenize = "unicode61 remove_diacritics 2")"""
        )
        connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab (t, instance)")
        connection.execute("INSERT INTO t VALUES (?)", (text.replace("\0", " "),))
        theirs = [row[0] for row in connection.execute("SELECT term FROM v ORDER BY offset")]
    ours = tokens(text.replace("\0", " "), 10_000).split()
    assert [fold(word) for word in theirs] == ours


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("", ""),
        ("!!", ""),
        ("Crème brûlée", "(creme) & (brulee)"),
        ('"every roof" -Panels', "(every <-> roof) & !((panels))"),
        ("cre*", "(cre:*)"),
        ("-alone", ""),
        ("it's a:b & (c | !d)", "(it <-> s) & (a <-> b) & (c) & (d)"),
    ],
)
def test_a_question_as_a_tsquery(typed: str, query: str) -> None:
    assert tsquery(typed) == query


def test_a_question_for_titles_alone() -> None:
    assert (
        tsquery('cre* "in a row" -not', titles=True)
        == "(cre:*A) & (in:A <-> a:A <-> row:A) & !((not))"
    )


def test_words_stop_at_so_many_bytes() -> None:
    assert tokens("aa bb cc", 6) == "aa bb"


def test_a_piece_has_what_was_asked_for_in_it() -> None:
    text = "Other words. " * 50 + "Crème, on every roof! " + "More. " * 50
    piece = snippet_of(marked(text, '"every roof" creme', 12))
    assert [said for said, hit in piece if hit] == ["Crème", "every", "roof"]
    assert piece[0][0].startswith("…")
    assert piece[-1][0].endswith("…")


def test_a_short_text_is_shown_whole() -> None:
    assert snippet_of(marked("No such words.", "panels", 12)) == (("No such words.", False),)
    assert marked("", "panels", 12) == ""


@pytest.mark.parametrize("typed", ["", "...", '"-"', "-word", '- "!"', "-(a) -b"])
def test_where_no_word_is_wanted_nothing_is_asked_for(typed: str) -> None:
    assert tsquery(typed) == ""
    assert tsquery(typed, titles=True) == ""


def test_marks_without_a_word_leave_the_words_beside_them() -> None:
    assert tsquery('word "..." !') == tsquery("word")
