"""The vocabulary: values that never change, and what they look like when written down."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from msgspec import Struct, structs

from storage.model import (
    DECLARED_SOURCES,
    Draft,
    EntryState,
    EventKind,
    Finding,
    Key,
    KeySource,
    Manifest,
    Reason,
    Record,
    Site,
    Stamp,
    Validator,
)
from tests.storage.drafts import SEEN, UPDATED, article

SAMPLE = article(findings=(Finding(kind="date-only"),)).manifest
WRITTEN: tuple[Struct, ...] = (
    Stamp(at=UPDATED, unit="day", offset=120),
    Record(slug="a", url="https://news.example/a"),
    Key(updated_at=UPDATED, unit="second", source="html"),
    SAMPLE,
    SAMPLE.representations[0],
    SAMPLE.findings[0],
    Site(name="news.example", scope="https://news.example/"),
    EntryState(site="s", url="u", verdict="article", checked_at=SEEN, run="r"),
    Validator(url="u", etag='"1"', digest="d"),
)
#: What is handed over and never written as it is.
HANDED_OVER: tuple[Struct, ...] = (Draft(manifest=SAMPLE), article().payloads[0])


@pytest.mark.parametrize("value", [*WRITTEN, *HANDED_OVER], ids=lambda value: type(value).__name__)
def test_no_value_changes_once_it_is_made(value: Struct) -> None:
    name = value.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(value, name, None)


@pytest.mark.parametrize("value", WRITTEN, ids=lambda value: type(value).__name__)
def test_every_value_comes_back_from_its_json_as_it_was(value: Struct) -> None:
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value


def test_a_record_has_the_keys_of_the_contract_in_their_order_whatever_is_known() -> None:
    record = Record(slug="a", url="https://news.example/a")
    assert list(msgspec.to_builtins(record)) == [
        "slug",
        "title",
        "summary",
        "body_md",
        "url",
        "canonical_source",
        "published_at",
        "updated_at",
        "lang",
        "topics",
        "entities",
        "alternates",
    ]


def test_parts_of_a_manifest_leave_out_what_nobody_said() -> None:
    assert msgspec.to_builtins(Finding(kind="date-only")) == {"kind": "date-only"}
    stamp = Stamp(at=UPDATED, unit="second")
    assert msgspec.to_builtins(stamp).keys() == {"at", "unit"}


@pytest.mark.parametrize("source", get_args(KeySource))
def test_a_key_is_declared_where_a_format_states_it_as_the_update_time(source: KeySource) -> None:
    key = Key(updated_at=UPDATED, unit="second", source=source)
    assert key.declared is (source in {"record", "json", "jsonld", "markdown", "html"})


def test_declared_sources_stand_in_the_order_of_trust() -> None:
    assert get_args(KeySource)[: len(DECLARED_SOURCES)] == DECLARED_SOURCES


def test_a_format_is_found_by_its_name_or_not_at_all() -> None:
    shown = SAMPLE.representation("markdown")
    assert shown is not None
    assert shown.url == "https://news.example/news/story.md"
    assert SAMPLE.representation("pdf") is None


def test_reasons_and_events_are_those_of_the_contract() -> None:
    assert set(get_args(Reason)) == {
        "first",
        "edit",
        "silent-edit",
        "same-day",
        "undated",
        "completed",
        "format-added",
        "format-removed",
        "reverted",
    }
    assert set(get_args(EventKind)) == {
        "gone-seen",
        "gone",
        "returned",
        "moved",
        "alias",
        "slug-assigned",
        "forgotten",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", "because"), ("state", "half"), ("event", "lost"), ("sequence", "1")],
)
def test_what_is_no_word_of_ours_is_not_read(field: str, value: str) -> None:
    written = msgspec.to_builtins(SAMPLE) | {field: value}
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.convert(written, type=Manifest)


def test_a_mapping_is_no_other_values() -> None:
    one, other = (Record(slug=slug, url="u") for slug in "ab")
    assert one.alternates is not other.alternates
    assert structs.replace(one, title="A").title == "A"
