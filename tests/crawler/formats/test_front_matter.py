"""The block of fields before a document's words: YAML, TOML, JSON, and none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.formats.front_matter import MAX_DEPTH, split_front_matter


def test_yaml_values_keep_their_writing() -> None:
    parts = split_front_matter(
        "---\ntitle: 1984\nupdated_at: 2026-06-19 09:13:50.166750+00:00\ndraft: no\n"
        "tags: [a, b]\nempty:\nnothing: null\n---\n\nText\n"
    )
    assert parts.fields == {
        "title": "1984",
        "updated_at": "2026-06-19 09:13:50.166750+00:00",
        "draft": "no",
        "tags": ["a", "b"],
    }
    assert parts.rest == "\nText\n"


def test_toml_and_json_blocks() -> None:
    toml = split_front_matter('+++\ntitle = "T"\ndate = 2024-01-01T10:00:00+02:00\n+++\nText')
    assert toml.fields == {"title": "T", "date": "2024-01-01T10:00:00+02:00"}
    as_json = split_front_matter('{"title": "T"}\n\nText')
    assert (as_json.fields, as_json.rest) == ({"title": "T"}, "\nText")


@pytest.mark.parametrize(
    "text",
    ["Text", "", "---", "---\nno end", "---\n\nA paragraph between rules.\n\n---\n", "{% raw %}x"],
)
def test_a_document_without_fields_is_all_text(text: str) -> None:
    parts = split_front_matter(text)
    assert (parts.fields, parts.rest, parts.findings) == ({}, text, ())


def test_an_empty_block_is_taken_off() -> None:
    assert split_front_matter("---\n---\nText").rest == "Text"


def test_a_broken_block_is_read_line_by_line_with_a_finding() -> None:
    parts = split_front_matter("---\ntitle: Live: the vote\nslug: 'a'\nslug: b\n---\nText")
    assert parts.fields == {"title": "Live: the vote", "slug": "a"}
    assert parts.rest == "Text"
    assert [finding.kind for finding in parts.findings] == ["front-matter"]


@pytest.mark.parametrize(
    "block",
    [
        "- " * 20_000,
        "[" * 50_000,
        "a: " + "{a: " * 20_000,
        "a: &a [x]\n" + "".join(f"k{i}: [*a, *a]\n" for i in range(500)),
        "a: !!python/object/apply:os.system [x]",
        "? [a]\n: b",
        "a: x" + " " * 100_000 + "y\nb: [",
    ],
)
def test_hostile_yaml_builds_nothing_and_ends_soon(block: str) -> None:
    parts = split_front_matter(f"---\n{block}\n---\nText")
    assert parts.rest.endswith("Text")


@given(st.text(alphabet="-+{}[]:ab\n \t'\"&*!#|>%", max_size=60))
def test_never_raises_and_never_loses_the_rest(text: str) -> None:
    parts = split_front_matter("---\n" + text + "\n---\nEND")
    assert parts.rest.endswith("END")


@pytest.mark.parametrize(
    "key", ["a" + ".a" * 60_000, '"a"' + '."a"' * 30_000, "a" + " . a" * 20_000]
)
def test_dotted_keys_without_end_are_not_read_as_toml(key: str) -> None:
    front = split_front_matter(f"+++\n{key} = 1\n+++\nrest")
    assert front.rest == "rest"
    assert [each.kind for each in front.findings] == ["front-matter"]


NESTS = {
    "lists in a line": lambda depth: "- " * depth + "x",
    "keys in a line": lambda depth: "? " * depth + "x",
    "mappings": lambda depth: "".join(f"{' ' * at}a:\n" for at in range(depth)) + " " * depth + "x",
    "brackets": lambda depth: "[" * depth + "]" * depth,
    "braces": lambda depth: "{a: " * depth + "}" * depth,
    "pairs in brackets": lambda depth: (
        '["a":' * (depth // 2) + "[" * (depth % 2) + "]" * -(-depth // 2)
    ),
}


@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS.keys())
def test_no_way_of_nesting_gets_past_the_bound(nest: Callable[[int], str]) -> None:
    def detail(depth: int) -> str:
        findings = split_front_matter(f"---\n{nest(depth)}\n---\n").findings
        return findings[0].detail if findings else ""

    assert "nests deeper" not in detail(MAX_DEPTH)
    assert "nests deeper" in detail(MAX_DEPTH + 1)
