"""Markdown documents: front matter to facts, and the words as they stand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.facts import Facts
from crawler.formats.markdown import parse_markdown

URL = "https://example.org/news/a.md"
FULL = """---
title: Rates
slug: rates-1
summary: What moved.
author: Ann Lee
date: 2024-01-01
published_at: 2024-01-01T08:32:00Z
lastmod: 2020-01-01
updated_at: 2026-06-19 09:13:50.166750+00:00
lang: en
topics: [money, banks]
entities:
  - ECB
canonical: https://example.org/news/a
canonical_source: https://other.example/b
alternates:
  html: /news/a
  text: a.txt
---

# Rates

First *words*.

## Second
"""


def read(text: str, url: str = URL) -> Facts:
    return parse_markdown(text.encode(), url, "text/markdown")


def test_reads_every_field() -> None:
    facts = read(FULL)
    assert (facts.title, facts.slug, facts.summary) == ("Rates", "rates-1", "What moved.")
    assert (facts.authors, facts.lang) == (("Ann Lee",), "en")
    assert (facts.topics, facts.entities) == (("money", "banks"), ("ECB",))
    assert facts.canonical == "https://example.org/news/a"
    assert facts.canonical_source == "https://other.example/b"
    assert facts.published_at is not None
    assert facts.published_at.at.hour == 8
    assert facts.updated_at is not None
    assert (facts.updated_at.at.microsecond, facts.updated_at.unit) == (166_750, "microsecond")
    assert [(link.type, link.url) for link in facts.links] == [
        ("text/html", "https://example.org/news/a"),
        ("text/plain", "https://example.org/news/a.txt"),
    ]


def test_the_body_is_the_text_without_a_heading_that_repeats_the_title() -> None:
    facts = read(FULL)
    assert facts.body == "First *words*.\n\n## Second"


def test_another_first_heading_stays() -> None:
    facts = read("---\ntitle: A\n---\n# B\n\nText")
    assert (facts.title, facts.body) == ("A", "# B\n\nText")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The `foo` of [bar](x) \\#1 ##\n\nText", "The foo of bar #1"),
        ("Heading\n=======\n\nText", "Heading"),
        ("# C#\nText", "C#"),
        ("# snake_case_name\nText", "snake_case_name"),
        ("\r\n# *A* and __B__\r\n\r\nText", "A and B"),
    ],
)
def test_without_a_stated_title_the_first_heading_is_it(text: str, title: str) -> None:
    facts = read(text)
    assert (facts.title, facts.body) == (title, "Text")


def test_text_without_heading_has_no_title() -> None:
    facts = read("Text\n\n# Later")
    assert (facts.title, facts.body) == (None, "Text\n\n# Later")


def test_dates_in_the_order_of_trust() -> None:
    facts = read("---\nmodified: 2024-01-01T00:00:00Z\nlastmod: 2024-02-01T00:00:00Z\n---\n")
    assert facts.updated_at is not None
    assert facts.updated_at.at.month == 2


def test_hyphenated_keys_and_other_names_are_known() -> None:
    facts = read("---\ndescription: D\ntags: a, b\nlanguage: de\npubDate: 2024-01-01\n---\n")
    assert (facts.summary, facts.topics, facts.lang) == ("D", ("a", "b"), "de")
    assert facts.published_at is not None
    assert read("---\ncanonical-url: /x\n---\n").canonical == "https://example.org/x"


def test_a_twins_own_address_and_a_credit_are_no_canonical() -> None:
    facts = read("---\nurl: /news/a.md\nsource: Reuters\n---\n# A\n")
    assert (facts.canonical, facts.canonical_source) == (None, None)
    assert read("---\nurl: /news/a\n---\n").canonical == "https://example.org/news/a"


def test_an_unquoted_colon_costs_no_field() -> None:
    facts = read("---\ntitle: Live: the vote\nupdated_at: 2024-01-01T12:11:00Z\n---\n\nText")
    assert facts.title == "Live: the vote"
    assert facts.updated_at is not None
    assert [finding.kind for finding in facts.findings] == ["front-matter"]


@settings(max_examples=150)
@given(st.text(max_size=80), st.sampled_from(["", "---\n", "# ", "+++\n", "{"]))
def test_never_raises(text: str, start: str) -> None:
    assert parse_markdown((start + text).encode("utf-8", "replace"), URL).source == "markdown"


def test_hostile_headings_take_linear_time() -> None:
    for piece in ("*", "`", "[", "![", "_a", "\\", " #"):
        read("# " + piece * 400)
        read(("# " + piece * 50_000) + "\nText")
