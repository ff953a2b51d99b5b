"""Records files: every shape they come in, and a sentence with the line for what is wrong."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.records import RecordHint, RecordsError, parse_records
from storage.model import Record

URL = "https://example.org/news/bridge-opens"
SEED = {
    "slug": "bridge-opens",
    "title": "Bridge opens",
    "summary": "It opened.",
    "body_md": "### It\n\nopened.",
    "url": URL,
    "canonical_source": "https://example.net/bridge",
    "published_at": "2026-06-19 08:09:44+00:00",
    "updated_at": "2026-06-19 09:13:50.166750+00:00",
    "lang": "en",
    "topics": ["bridges"],
    "entities": ["The Bridge", "Paper"],
    "alternates": {"html": URL, "markdown": f"{URL}.md", "jsonld": f"{URL}.jsonld"},
}
RECORD = Record(
    slug="bridge-opens",
    title="Bridge opens",
    summary="It opened.",
    body_md="### It\n\nopened.",
    url=URL,
    canonical_source="https://example.net/bridge",
    published_at=datetime(2026, 6, 19, 8, 9, 44, tzinfo=UTC),
    updated_at=datetime(2026, 6, 19, 9, 13, 50, 166750, tzinfo=UTC),
    lang="en",
    topics=("bridges",),
    entities=("The Bridge", "Paper"),
    alternates={"html": URL, "markdown": f"{URL}.md", "jsonld": f"{URL}.jsonld"},
)


def parse(text: str) -> tuple[RecordHint, ...]:
    return parse_records(text.encode(), "r.json")


def lines(text: str) -> list[tuple[str, int]]:
    return [(hint.url.removeprefix("https://example.org/"), hint.line) for hint in parse(text)]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SEED),
        json.dumps(SEED) + "\n",
        "\ufeff" + json.dumps(SEED),
        json.dumps(SEED, indent=2),
        json.dumps([SEED]),
        json.dumps([SEED], indent=2),
        json.dumps({"count": 1, "articles": [SEED]}),
        json.dumps({"meta": {"x": []}, "records": [SEED]}, indent=1),
        json.dumps({**SEED, "unknown": {"a": [1]}}),
        json.dumps(SEED) + "\r\n\r\n" + json.dumps(SEED) + "\r\n",
    ],
)
def test_a_seed_shaped_record_is_read_in_every_wrapping(text: str) -> None:
    (hint,) = parse(text)
    assert (hint.record, hint.url) == (RECORD, URL)
    assert hint.updated is not None
    assert hint.updated.unit == "microsecond"
    assert hint.published is not None
    assert hint.published.unit == "second"


def test_every_article_knows_its_line() -> None:
    one, two = ({"url": f"https://example.org/{name}"} for name in "ab")
    assert lines(json.dumps([one, two], indent=1)) == [("a", 2), ("b", 5)]
    assert lines(f"[{json.dumps(one)},\n\n {json.dumps(two)}]") == [("a", 1), ("b", 3)]
    assert lines(f"\n{json.dumps(one)}\n\n{json.dumps(two)}\n") == [("a", 2), ("b", 4)]
    assert lines(json.dumps({"x": 1, "items": [one, two]}, indent=1)) == [("a", 4), ("b", 7)]


def test_a_list_of_urls_may_hold_comments_and_blank_lines() -> None:
    text = "# mine\n\nhttps://example.org/a\r\n  HTTPS://EXAMPLE.org/b#x \nhttps://example.org/a\n"
    assert lines(text) == [("a", 3), ("b", 4)]
    assert parse(text)[0].record is None
    assert lines('["https://example.org/a",\n"https://example.org/b"]') == [("a", 1), ("b", 2)]
    assert lines('"https://example.org/a"\n"https://example.org/b"') == [("a", 1), ("b", 2)]


def test_a_record_may_lack_everything_but_an_address() -> None:
    (hint,) = parse(json.dumps({"alternates": {"html": URL, "markdown": None}, "slug": None}))
    assert hint == RecordHint(
        record=Record(slug="", url=URL, alternates={"html": URL}), url=URL, line=1
    )


def test_a_date_keeps_the_exactness_it_was_written_in() -> None:
    (hint,) = parse(json.dumps({"url": URL, "updated_at": "2026-06-19", "published_at": ""}))
    assert hint.updated is not None
    assert (hint.updated.unit, hint.updated.offset, hint.published) == ("day", None, None)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('[{"url": "https://example.org/a"},\n{"slug": "x"}]', 2, '"url"'),
        ('{"url": 5}', 1, '"url" must be a string, not 5'),
        ('{"url": "example.org/a"}', 1, "http:// or https://"),
        (f'{{"url": "{URL}", "canonical_source": "x"}}', 1, "canonical_source"),
        (f'{{"url": "{URL}"}}\n{{"url": "{URL}", "title": ["x"]}}', 2, '"title"'),
        (f'{{"url": "{URL}", "topics": "x"}}', 1, '"topics" must be a list of strings'),
        (f'{{"url": "{URL}", "entities": [1]}}', 1, '"entities"'),
        (f'{{"url": "{URL}", "alternates": ["x"]}}', 1, '"alternates"'),
        (f'{{"url": "{URL}", "alternates": {{"html": 1}}}}', 1, '"html"'),
        (f'{{"url": "{URL}", "alternates": {{"html": "x"}}}}', 1, "alternates.html"),
        (f'{{"url": "{URL}", "updated_at": "03/04/2026"}}', 1, '"updated_at".*03/04/2026'),
        (f'{{"url": "{URL}", "updated_at": 5}}', 1, '"updated_at" must be a string'),
        ("[1]", 1, "JSON object or a URL"),
        ('["x"]', 1, "http:// or https://"),
        ("https://example.org/a\nexample.org/b\n", 2, "http:// or https://"),
        ('[\n{"url": "https://example.org/a"},\n{"url": }]', 3, "no JSON"),
        ('{"url": "https://example.org/a"}\n{"url": "https', 2, "ends too early"),
        ('[\n{"url": "https://example.org/a"}\n', 2, "ends too early"),
        ('{\n"url": "https://example.org/a",,\n}', 2, "no JSON"),
        ('[{"url": "https://example.org/a"}]\n]', 2, "no JSON"),
        ("[" * 100_000, 1, "nested too deep"),
        ('{"a":' * 100_000, 1, "nested too deep|too early"),
        ("<html>", 1, "http:// or https://"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(RecordsError, match=rf"^r\.json, line {line}: .*({what})"):
        parse(text)


def test_bytes_that_are_no_utf8_are_named_with_their_line() -> None:
    with pytest.raises(RecordsError, match=r"^r\.json, line 2: .*UTF-8"):
        parse_records(b'[\n"\xe9"]', "r.json")


@pytest.mark.parametrize("text", ["", " \n", "[]", "# nothing\n", '{"articles": []}'])
def test_a_file_without_articles_is_an_error(text: str) -> None:
    with pytest.raises(RecordsError, match=r"^r\.json: no article"):
        parse(text)


PIECES = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"url"',
    '"https://x.org/"',
    "https://x.org/",
    "\n",
    "1",
    '"',
]


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20).map("".join)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(st.sampled_from([*SEED, "articles", "x"]), x, max_size=4)
        ),
    ).map(json.dumps)
)
def test_any_text_gives_articles_or_a_records_error(text: str) -> None:
    with contextlib.suppress(RecordsError):
        assert parse_records(text.encode("utf-8", "surrogatepass"), "r.json")


WORDS = st.text(max_size=20)
TIMES = st.datetimes(min_value=datetime(1900, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@settings(max_examples=100)
@given(
    st.builds(
        Record,
        slug=WORDS,
        title=st.none() | WORDS,
        url=st.just(URL),
        updated_at=st.none() | TIMES,
        topics=st.lists(WORDS, max_size=3).map(tuple),
    )
)
def test_a_record_written_as_json_comes_back(record: Record) -> None:
    text = json.dumps(msgspec.to_builtins(record))
    assert [hint.record for hint in parse(text)] == [record]
