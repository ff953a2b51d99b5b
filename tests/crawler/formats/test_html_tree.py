"""The depth of a page is bounded before its tree is built, and no honest page is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.facts import Malformed
from crawler.formats.html_tree import (
    FEW_TAGS,
    MAX_NAMES,
    MAX_NODES,
    TOO_MANY,
    check_depth,
    parse_page,
    parse_tree,
    resolve,
)
from crawler.urls import normalise

#: Enough text-level tags that no page slips by uncounted.
PAD = b"<br>" * (FEW_TAGS + 1)


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 3_000,
        b'<div a="</div>">' * 3_000,
        b"<div a='</div>'>" * 3_000,
        b"<div a=</div>" * 3_000,
        b"<!-->" + b"<div>" * 3_000 + b"-->",
        b"<svg><style>" + b"<g>" * 3_000,
        b"<svg>" + b"<g><![CDATA[</g>]]>" * 3_000,
        b"<div><table></div></table>" * 3_000,
        b"<span><div></span></div>" * 3_000,
        b"<script></script>" + b"<section>" * 3_000,
        b"<script><!--<script></script>" + b"<div>" * 3_000,
    ],
)
def test_deep_pages_are_refused_however_they_hide_it(body: bytes) -> None:
    with pytest.raises(Malformed, match="nests deeper"):
        check_depth(PAD + body)


def test_formatting_that_multiplies_is_refused() -> None:
    body = b"".join(b"<p><b id=%d></p>" % n for n in range(2_000)) + b"<p>" * 3_000
    with pytest.raises(Malformed, match=r"without end|nests deeper"):
        check_depth(PAD + body)


@pytest.mark.parametrize(
    "body",
    [
        b"<p>text" * 5_000,
        b"<ul>" + b"<li><a href=x>y</a><p>z" * 5_000 + b"</ul>",
        b"<table>" + b"<tr><td>x<td>y" * 5_000 + b"</table>",
        b"<dl>" + b"<dt>x<dd>y" * 3_000 + b"</dl>",
        b"<select>" + b"<option>x" * 5_000 + b"</select>",
        b"<svg><path d=x /></svg>" * 5_000,
        b'<script>x = "<div>"</script>' * 5_000,
        b"<!-- <div> -->" * 5_000,
        b"<p><b>never closed</p>" * 2_500,
        b"<div><span>never closed</div>" * 2_500,
        b"<title><div></title><textarea><div></textarea>" * 5_000,
        b"<div><img><br/><input></div>" * 5_000,
    ],
)
def test_long_flat_pages_pass(body: bytes) -> None:
    check_depth(PAD + body)


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<a '",
        '<a b="',
        "<!--",
        "</",
        "<a/",
        "<a =",
        "<![CDATA[",
        "</b>",
        "<svg><style>",
        "<svg><style/>",
        "<svg><style/></svg>",
        "<svg><g/><![CDATA[</svg>",
    ],
)
def test_hostile_markup_takes_linear_time(piece: str) -> None:
    try:
        check_depth(PAD + piece.encode() * 50_000)
    except Malformed:
        return


_TAGS = [
    "<div>", "</div>", "<p>", "</p>", "<b>", "</b>", "<span>", "</span>", "<table>", "</table>",
    "<td>",    "<svg>", "</svg>", "<g/>", "<style>", "</style>", "<ul>", "</ul>", "<li>",
    "<select>",
    "</select>",    "<!--", "-->", "<a x='", "'>", "<form>", "</form>", "<title>", "</title>", "x",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(_TAGS), min_size=2, max_size=6))
@example(["<form>", "<b>", "</form>"])
def test_what_passes_stays_within_twice_the_bound(piece: list[str]) -> None:
    html = "".join(piece) * 3_000
    try:
        check_depth(html.encode())
    except Malformed:
        return
    assert _deepest(LexborHTMLParser(html)) <= 2 * FEW_TAGS


def _deepest(tree: LexborHTMLParser) -> int:
    node, depth, deepest = tree.root, 0, 0
    while node is not None:
        deepest = max(deepest, depth)
        if node.first_child is not None:
            node, depth = node.first_child, depth + 1
            continue
        while node is not None and node.next is None:
            node, depth = node.parent, depth - 1
        node = node.next if node is not None else None
    return deepest


def test_a_tree_is_built_of_what_passes() -> None:
    assert parse_tree("<p>x").body is not None


@pytest.mark.parametrize("base", ["https://example.org/a/b?c", "http://127.0.0.1:8080/"])
@pytest.mark.parametrize(
    "href",
    ["/x", "//h/x", "/\\h", "x", "?q", "", "https://h/x", "https:x", "mailto:a@b", "/\t/h", "../x"],
)
def test_remembered_addresses_are_the_same_as_fresh_ones(href: str, base: str) -> None:
    for _ in range(2):
        assert resolve(href, base) == normalise(href, base)


@pytest.mark.parametrize("value", ["", "=1", "='>'", '="<"'])
def test_a_tag_with_thousands_of_attributes_is_refused_before_a_tree_is_built(value: str) -> None:
    attributes = " ".join(f"a{number}{value}" for number in range(20_000))
    with pytest.raises(Malformed, match="attributes"):
        check_depth(f"<html><body><p {attributes}>words</p>".encode())


@pytest.mark.parametrize("shape", ["<x{0}></x{0}>", "<p a{0}>", "<svg><g a{0}=1 /></svg>"])
def test_thousands_of_made_up_names_are_refused_before_a_tree_is_built(shape: str) -> None:
    names = "".join(shape.format(number) for number in range(MAX_NAMES + 1))
    with pytest.raises(Malformed, match="different names"):
        check_depth(names.encode())


def test_few_tags_with_hundreds_of_names_each_are_counted() -> None:
    tags = "".join(f"<p {' '.join(f'a{n}x{m}' for m in range(900))}>" for n in range(10))
    with pytest.raises(Malformed, match="different names"):
        check_depth(tags.encode())


@pytest.mark.parametrize("piece", ["<br>", "</p>", "<?>", "</ >", "<!x>", "<!---->", "<p a b c>"])
def test_a_page_of_too_many_nodes_is_read_up_to_there(piece: str) -> None:
    page = "<p>first</p>" + piece * MAX_NODES + "<p>last</p>"
    tree, findings = parse_page(page)
    assert findings == (TOO_MANY,)
    read = tree.html or ""
    assert "first" in read
    assert "last" not in read


def test_words_in_a_script_are_no_attributes() -> None:
    check_depth(b"<script>" + b"if (a <b c d e " * 5_000 + b"</script><p>words</p>")
