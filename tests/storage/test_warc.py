"""WARC records as made: what every other tool reads in them, and what hostile answers can't do."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import random
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from warcio.archiveiterator import ArchiveIterator

from storage.codings import BytesLike
from storage.manifest import decode
from storage.warc import (
    GZIP_HEADER,
    IDENTICAL,
    NOT_MODIFIED,
    Target,
    build_group,
    build_manifest,
    build_response,
    build_revisit,
    build_warcinfo,
    digest,
    is_digest,
    new_record_id,
    record_ids,
)
from storage.warc_read import read_member
from tests.storage.segment_samples import NOON, group, manifest, payload, store

HEAD = "urn:uuid:00000000-0000-4000-8000-000000000001"
OWN = "urn:uuid:00000000-0000-4000-8000-000000000002"
PROGRAMS = Path(sys.executable).parent


def fields_of(member: bytes) -> dict[str, str]:
    """Return a record's WARC header as any reader has it."""
    (record,) = ArchiveIterator(io.BytesIO(member))
    return dict(record.rec_headers.headers)


def made(**changes: object) -> bytes:
    answer = structs.replace(payload(), **changes)
    return build_response(answer, record_id=OWN, concurrent_to=HEAD).member


def target(body: BytesLike) -> Target:
    return Target(id="urn:uuid:0", url="https://e.org/a b", date=NOON, payload_digest=digest(body))


@given(st.binary(max_size=40))
def test_a_digest_is_sha_1_in_base32(body: bytes) -> None:
    sha1 = hashlib.sha1(body, usedforsecurity=False).digest()
    assert digest(body) == f"sha1:{base64.b32encode(sha1).decode()}"


@pytest.mark.parametrize("size", [0, 2_047, 2_048, 4_094, 4_095, 1 << 16, (1 << 16) + 1])
def test_a_digest_is_of_all_bytes_however_they_are_taken(size: int) -> None:
    body = random.Random(size).randbytes(size)
    sha1 = hashlib.sha1(b"head" + body, usedforsecurity=False).digest()
    assert digest(b"head", body) == f"sha1:{base64.b32encode(sha1).decode()}"
    assert digest(b"head", memoryview(body)) == digest(b"head" + body)


@given(st.binary(max_size=200), st.text("sha1:ABZ27az_ é", max_size=40))
def test_a_digest_is_told_from_any_other_text(body: bytes, other: str) -> None:
    said = digest(body)
    assert is_digest(body, said)
    assert not is_digest(body + b".", said)
    cut = said.removeprefix("sha1:")
    for text in (said.lower(), f" {said}", cut, f"md5:{cut}", other):
        assert not is_digest(body, text)


def test_a_record_id_is_a_uuid_that_nobody_else_has() -> None:
    ids = {uuid.UUID(new_record_id().removeprefix("urn:uuid:")) for _ in range(99)}
    timed = {uuid.UUID(new_record_id(NOON).removeprefix("urn:uuid:")) for _ in range(99)}
    assert len(ids) == len(timed) == 99
    assert {(one.version, one.variant) for one in ids} == {(4, uuid.RFC_4122)}
    assert {(one.version, one.variant) for one in timed} == {(7, uuid.RFC_4122)}
    assert {one.int >> 80 for one in timed} == {int(NOON.timestamp() * 1000)}


def test_ids_of_one_group_are_uuids_that_differ_in_their_end() -> None:
    ids = record_ids(NOON, 1_001)
    assert {uuid.UUID(each.removeprefix("urn:uuid:")).version for each in ids} == {7}
    assert len(set(ids)) == 1_001
    assert len({each[:-4] for each in ids}) == 1
    assert not set(ids) & set(record_ids(NOON, 1_001))


def test_a_response_says_what_it_is() -> None:
    record = read_member(made(), verify=True)
    head = record.head
    assert (head.type, head.id, head.concurrent_to) == ("response", OWN, HEAD)
    assert head.target_uri == "https://example.org/a.html"
    assert head.date == "2026-06-19T12:00:00.250000Z"
    assert (record.status, record.reason, record.body) == (200, "OK", b"<p>words</p>")
    assert head.payload_digest == digest(b"<p>words</p>")


def test_headers_are_true_to_the_stored_bytes() -> None:
    headers = (
        ("Transfer-Encoding", "chunked"),
        ("content-length", "9999"),
        ("Content-Length", "1"),
        ("Connection", "close"),
        ("X-Robots-Tag", "noarchive"),
        ("X-Robots-Tag", "otherbot: none"),
        ("X-Word", "na\udcefve"),
    )
    record = read_member(made(headers=headers))
    assert record.headers == (
        ("X-Robots-Tag", "noarchive"),
        ("X-Robots-Tag", "otherbot: none"),
        ("X-Word", "na\udcefve"),
        ("Content-Length", "12"),
    )


@pytest.mark.parametrize("size", [0, 1, 65_534, 65_535, 65_536, 200_000])
@pytest.mark.parametrize("coded", [False, True])
def test_a_body_of_any_size_comes_back_by_any_gzip(size: int, coded: bool) -> None:
    headers = (("Content-Encoding", "gzip"),) if coded else ()
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    member = made(body=body, headers=headers)
    assert member.startswith(GZIP_HEADER)
    assert gzip.decompress(member).endswith(b"\r\n\r\n" + body + b"\r\n\r\n")
    assert read_member(member, verify=True).body == body


def test_a_spooled_body_is_kept_the_same() -> None:
    assert read_member(made(body=memoryview(b"spooled")), verify=True).body == b"spooled"


def test_text_that_no_server_can_send_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        made(headers=(("X-Half", "\ud800"),))


def test_the_same_record_has_the_same_bytes() -> None:
    assert made() == made()


def test_an_identical_payload_becomes_a_revisit() -> None:
    answer = payload(body=b"same", coded=True)
    built = build_revisit(answer, record_id=OWN, concurrent_to=HEAD, target=target(answer.body))
    record = read_member(built.member, verify=True)
    fields = fields_of(built.member)
    assert (fields["WARC-Type"], fields["WARC-Profile"]) == ("revisit", IDENTICAL)
    assert record.head.refers_to == "urn:uuid:0"
    assert fields["WARC-Refers-To-Target-URI"] == "https://e.org/a%20b"
    assert fields["WARC-Refers-To-Date"] == "2026-06-19T12:00:00.250000Z"
    assert record.head.payload_digest == built.payload_digest == digest(answer.body)
    assert dict(record.headers)["Content-Length"] == str(len(answer.body))
    assert record.body == b""


def test_a_304_becomes_a_revisit_of_its_own_profile() -> None:
    answer = structs.replace(payload(body=b""), status=304, not_modified=True)
    built = build_revisit(answer, record_id=OWN, concurrent_to=HEAD, target=target(b"old"))
    record = read_member(built.member)
    assert (record.status, fields_of(built.member)["WARC-Profile"]) == (304, NOT_MODIFIED)
    assert built.payload_digest == digest(b"old")


def test_a_revisit_of_another_payload_is_refused() -> None:
    with pytest.raises(ValueError, match="is not that of"):
        build_revisit(payload(), record_id=OWN, concurrent_to=HEAD, target=target(b"other"))


def test_a_group_is_its_manifest_and_the_records_it_names() -> None:
    records = [
        build_response(payload(f"f{n}"), record_id=new_record_id(), concurrent_to=HEAD)
        for n in range(3)
    ]
    named, data = build_group(manifest(), record_id=HEAD, records=records)
    assert [ref.id for ref in named.records] == [record.id for record in records]
    first = len(data) - sum(ref.length for ref in named.records)
    record = read_member(data[:first], verify=True)
    assert (record.head.type, record.head.target_uri) == ("metadata", "urn:slugline:example.org/a")
    assert record.head.payload_digest == ""
    assert decode(record.body) == named
    for built in records:
        assert data[first : first + len(built.member)] == built.member
        first += len(built.member)


def test_a_warcinfo_tells_the_format() -> None:
    member = build_warcinfo(
        record_id=OWN, created_at=NOON, filename="x.warc.gz", site="a\r\nb", software="slugline/1"
    )
    lines = read_member(member, verify=True).body.decode().splitlines()
    assert "software: slugline/1" in lines
    assert "isPartOf: a  b" in lines


hostile = st.text(max_size=30) | st.sampled_from(["a\r\n\r\nWARC/1.1", "\0", "x: y", "\udc80"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(hostile, hostile), max_size=4).map(tuple),
    hostile,
    st.binary(max_size=40),
)
def test_no_answer_breaks_out_of_its_record(
    headers: tuple[tuple[str, str], ...], reason: str, body: bytes
) -> None:
    member = made(headers=headers, reason=reason, body=body)
    record = read_member(member, verify=True)
    assert record.body == body
    assert dict(record.headers)["Content-Length"] == str(len(body))


#: Text that a field value may hold (RFC 9110 section 5.5): bytes that are no UTF-8 as surrogates.
VALUES = st.binary(max_size=30).map(
    lambda value: re.sub(rb"[\0-\x1f\x7f]", b"", value).decode(errors="surrogateescape").strip(" ")
)


@given(
    status=st.integers(100, 999),
    reason=VALUES,
    headers=st.lists(st.tuples(st.from_regex(r"X-[A-Za-z0-9-]{1,9}", fullmatch=True), VALUES)),
    body=st.binary(max_size=99),
)
def test_what_is_written_of_an_answer_is_read_back(
    status: int, reason: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    member = made(status=status, reason=reason, headers=tuple(headers), body=body)
    record = read_member(member, verify=True)
    assert (record.status, record.reason, record.body) == (status, reason, body)
    assert [pair for pair in record.headers if pair[0] != "Content-Length"] == headers


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_url_and_slug_stays_on_one_line_of_ascii(text: str) -> None:
    head = read_member(made(url=f"https://e.org/{text.encode('utf-8', 'replace').decode()}")).head
    assert head.target_uri.isascii()
    assert not set(head.target_uri) & set(" \r\n<>")


def tool(*command: str) -> subprocess.CompletedProcess[str]:
    name, *rest = command
    return subprocess.run(
        [str(PROGRAMS / name), *rest], capture_output=True, text=True, check=False, timeout=60
    )


def test_other_peoples_tools_pass_a_segment(tmp_path: Path) -> None:
    segments, _ = store(tmp_path, group(1, 4, revisit=True), group(2, 0))
    path = str(segments.path(segments.names()[0]))
    assert tool("warcio", "check", path).returncode == 0
    assert tool("fastwarc", "check", "-q", path).returncode == 0
    lines = tool("cdxj-indexer", path).stdout.splitlines()
    assert [json.loads(line.split(" ", 2)[2])["url"][-2:] for line in lines] == [
        "f0",
        "f1",
        "f2",
        "f3",
        "f0",
    ]


def test_other_peoples_tools_pass_what_odd_servers_send(tmp_path: Path) -> None:
    odd = (
        {"reason": "", "headers": ()},
        {"headers": (("X", "\x0b\x85\xa0\udcff"), ("Y", ""), ("Z", "a\r\n\r\nb"))},
        {"status": 999, "reason": "\u00e9t\u00e9", "body": b""},
        {"body": b"WARC/1.1\r\n\r\n" * 9, "url": "https://example.org/\u00e9 <a>?q=%0d"},
    )
    head = new_record_id()
    records = [
        build_response(
            structs.replace(payload(), **changes), record_id=new_record_id(), concurrent_to=head
        )
        for changes in odd
    ]
    segments, _ = store(tmp_path, build_group(manifest(), record_id=head, records=records)[1])
    path = str(segments.path(segments.names()[0]))
    assert tool("warcio", "check", path).returncode == 0
    assert tool("fastwarc", "check", "-q", "-p", path).returncode == 0
    assert len(tool("cdxj-indexer", path).stdout.splitlines()) == len(odd)


def test_payload_digests_pass_where_nothing_is_a_revisit(tmp_path: Path) -> None:
    segments, _ = store(tmp_path, group(1, 4), group(2, 1))
    path = str(segments.path(segments.names()[0]))
    assert tool("fastwarc", "check", "-q", "-p", path).returncode == 0


def test_segments_put_together_are_one_warc(tmp_path: Path) -> None:
    data = b""
    for number in (1, 2):
        segments, _ = store(tmp_path / str(number), group(number))
        data += segments.path(segments.names()[0]).read_bytes()
    kinds = [record.rec_type for record in ArchiveIterator(io.BytesIO(data), check_digests="raise")]
    assert kinds == ["warcinfo", "metadata", "response", "response"] * 2


def test_a_manifest_alone_is_a_record() -> None:
    assert read_member(build_manifest(manifest(), record_id=OWN), verify=True).head.id == OWN
