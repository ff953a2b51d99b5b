"""An archive of ours that lies: index and segments cut, flipped, swapped, or something else."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.errors import ArchiveError, DamageFound
from storage.reindex import reindex
from tests.hostile.archives import GOOD, READING, everything, made, segments
from tests.hostile.harness import slugline
from tests.storage.drafts import SITE, article, segment_files, stored

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def _index(root: Path) -> Path:
    return root / "index.sqlite"


def _cut(root: Path) -> None:
    whole = _index(root).read_bytes()
    _index(root).write_bytes(whole[: len(whole) // 2])


def _flipped(root: Path) -> None:
    whole = bytearray(_index(root).read_bytes())
    for at in range(500, len(whole), 997):
        whole[at] ^= 0x55
    _index(root).write_bytes(whole)


def _of_another_mirror(root: Path) -> None:
    other = root.with_name("tmp") / "other"
    stored(other, article("story", edition=" of another"), article("foreign"), now=NOW)
    shutil.copy(_index(other), _index(root))
    shutil.rmtree(other)


def _empty(root: Path) -> None:
    _index(root).write_bytes(b"")


def _a_folder(root: Path) -> None:
    _index(root).unlink()
    _index(root).mkdir()


def _a_pipe(root: Path) -> None:
    _index(root).unlink()
    os.mkfifo(_index(root))


def _text(root: Path) -> None:
    _index(root).write_text("This is not a database.\n" * 400)


def _sql(root: Path, *statements: str) -> None:
    with sqlite3.connect(_index(root)) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def _newer(root: Path) -> None:
    _sql(root, "UPDATE meta SET value = '1000' WHERE key = 'schema'")


def _older(root: Path) -> None:
    _sql(root, "UPDATE meta SET value = '1' WHERE key = 'schema'")


def _without_a_table(root: Path) -> None:
    _sql(root, "DROP TABLE representations")


def _an_endless_view(root: Path) -> None:
    _sql(
        root,
        "DROP TABLE snapshots",
        """CREATE VIEW snapshots AS
           WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n""",
    )


def _a_log_of_another(root: Path) -> None:
    (root / "index.sqlite-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\x01" * 40_000)


def _rows_past_the_end(root: Path) -> None:
    _sql(root, 'UPDATE snapshots SET "offset" = 99999999', "UPDATE representations SET length = -5")


def _rows_of_another_group(root: Path) -> None:
    _sql(
        root,
        'UPDATE snapshots SET "offset" = (SELECT min("offset") FROM snapshots)',
        """UPDATE representations SET record_id = (SELECT min(record_id) FROM representations)
           WHERE record_id = (SELECT max(record_id) FROM representations)""",
    )


def _rows_of_the_wrong_type(root: Path) -> None:
    _sql(
        root,
        "UPDATE snapshots SET observed_at = 'never', formats = '{', findings = 7",
        "UPDATE representations SET \"offset\" = 'x'",
    )


def _rows_outside(root: Path) -> None:
    _sql(
        root,
        "UPDATE snapshots SET segment = '../../../../etc/passwd' WHERE n % 2",
        "UPDATE snapshots SET segment = '/etc/passwd' WHERE NOT n % 2",
    )


INDEX: dict[str, Callable[[Path], None]] = {
    "cut": _cut,
    "flipped": _flipped,
    "of another mirror": _of_another_mirror,
    "empty": _empty,
    "a folder": _a_folder,
    "a pipe": _a_pipe,
    "text": _text,
    "newer": _newer,
    "older": _older,
    "without a table": _without_a_table,
    "an endless view": _an_endless_view,
    "with a log of another": _a_log_of_another,
    "rows past the end": _rows_past_the_end,
    "rows of another group": _rows_of_another_group,
    "rows of the wrong type": _rows_of_the_wrong_type,
    "rows that lead outside": _rows_outside,
}


@pytest.mark.parametrize("name", INDEX)
async def test_an_index_that_lies_shows_nothing_wrong(name: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    before = segments(root)
    INDEX[name](root)
    done = await everything(tmp_path, (2, 4), only=READING)
    assert "foreign" not in "".join(outcome.stdout for outcome in done.values())
    assert segments(root) == before
    if name not in {"a folder", "a pipe"}:
        assert done["reindex"].code == 0
        shown = await slugline(tmp_path, *READING["body"], "--mirror", str(root))
        assert shown.stdout.encode() == GOOD


async def test_an_index_that_another_process_writes_is_read(tmp_path: Path) -> None:
    root = made(tmp_path)
    other = sqlite3.connect(_index(root))
    other.execute("BEGIN EXCLUSIVE")
    other.execute("UPDATE meta SET value = value")
    try:
        outcome = await slugline(tmp_path, "list", "--mirror", str(root))
    finally:
        other.close()
    outcome.sane(0)
    assert "story" in outcome.stdout


# segments


def _only(root: Path) -> Path:
    (path,) = segment_files(root)
    return path


@pytest.mark.parametrize("part", ["in the header", "in a member", "between members", "to nothing"])
async def test_a_segment_that_was_cut_is_never_cut_further_unkept(
    part: str, tmp_path: Path
) -> None:
    root = made(tmp_path)
    path = _only(root)
    whole = path.read_bytes()
    with Archive.open(root) as archive:
        first, last = archive.history(SITE, "story")
    at = {
        "in the header": last.offset + 5,
        "in a member": first.offset + first.head + 30,
        "between members": last.offset + last.head,
        "to nothing": 0,
    }[part]
    path.write_bytes(whole[:at])
    for command in ("list", "body"):
        outcome = await slugline(tmp_path, *READING[command], "--mirror", str(root))
        outcome.sane(0, 4)
        assert outcome.code == (0 if command == "list" else 4)
    assert path.read_bytes() == whole[:at]
    report = reindex(root, NOW)
    assert report.snapshots < 3
    assert path.read_bytes() == whole[:at]


def test_every_hundredth_byte_flipped_is_found_or_does_no_harm(tmp_path: Path) -> None:
    root = made(tmp_path)
    path = _only(root)
    whole = path.read_bytes()
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    target = _only(copy)
    good = _contents(root)
    found = 0
    for at in range(0, len(whole), 100):
        spoilt = bytearray(whole)
        spoilt[at] ^= 1 << (at // 100 % 8)
        target.write_bytes(spoilt)
        try:
            reindex(copy, NOW)
        except DamageFound as error:
            assert target.name in str(error)  # noqa: PT017  - most flips raise, not each one
            found += 1
        shown = _contents(copy)
        assert {key: good[key] for key in shown} == shown
        assert target.read_bytes() == bytes(spoilt)
    assert found > len(whole) // 100 - 3


def _contents(root: Path) -> dict[tuple[str, int, str], bytes]:
    """Return every body that the archive shows; those it calls damaged are left out."""
    found = {}
    with Archive.open(root) as archive:
        for row in archive.all_history():
            for name in row.formats:
                try:
                    body = archive.body(archive.manifest(row), name).decoded
                except ArchiveError as error:
                    assert error.exit_code == 4  # noqa: PT017  - the others are read on
                else:
                    found[row.slug, row.sequence, name] = body
    return found


async def test_two_segments_with_their_names_exchanged(tmp_path: Path) -> None:
    root = made(tmp_path)
    stored(root, article("third", seen=NOW), now=datetime(2026, 8, 1, tzinfo=UTC))
    one, two = segment_files(root)
    three = one.with_name("x")
    one.rename(three)
    two.rename(one)
    three.rename(two)
    done = await everything(tmp_path, (2, 4), "damage")
    assert done["reindex"].code == 0


async def test_another_sites_segment_in_this_sites_folder(tmp_path: Path) -> None:
    root = made(tmp_path)
    stored(tmp_path / "other", article("story", site="other.example", edition=" theirs"))
    theirs = _only(tmp_path / "other")
    shutil.copy(theirs, _only(root).with_name("20260101T000000000000Z-1.warc.gz"))
    done = await everything(tmp_path, (4,), "a group of the site other.example in the folder of")
    assert done["reindex"].code == done["mirror"].code == 4
    assert done["body"].stdout.encode() == GOOD


@pytest.mark.parametrize("what", ["a link", "a link to ours", "a pipe", "a folder"])
async def test_what_has_a_segments_name_and_is_none(what: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    path = _only(root)
    outside = tmp_path / "watched" / "outside.warc.gz"
    path.rename(outside)
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/etc/passwd" if what == "a link" else outside)
    done = await everything(tmp_path, (4,), path.name)
    assert {name for name, outcome in done.items() if outcome.code == 4} >= {"body", "reindex"}
    assert "root:" not in "".join(outcome.stdout for outcome in done.values())
