"""A segment's bytes, read from a file that anybody may have put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.errors import DamageFound, ReadOnly
from storage.segments.source import FileSource
from tests.modes import unwritable

DATA = bytes(range(256)) * 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "1.warc.gz"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("step", [1, 100, 1024, 5000])
def test_bytes_come_in_steps_and_end_where_the_file_does(path: Path, step: int) -> None:
    with FileSource(path, "a/1") as source:
        chunks = list(source.chunks(10, 5000, step))
        assert b"".join(chunks) == DATA[10:]
        assert max(map(len, chunks)) <= step
        assert source.size == len(DATA)
        assert list(source.chunks(len(DATA), 10)) == []


def test_exactly_what_is_asked_for_or_damage(path: Path) -> None:
    with FileSource(path, "a/1") as source:
        assert source.read(1000, 24) == DATA[1000:]
        with pytest.raises(DamageFound, match="a/1 at byte 1000: 25 bytes wanted"):
            source.read(1000, 25)
        with pytest.raises(DamageFound, match="no byte stands there"):
            source.read(-1, 1)


def test_a_file_that_becomes_shorter_meanwhile_is_damage(path: Path) -> None:
    with FileSource(path, "a/1") as source:
        os.truncate(path, 100)
        with pytest.raises(DamageFound, match="became shorter while it was read"):
            source.read(0, len(DATA))


def test_what_is_no_file_is_never_read(path: Path) -> None:
    folder = path.parent
    (folder / "link").symlink_to(path)
    os.mkfifo(folder / "pipe")
    for name, why in (
        ("link", "it is a link"), ("pipe", "it is no file"), ("", "it is no file"),
        ("none", "the file is not there"), ("1.warc.gz/x", "the file is not there"),
    ):  # fmt: skip
        with pytest.raises(DamageFound, match=why):
            FileSource(folder / name, "a/1")


def test_a_file_that_may_not_be_read_is_nobodys_damage(path: Path) -> None:
    path.chmod(0)
    with unwritable(), pytest.raises(ReadOnly, match="opening the segment a/1"):
        FileSource(path, "a/1")
