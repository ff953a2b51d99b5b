"""Errors are sentences with an exit code, and the system's are translated once."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from storage.errors import (
    ArchiveError,
    DamageFound,
    DiskFull,
    IndexUnusable,
    LockHeld,
    NewerFormat,
    NotAMirror,
    ReadOnly,
    SegmentsGone,
    StoreFailed,
    os_errors,
)

ROOT = Path("mirror")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotAMirror(ROOT, "it has no mirror.json"), 2),
        (NewerFormat(ROOT, 9, 1), 2),
        (IndexUnusable(ROOT, "index.sqlite is missing"), 2),
        (LockHeld(ROOT, 7, "2026-06-19T08:09:44Z"), 3),
        (DamageFound("a segment", "a flipped bit"), 4),
        (SegmentsGone("m/segments", "index.sqlite", ["site/a.warc.gz"], 1), 4),
        (DiskFull("no room"), 1),
    ],
)
def test_each_error_has_the_exit_code_of_the_contract(error: ArchiveError, code: int) -> None:
    assert error.exit_code == code
    assert str(error)


def test_damage_says_what_may_be_done() -> None:
    said = str(DamageFound("segments/site/a.warc.gz at byte 7", "a flipped bit"))
    assert said.endswith("bring back a copy of it, or run `slugline verify --repair`")


def test_a_held_lock_names_its_holder() -> None:
    assert "process 7, since 2026" in str(LockHeld(ROOT, 7, "2026-06-19T08:09:44Z"))
    assert "another process" in str(LockHeld(ROOT, None, ""))


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EROFS, ReadOnly),
        (errno.EACCES, ReadOnly),
        (errno.EIO, StoreFailed),
    ],
)
def test_an_error_of_the_system_becomes_ours(number: int, kind: type[ArchiveError]) -> None:
    with pytest.raises(kind, match="writing the segment"), os_errors("writing the segment"):
        raise OSError(number, "as the system says")
