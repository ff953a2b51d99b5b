"""What the newsroom writes of a record, the readers of its formats read back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.demo.rendering import html, json_ld, markdown, to_second
from crawler.facts import Facts
from crawler.formats import parse
from storage.model import Record, Stamp

BASE = "https://news.example"
URL = f"{BASE}/news/s"
#: Words as people write them: one line, no markup characters of HTML, which readers undo.
WORDS = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="<>&"), min_size=1
).map(lambda text: f"a {text} b")
NAMES = st.lists(WORDS, unique=True, max_size=4).map(tuple)
TIMES = st.datetimes(datetime(1990, 1, 2), datetime(2026, 1, 1), timezones=st.just(UTC))
RECORDS = st.builds(
    Record,
    slug=st.just("s"),
    url=st.just(URL),
    title=WORDS,
    summary=WORDS,
    body_md=st.lists(WORDS, min_size=1, max_size=4).map("\n\n".join),
    published_at=TIMES,
    updated_at=TIMES,
    lang=st.sampled_from(["en", "de-AT"]),
    topics=NAMES,
    entities=NAMES,
    alternates=st.just({"text": f"{URL}.txt", "jsonld": f"{URL}.jsonld"}),
    canonical_source=st.just("https://wire.example/1"),
)


def read(name: str, text: str) -> Facts:
    return parse(name, text.encode(), URL, "")


def said(facts: Facts, *names: str) -> dict[str, Any]:
    """Return what the facts say under the names of a record's fields."""
    values = {name: getattr(facts, name) for name in names}
    return {n: value.at if isinstance(value, Stamp) else value for n, value in values.items()}


def written(record: Record, *names: str) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


COMMON = ("title", "summary", "published_at", "updated_at", "lang", "canonical_source")


@settings(max_examples=60)
@given(RECORDS)
def test_markdown_gives_every_field_back(record: Record) -> None:
    facts = read("markdown", markdown(record))
    names = (*COMMON, "slug", "topics", "entities")
    assert said(facts, *names) == written(record, *names)
    assert facts.body == record.body_md
    assert {link.url for link in facts.links} == set(record.alternates.values())


@settings(max_examples=60)
@given(RECORDS)
def test_json_ld_gives_every_field_back(record: Record) -> None:
    facts = read("jsonld", json_ld(record, BASE))
    names = (*COMMON, "topics", "entities")
    assert said(facts, *names) == written(record, *names)
    assert facts.canonical == record.url
    assert {link.url for link in facts.links} == set(record.alternates.values())


@settings(max_examples=60)
@given(RECORDS)
def test_html_gives_back_what_it_holds(record: Record) -> None:
    facts = read("html", html(record, BASE))
    assert said(facts, "title", "summary", "lang") == written(record, "title", "summary", "lang")
    assert facts.canonical == record.url
    assert facts.updated_at is not None
    assert to_second(facts.updated_at.at) == to_second(record.updated_at)
    alternates = {link.url for link in facts.links if link.rel == "alternate"}
    assert alternates == {*record.alternates.values(), f"{BASE}/feed.atom"}
