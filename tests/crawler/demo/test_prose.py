"""The newsroom's small Markdown: what its blocks are, as HTML and as plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.demo.prose import blocks, to_html, to_text

TEXT = """## A head

First line
and its second.

- one
- **two**

> said *so*
> and `so`

See [the page](https://a.example/x?y&z).
"""


def test_a_text_is_split_at_its_empty_lines() -> None:
    assert [(block.kind, len(block.lines)) for block in blocks(TEXT)] == [
        ("heading", 1), ("paragraph", 2), ("list", 2), ("quote", 2), ("paragraph", 1),
    ]  # fmt: skip


def test_each_block_is_a_line_of_html() -> None:
    assert to_html(TEXT).splitlines() == [
        "<h2>A head</h2>",
        "<p>First line and its second.</p>",
        "<ul><li>one</li><li><strong>two</strong></li></ul>",
        "<blockquote><p>said <em>so</em> and <code>so</code></p></blockquote>",
        '<p>See <a href="https://a.example/x?y&amp;z">the page</a>.</p>',
    ]


def test_plain_text_has_the_words_alone() -> None:
    assert to_text(TEXT) == (
        "A head\n\nFirst line and its second.\n\n- one\n- two\n\nsaid so and so\n\nSee the page."
    )


@pytest.mark.parametrize(("marks", "level"), [("#", 2), ("##", 2), ("####", 4), ("######", 6)])
def test_the_pages_own_title_is_its_only_h1(marks: str, level: int) -> None:
    assert to_html(f"{marks} Head") == f"<h{level}>Head</h{level}>"


@pytest.mark.parametrize("text", ["####### seven", "- one\ntwo", "> one\ntwo", "#no space"])
def test_what_is_half_a_block_of_another_kind_is_a_paragraph(text: str) -> None:
    assert [block.kind for block in blocks(text)] == ["paragraph"]


@given(st.text(st.characters(exclude_characters="[]()*`", exclude_categories=["Cc", "Cs"])))
def test_no_text_becomes_markup(text: str) -> None:
    body = LexborHTMLParser(to_html(text)).body
    assert body is not None
    kinds = {"p", "h2", "h3", "h4", "h5", "h6", "ul", "li", "blockquote"}
    assert {node.tag for node in body.css("*") if node.tag != "body"} <= kinds


@pytest.mark.parametrize(
    ("markdown_text", "html_text", "plain"),
    [
        ("# A & B", "<h2>A &amp; B</h2>", "A & B"),
        ("one\ntwo", "<p>one two</p>", "one two"),
        ("- a\n- *b*", "<ul><li>a</li><li><em>b</em></li></ul>", "- a\n- b"),
        ("> “q”", "<blockquote><p>“q”</p></blockquote>", "“q”"),
        ("[a](http://x/?b=1&c)", '<p><a href="http://x/?b=1&amp;c">a</a></p>', "a"),
        ("**b** `c<d`", "<p><strong>b</strong> <code>c&lt;d</code></p>", "b c<d"),
        ("a\n\n \n\n### b", "<p>a</p>\n<h3>b</h3>", "a\n\nb"),
        ("", "", ""),
    ],
)
def test_prose(markdown_text: str, html_text: str, plain: str) -> None:
    assert to_html(markdown_text) == html_text
    assert to_text(markdown_text) == plain
