"""The content digest changes with the words and with nothing else."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from crawler.digest import content_digest, normal_text
from crawler.facts import Facts
from storage.model import Stamp

FACTS = Facts(
    source="markdown",
    extractor="markdown/1",
    title="A title",
    summary="A summary",
    body="See [this](https://example.org/a?id=1).\n\nSecond.",
    authors=("Ann", "Ben"),
    published_at=Stamp(at=datetime(2026, 6, 19, 8, 9, tzinfo=UTC), unit="minute", offset=0),
)


def digest(**changes: object) -> str:
    found = content_digest(structs.replace(FACTS, **changes))
    assert found is not None
    return found.digest


def test_names_its_extractor_and_hashes_with_sha256() -> None:
    found = content_digest(FACTS)
    assert found is not None
    assert found.extractor == "markdown/1+1"
    assert len(found.digest) == 64


def test_is_part_of_the_format_and_stays() -> None:
    facts = Facts(source="text", extractor="text/1", title="é", body="a  b\n")
    found = content_digest(facts)
    assert found is not None
    written = b"title 2\n\xc3\xa9summary 0\nwords 3\na b"
    assert found.digest == hashlib.sha256(written).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Another"},
        {"summary": None},
        {"authors": ("Ann",)},
        {"authors": ("Ben", "Ann")},
        {"body": "See [this](https://example.org/b?id=1).\n\nSecond."},
        {"published_at": Stamp(at=datetime(2026, 6, 20, tzinfo=UTC), unit="day")},
        {"title": "A title A summary", "summary": ""},
    ],
)
def test_changes_with_the_words(changes: dict[str, object]) -> None:
    assert digest(**changes) != digest()


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "See  [this](https://example.org/a?id=1). Second.\n"},
        {"body": "See [this](https://example.org/a?id=1&utm_source=x).\n\nSecond."},
        {"updated_at": Stamp(at=datetime(2026, 7, 1, tzinfo=UTC), unit="second", offset=0)},
        {"topics": ("a",), "lang": "en", "slug": "x", "canonical": "https://example.org/"},
        {
            "published_at": Stamp(
                at=datetime(2026, 6, 19, 8, 9, 44, tzinfo=UTC), unit="second", offset=120
            )
        },
    ],
)
def test_stays_through_what_is_no_edit(changes: dict[str, object]) -> None:
    assert digest(**changes) == digest()


def test_composed_and_decomposed_letters_are_one() -> None:
    assert digest(title="Café") == digest(title="Cafe\u0301")


def test_words_stand_for_the_body_where_both_are_given() -> None:
    assert digest(words="x", body="y") == digest(words="x", body="z")


def test_there_is_none_without_title_or_words() -> None:
    assert content_digest(Facts(source="other", extractor="none/1", summary="x")) is None


@given(st.text())
def test_normal_text_is_stable(text: str) -> None:
    assert normal_text(normal_text(text)) == normal_text(text)
