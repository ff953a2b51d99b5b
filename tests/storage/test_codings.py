"""Content codings: what decodes, what is refused, and that nothing outgrows its bound."""

from __future__ import annotations

import gzip
import mmap
import zlib
from collections.abc import Callable
from contextlib import suppress

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.codings import MAX_CODINGS, MAX_MEMBERS, ZSTD_WINDOW, CodingError, decode

LIMIT = 1 << 20


def bare_deflate(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
BODY = b"The same words, again and again. " * 300 + bytes(range(256))


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_coded_body_comes_back(coding: str) -> None:
    assert decode(ENCODERS[coding](BODY), coding, LIMIT) == BODY
    assert decode(ENCODERS[coding](BODY), f" {coding.upper()} ", len(BODY)) == BODY
    assert decode(ENCODERS[coding](b""), coding, LIMIT) == b""


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_body_cut_anywhere_is_cut_short(coding: str) -> None:
    coded = ENCODERS[coding](BODY)
    for length in range(0, len(coded), 7):
        with pytest.raises(CodingError) as caught:
            decode(coded[:length], coding, LIMIT)
        assert caught.value.problem == "cut short"
        assert coding in str(caught.value)


@pytest.mark.parametrize("coding", ENCODERS)
def test_one_byte_past_the_limit_is_refused(coding: str) -> None:
    coded = ENCODERS[coding](BODY)
    for limit in (len(BODY) - 1, 1, 0):
        with pytest.raises(CodingError, match="past the limit"):
            decode(coded, coding, limit)


@pytest.mark.parametrize("coding", ENCODERS)
def test_a_bomb_stops_at_the_limit(coding: str) -> None:
    with pytest.raises(CodingError, match="past the limit"):
        decode(ENCODERS[coding](bytes(20 << 20)), coding, LIMIT)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_other_bytes_are_corrupt(coding: str) -> None:
    with pytest.raises(CodingError, match="corrupt"):
        decode(b"<!doctype html><title>no coding here</title>" * 9, coding, LIMIT)


def test_deflate_is_read_with_and_without_its_zlib_wrapper() -> None:
    assert decode(bare_deflate(BODY), "deflate", LIMIT) == BODY
    with pytest.raises(CodingError, match="deflate"):
        decode(b"\xff" * 99, "deflate", LIMIT)


def test_stacked_codings_are_undone_last_first() -> None:
    assert decode(brotli.compress(gzip.compress(BODY)), "gzip, br", LIMIT) == BODY
    with pytest.raises(CodingError):
        decode(brotli.compress(gzip.compress(BODY)), "br, gzip", LIMIT)


def test_no_coding_is_the_bytes_themselves() -> None:
    assert decode(BODY, "", LIMIT) == BODY
    assert decode(bytearray(BODY), "identity,", LIMIT) == BODY
    with pytest.raises(CodingError, match="past the limit"):
        decode(BODY, "identity", 10)


def test_an_unknown_coding_and_a_tower_of_them_are_named() -> None:
    with pytest.raises(CodingError, match="'compress': unknown"):
        decode(BODY, "compress", LIMIT)
    with pytest.raises(CodingError, match="6 codings"):
        decode(BODY, ",".join(["gzip"] * (MAX_CODINGS + 1)), LIMIT)


def test_members_and_frames_follow_each_other() -> None:
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", LIMIT) == b"ab"
    frame = zstandard.ZstdCompressor().compress
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00note"
    assert decode(frame(b"a") + skipped + frame(b"b"), "zstd", LIMIT) == b"ab"


def test_padding_after_gzip_is_passed_over_and_a_second_half_member_is_not() -> None:
    assert decode(gzip.compress(BODY) + bytes(512), "gzip", LIMIT) == BODY
    with pytest.raises(CodingError, match="cut short"):
        decode(gzip.compress(BODY) + gzip.compress(BODY)[:40], "gzip", LIMIT)


@pytest.mark.parametrize("claimed", [0, 1, len(BODY) - 1, len(BODY) + 1, 2**32 - 1])
def test_a_member_that_lies_about_its_size_is_corrupt(claimed: int) -> None:
    coded = gzip.compress(BODY)[:-4] + claimed.to_bytes(4, "little")
    with pytest.raises(CodingError) as caught:
        decode(coded, "gzip", LIMIT)
    assert caught.value.problem == "corrupt"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_flood_of_empty_members_is_refused(coding: str) -> None:
    with pytest.raises(CodingError, match="members"):
        decode(ENCODERS[coding](b"") * (MAX_MEMBERS + 1), coding, LIMIT)


def test_a_zstd_window_beyond_the_webs_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=24, enable_ldm=True)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    coded = writer.compress(bytes(ZSTD_WINDOW * 2 + 1)) + writer.flush()
    with pytest.raises(CodingError, match="corrupt"):
        decode(coded, "zstd", 1 << 30)


def test_a_spooled_body_is_read_where_it_lies() -> None:
    coded = gzip.compress(BODY)
    with mmap.mmap(-1, len(coded)) as spooled:
        spooled.write(coded)
        assert decode(spooled, "gzip", LIMIT) == BODY


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([*ENCODERS, "gzip, br", "nonsense", ""]))
def test_any_bytes_give_bytes_within_the_limit_or_the_one_error(data: bytes, coding: str) -> None:
    with suppress(CodingError):
        assert len(decode(data, coding, 500)) <= 500


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=5000), st.sampled_from(sorted(ENCODERS)))
def test_round_trip(data: bytes, coding: str) -> None:
    assert decode(ENCODERS[coding](data), coding, len(data)) == data
