"""Reading records: nothing in the bytes is believed before it is checked."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.warc import GZIP_HEADER, build_response, new_record_id
from storage.warc_read import (
    MAX_WARC_HEADER,
    RecordError,
    inflate,
    parse_head,
    read_member,
    whole_head,
)
from tests.storage.segment_samples import group, payload

MEMBER = build_response(
    payload(coded=True), record_id=new_record_id(), concurrent_to=new_record_id()
).member
PLAIN = gzip.decompress(MEMBER)


def squeezed(plain: bytes) -> bytes:
    return GZIP_HEADER + gzip.compress(plain, mtime=0)[len(GZIP_HEADER) :]


def test_a_member_read_in_any_steps_is_the_same() -> None:
    for step in (1, 3, 10, 50, len(MEMBER)):
        chunks = [MEMBER[at : at + step] for at in range(0, len(MEMBER), step)]
        inflated = inflate([*chunks, b"after"], keep=1 << 20)
        assert (inflated.state, inflated.opening) == ("whole", PLAIN)
        assert (inflated.size, inflated.length) == (len(PLAIN), len(MEMBER))
        assert whole_head(inflated) is not None


@pytest.mark.parametrize("size", [0, 1, 3, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 200_000])
def test_a_member_of_any_size_reads_the_same_whole_and_in_pieces(size: int) -> None:
    plain = bytes(number * 7 % 251 for number in range(size))
    member = squeezed(plain)
    whole = inflate((member + b"after",), keep=1000)
    assert whole == inflate([member[:20], member[20:], b"after"], keep=1000)
    assert (whole.state, whole.opening, whole.size) == ("whole", plain[:1000], size)
    assert (whole.length, whole.end) == (len(member), plain[-4:])


def test_only_what_is_asked_for_is_kept() -> None:
    inflated = inflate((MEMBER,), keep=10)
    assert (inflated.opening, inflated.size) == (PLAIN[:10], len(PLAIN))


def test_a_member_cut_anywhere_is_cut_short_and_never_corrupt() -> None:
    for length in range(len(MEMBER)):
        assert inflate((MEMBER[:length],), keep=100).state == "cut short"
        with pytest.raises(RecordError, match="cut short"):
            read_member(MEMBER[:length])


def test_a_member_that_grows_past_the_bound_is_corrupt() -> None:
    bomb = squeezed(bytes(1 << 20))
    inflated = inflate((bomb,), keep=10, most=1000)
    assert inflated.state == "corrupt"
    assert inflated.size <= 1001


def test_another_gzip_header_is_not_ours() -> None:
    with pytest.raises(RecordError, match="corrupt"):
        read_member(gzip.compress(PLAIN, mtime=1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"WARC/1.1", b"WARC/2.0"),
        (b"WARC-Type: response\r\n", b""),
        (b"WARC-Record-ID", b"WARC-Other"),
        (b"Content-Length: ", b"Content-Length: 9"),
        (b"Content-Length: ", b"Content-Length: -"),
        (b"Content-Length: ", b"Content-Length: 99999999999999999999"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
def test_a_header_that_lies_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(RecordError):
        read_member(squeezed(PLAIN.replace(old, new, 1)))


@pytest.mark.parametrize("extra", [b"x", b"\r\n\r\n", MEMBER], ids=["a byte", "an end", "a member"])
def test_bytes_after_the_record_are_refused(extra: bytes) -> None:
    with pytest.raises(RecordError):
        read_member(squeezed(PLAIN + extra))
    with pytest.raises(RecordError):
        read_member(MEMBER + extra)


def test_digests_are_checked_where_asked() -> None:
    changed = squeezed(PLAIN.replace(b"200 OK", b"200 KO"))
    assert read_member(changed).reason == "KO"
    with pytest.raises(RecordError, match="block digest"):
        read_member(changed, verify=True)


def test_a_block_that_is_no_http_answer_is_refused() -> None:
    with pytest.raises(RecordError, match="no HTTP answer"):
        read_member(squeezed(PLAIN.replace(b"HTTP/1.1 200 OK", b"SMTP/1.1 200 OK")))


def test_a_header_without_end_is_not_looked_for_for_ever() -> None:
    assert parse_head(b"WARC/1.1\r\n" + b"a: b\r\n" * MAX_WARC_HEADER) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_give_a_record_or_the_one_error(data: bytes, wrapped: bool) -> None:
    plain = b"WARC/1.1\r\n" + data + b"\r\n\r\n"
    with pytest.raises(RecordError):
        read_member(squeezed(plain) if wrapped else data)


def announcing(length: str) -> bytes:
    start = PLAIN.index(b"Content-Length: ")
    end = PLAIN.index(b"\r\n", start)
    return PLAIN[:start] + length.encode() + PLAIN[end:]


def test_a_length_of_a_petabyte_sets_nothing_aside() -> None:
    head = parse_head(announcing("Content-Length: 900000000000000"))
    assert head is not None
    assert head.content_length == 900_000_000_000_000


@pytest.mark.parametrize(
    "length",
    [
        *("Content-Length: 5\r\nContent-Length: 5", "content-length : 7\r\nContent-Length: 5"),
        *("Content-Length:", "Content-Length: 0x5", "Content-Length: 5 5", "X: 5"),
    ],
)
def test_a_header_without_exactly_one_length_is_none(length: str) -> None:
    assert parse_head(announcing(length)) is None


@pytest.mark.parametrize("built", [MEMBER, group(1, 0)], ids=["response", "manifest"])
def test_our_own_header_reads_as_anybodys(built: bytes) -> None:
    plain = gzip.decompress(built)
    ours = parse_head(plain)
    others = parse_head(plain.replace(b"WARC-Date:", b"warc-date:", 1))
    assert ours is not None
    assert ours == others
