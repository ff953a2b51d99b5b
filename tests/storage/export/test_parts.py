"""A part of an archive: nothing in it refers to what stays behind."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.storage.drafts import SITE, hour, words
from tests.storage.export.warcs import bodies, exported, filled, imported


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return filled(tmp_path / "m")


@pytest.mark.parametrize(
    "wanted",
    [{"since": hour(1)}, {"since": hour(2)}, {"since": hour(3)}, {"at": hour(1)}, {"every": False}],
    ids=str,
)
def test_a_part_needs_nothing_that_stays_behind(mirror: Path, wanted: dict[str, Any]) -> None:
    every = bodies(mirror)
    taken = bodies(imported(mirror, **wanted))
    assert taken
    assert {key: every[key] for key in taken} == taken


def test_the_first_revisit_of_a_part_holds_the_bytes_and_later_ones_refer_to_it(
    mirror: Path, tmp_path: Path
) -> None:
    to = tmp_path / "x.warc.gz"
    records = exported(mirror, to, since=hour(2))
    page = [r for r in records if r.head.target_uri == f"https://{SITE}/news/a"]
    assert [r.head.type for r in page] == ["response", "revisit"]
    whole, again = page
    assert dict(whole.headers)["Content-Encoding"] == "gzip"
    assert again.head.refers_to == whole.head.id
    assert whole.head.date == "2026-06-20T14:00:00Z"
    assert b"WARC-Refers-To-Date: 2026-06-20T14:00:00Z\r\n" in gzip.decompress(to.read_bytes())
    ids = [r.head.id for r in records]
    assert len(set(ids)) == len(ids)


def test_a_304_is_the_answer_that_it_stood_for(mirror: Path, tmp_path: Path) -> None:
    for since, kind in ((None, "revisit"), (hour(1), "response")):
        records = exported(mirror, tmp_path / f"{kind}.warc.gz", since=since)
        page = [r for r in records if r.head.target_uri == f"https://{SITE}/news/b"]
        (answer,) = [r for r in page if r.head.date == "2026-06-20T13:00:00Z"]
        assert (answer.head.type, answer.status, answer.reason) == (kind, 200, "OK")
        length = str(len(words("b", "html", "")))
        assert dict(answer.headers) == {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": length,
        }
        assert answer.body == (words("b", "html", "") if kind == "response" else b"")


def test_the_same_part_is_the_same_records_each_time(mirror: Path, tmp_path: Path) -> None:
    first = exported(mirror, tmp_path / "1.warc.gz", since=hour(2))
    second = exported(mirror, tmp_path / "2.warc.gz", since=hour(2))
    assert first[1:] == second[1:]
