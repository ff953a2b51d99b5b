"""Plain YAML is read as the library reads it, or not at all."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.formats.plain_yaml import read_plain

#: What separates, opens and ends things in YAML, and what only looks like it.
PIECES = st.sampled_from(
    [
        *("title", "a", "b_c", "x-1", "é", "“q”", "null", "~", "2024-01-09T10:00:00Z", "10:30"),
        *(": ", ":", " ", "  ", "\n", "#", " #", "- ", "\n- ", "\n  - ", "\n   - ", "---\n", "..."),
        *("\n  a: b", "\n  ", "\n   c: d"),
        *('"', "'", "[", "]", ", ", ",", "{", "}", "&", "*", "!", "|", ">", "%", "@", "`", "\\"),
        *("?", "-", "=", "<", "(", "/", "\t", "\r", "\x00", "\x85", "\xa0", "\u2028", "\ufeff"),
        *("\ud800", "\ue000", "\ufffe", "\U0001f600", "\U0010ffff", "k: v\n", 'q: "a: b"\n'),
    ]
)
SCALARS = st.sampled_from(
    [
        "Two words",
        "a:b",
        "c#d",
        "https://x.example/?y=1&z",
        '"e, f"',
        "'it is'",
        "",
        "x  ",
        "é",
        "_",
    ]
)
LISTS = st.lists(SCALARS, max_size=3).map(lambda items: f"[{', '.join(items)}]")
LINES = st.lists(SCALARS.map(lambda item: f"- {item}"), min_size=1, max_size=3)
VALUES = st.one_of(
    SCALARS,
    LISTS,
    LINES.map(lambda lines: "\n" + "\n".join(lines)),
    LINES.map(lambda lines: "\n  " + "\n  ".join(lines)),
    SCALARS.map(lambda value: f"\n  html: {value}\n  text: /b"),
)
FIELDS = st.tuples(st.sampled_from(["a", "tags", "updated_at", "x-y", "null"]), VALUES)
BLOCKS = st.lists(FIELDS.map(lambda field: f"{field[0]}: {field[1]}\n"), max_size=5).map("".join)


def by_library(block: str) -> object:
    return yaml.load(block, Loader=yaml.CBaseLoader) or {}  # noqa: S506  - builds only strings


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=12).map("".join) | BLOCKS | st.tuples(BLOCKS, PIECES).map("".join))
@example("a: b\na:\n- c\n")
@example("a: x\na:\n")
@example(f"{'k' * 1100}: v\n")
def test_what_is_read_is_what_the_library_reads(block: str) -> None:
    fields = read_plain(block)
    assert fields is None or fields == by_library(block)


@pytest.mark.parametrize(
    "block",
    [
        "",
        "title: Two words\nupdated_at: 2026-06-19 08:09:44.166750+00:00\n",
        "title: \"Live: the vote\"\nsummary: 'a # b'\nempty:\n",
        'topics: ["ai, law", b]\nentities:\n  - Alibaba Cloud\n  - "x"\nnone: []\n',
        "entities:\n- 歴史\n- “b”\nlang: en \n",
        'alternates:\n  html: https://x.example/a\n  text: "/a.txt"\nlang: en\n',
    ],
)
def test_usual_blocks_need_no_library(block: str) -> None:
    assert read_plain(block) == by_library(block)


@pytest.mark.parametrize(
    "block",
    [
        "a: b: c\n",
        "a: &x b\n",
        "a: |\n  b\n",
        "a:\n  b:\n    c: d\n",
        "a:\n  b: c\n   d: e\n",
        "# note\n",
        "a: b\n  c\n",
    ],
)
def test_more_than_plain_lines_is_left_to_the_library(block: str) -> None:
    assert read_plain(block) is None
