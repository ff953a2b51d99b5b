"""Spooled notes: durable one by one, in order, and never more believed than what is whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model import EntryState, Validator
from storage.notes import Notes, SpooledNotes, batch_of
from tests.storage.drafts import SEEN, SITE

ENTRY = EntryState(
    site=SITE, url="https://news.example/a", verdict="article", checked_at=SEEN, run="a-run"
)
FULL = Notes(
    at=SEEN,
    entries=(ENTRY,),
    validators=(Validator(url=ENTRY.url, etag='"1"', digest="0" * 64),),
    memory=((SITE, "key", "[1]"),),
)


def test_what_was_kept_is_read_in_order(tmp_path: Path) -> None:
    spooled = SpooledNotes(tmp_path)
    assert list(spooled.read()) == []
    for notes in (FULL, Notes(at=SEEN), FULL):
        spooled.keep(notes)
    assert list(SpooledNotes(tmp_path).read()) == [FULL, Notes(at=SEEN), FULL]
    spooled.clear()
    spooled.clear()
    assert list(spooled.read()) == []


@given(st.data())
def test_cut_or_flipped_anywhere_what_stands_before_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("mirror")
    spooled, path = SpooledNotes(root), root / "spool" / "notes"
    spooled.keep(FULL)
    whole = path.stat().st_size
    spooled.keep(FULL)
    at = data.draw(st.integers(whole, 2 * whole - 1))
    kept = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del kept[at:]
    else:
        kept[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(kept)
    assert list(spooled.read()) == [FULL]


def test_a_batch_tells_of_all_notes() -> None:
    batch = batch_of(FULL, ends={f"{SITE}/x.warc.gz": 10})
    assert batch.segments == {f"{SITE}/x.warc.gz": (SITE, 10)}
    assert (len(batch.entries), len(batch.validators), len(batch.memory)) == (1, 1, 1)
    assert batch.memory == ({"site": SITE, "key": "key", "value": "[1]"},)
