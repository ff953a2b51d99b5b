"""A CDX of a WARC file: its lines, in order however many, and the blocks they are found by."""

from __future__ import annotations

import gzip
import io
import json
from hashlib import sha256
from itertools import chain
from random import Random

import pytest

from storage.export.cdx import BLOCK, Sorter, cdx_line, write_blocks
from storage.warc import build_response, new_record_id
from storage.warc_read import read_member
from tests.storage.segment_samples import payload

LINES = [f"org,example)/{n:05} 20260619120000 {{}}\n".encode() for n in range(2 * BLOCK + 7)]


def test_a_line_says_what_answered_when_and_where_its_record_is() -> None:
    built = build_response(payload(), record_id=new_record_id(), concurrent_to=new_record_id())
    line = cdx_line(read_member(built.member), offset=12, length=34, filename="all.warc.gz")
    key, when, told = line.split(b" ", 2)
    assert (key, when) == (b"org,example)/a.html", b"20260619120000")
    assert json.loads(told) == {
        "url": "https://example.org/a.html", "mime": "text/html", "status": "200",
        "digest": built.payload_digest, "length": "34", "offset": "12", "filename": "all.warc.gz",
    }  # fmt: skip


@pytest.mark.parametrize("lot", [1, 2, 100, 10_000])
def test_lines_come_back_in_order_however_many_are_sorted_at_once(lot: int) -> None:
    shuffled = Random(7).sample(LINES, len(LINES))
    with Sorter(lot=lot) as sorter:
        for line in shuffled:
            sorter.add(line)
        assert list(sorter.in_order()) == LINES


def test_each_block_is_found_by_its_first_line() -> None:
    out = io.BytesIO()
    meta, *blocks = write_blocks(LINES, out, "index.cdx.gz")
    assert meta == b'!meta 0 {"format":"cdxj-gzip-1.0","filename":"index.cdx.gz"}\n'
    found = []
    for line in blocks:
        key, when, told = line.split(b" ", 2)
        place = json.loads(told)
        packed = out.getvalue()[place["offset"] : place["offset"] + place["length"]]
        assert place["digest"] == f"sha256:{sha256(packed).hexdigest()}"
        plain = gzip.decompress(packed).splitlines(keepends=True)
        assert plain[0].startswith(b" ".join((key, when, b"")))
        found.append(plain)
    assert [len(each) for each in found] == [BLOCK, BLOCK, 7]
    assert list(chain.from_iterable(found)) == LINES
