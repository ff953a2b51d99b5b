"""Manifests as JSON: they come back as they were, and hostile bytes get the one error."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from storage.manifest import (
    MAX_MANIFEST,
    MAX_NUMBER,
    ManifestError,
    NewerManifest,
    decode,
    encode,
)
from storage.model import (
    FORMAT_VERSION,
    ContentDigest,
    Finding,
    Key,
    Manifest,
    Record,
    RecordRef,
    Representation,
)
from tests.storage.drafts import article
from tests.storage.segment_samples import NOON, manifest

moments = st.datetimes(
    min_value=datetime(1990, 1, 1),
    max_value=datetime(2062, 1, 1),
    timezones=st.just(UTC),
)
words = st.text(max_size=20)
digests = st.builds(ContentDigest, digest=words, extractor=words)
records = st.builds(
    Record,
    slug=words,
    url=words,
    body_md=st.none() | words,
    updated_at=st.none() | moments,
    topics=st.lists(words, max_size=3).map(tuple),
    alternates=st.dictionaries(words, words, max_size=3),
)
representations = st.builds(
    Representation,
    format=words,
    url=words,
    final_url=words,
    status=st.integers(100, 599),
    media_type=words,
    digest=words,
    length=st.integers(0, 1 << 40),
    fetched_at=moments,
    etag=st.none() | words,
    particulars=st.dictionaries(words, words | st.integers(-MAX_NUMBER, MAX_NUMBER), max_size=2),
)
manifests = st.builds(
    Manifest,
    site=words.map(lambda text: f"s{text}".translate(dict.fromkeys(map(ord, "/\\\0"), "~"))),
    scope=words,
    slug=words,
    url=words,
    sequence=st.integers(1, 1 << 40),
    observed_at=moments,
    run=words,
    key=st.none()
    | st.builds(Key, updated_at=moments, unit=st.just("day"), source=st.just("sitemap")),
    record=st.none() | records,
    content=st.dictionaries(words, digests, max_size=2),
    representations=st.lists(representations, max_size=3).map(tuple),
    findings=st.lists(st.builds(Finding, kind=words, detail=words), max_size=2).map(tuple),
    event=st.none() | st.just("gone"),
)


@settings(max_examples=150, deadline=None)
@given(manifests)
def test_round_trip_and_the_same_bytes_again(value: Manifest) -> None:
    data = encode(value)
    assert decode(data) == value
    assert encode(decode(data)) == data
    assert b"\n" not in data


def test_every_key_is_written_and_the_version_first() -> None:
    written = json.loads(encode(manifest()))
    assert tuple(written) == Manifest.__struct_fields__
    assert next(iter(written)) == "format"
    assert (written["kind"], written["revision"], written["state"]) == ("snapshot", 0, "complete")
    assert written["observed_at"].endswith("Z")


def test_a_newer_version_is_refused_and_an_unknown_key_passed_over() -> None:
    data = json.loads(encode(manifest()))
    assert decode(json.dumps(data | {"mood": {"deep": [1]}}).encode()) == manifest()
    with pytest.raises(NewerManifest, match=str(FORMAT_VERSION + 1)):
        decode(json.dumps({"format": FORMAT_VERSION + 1, "other": "shape"}).encode())
    del data["format"]
    with pytest.raises(ManifestError):
        decode(json.dumps(data).encode())


def test_a_number_that_not_every_reader_takes_is_refused_both_ways() -> None:
    draft = article(particulars={"pages": MAX_NUMBER}).manifest
    data = encode(draft)
    assert decode(data) == draft
    with pytest.raises(ManifestError, match="pages"):
        decode(data.replace(str(MAX_NUMBER).encode(), b"-1" + b"0" * 30))
    with pytest.raises(ManifestError, match="pages"):
        encode(article(particulars={"pages": MAX_NUMBER + 1}).manifest)


def test_a_moment_that_is_not_in_utc_is_refused_both_ways() -> None:
    eastern = NOON.astimezone(timezone(timedelta(hours=-4)))
    with pytest.raises(ManifestError, match="UTC"):
        encode(structs.replace(manifest(), observed_at=eastern))
    with pytest.raises(ManifestError, match="UTC"):
        encode(structs.replace(manifest(), observed_at=NOON.replace(tzinfo=None)))
    naive = encode(manifest()).replace(b'250000Z","run"', b'250000","run"')
    with pytest.raises(ManifestError, match="UTC"):
        decode(naive)


@pytest.mark.parametrize("length", [0, -1, 1 << 31])
def test_a_record_of_no_possible_length_is_refused(length: int) -> None:
    ref = RecordRef(id="urn:uuid:1", type="response", role="html", length=length)
    with pytest.raises(ManifestError, match="length"):
        encode(structs.replace(manifest(), records=(ref,)))


def test_a_crowd_of_records_and_twins_are_refused() -> None:
    ref = RecordRef(id="urn:uuid:1", type="response", role="html", length=9)
    with pytest.raises(ManifestError, match="one id"):
        encode(structs.replace(manifest(), records=(ref, ref)))
    crowd = tuple(structs.replace(ref, id=str(n)) for n in range(1001))
    with pytest.raises(ManifestError, match="1001 records"):
        encode(structs.replace(manifest(), records=crowd))


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(ManifestError, match="Unicode"):
        encode(structs.replace(manifest(), slug="half a pair \ud800"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_other_bytes_are_no_manifest(data: bytes) -> None:
    with pytest.raises(ManifestError):
        decode(data)


def test_nesting_without_end_is_no_manifest() -> None:
    deep = b'{"format":1,"x":' + b"[" * 100_000
    with pytest.raises(ManifestError):
        decode(deep)
    assert msgspec.json.decode(encode(manifest()))


def test_more_than_a_manifest_may_have_is_neither_written_nor_read() -> None:
    record = Record(slug="a", url="https://a/", body_md="x" * MAX_MANIFEST)
    with pytest.raises(ManifestError, match="more than"):
        encode(structs.replace(manifest(), record=record))
    with pytest.raises(ManifestError, match="more than"):
        decode(b" " * (MAX_MANIFEST + 1))


def test_a_second_version_behind_the_first_counts() -> None:
    data = encode(manifest())
    assert data.startswith(b'{"format":')
    twice = data[:-1] + b',"format":99}'
    with pytest.raises(ManifestError):
        decode(twice)
