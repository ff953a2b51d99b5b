"""Export warc: a segment that needs nothing else, which another mirror and other tools read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.errors import DamageFound
from tests.storage.drafts import SITE, hour, segments_of
from tests.storage.export.warcs import bodies, exported, filled, imported

PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return filled(tmp_path / "m")


def test_a_whole_export_is_another_mirrors_segment(mirror: Path) -> None:
    other = imported(mirror, private=True)
    assert bodies(other) == bodies(mirror)
    with Archive.open(mirror) as ours, Archive.open(other) as theirs:
        before = [row.as_log() for row in ours.all_history()]
        assert [row.as_log() for row in theirs.all_history()] == before
        assert [each.event for each in theirs.events(SITE, "b")] == ["gone"]
        newest = [row.gone_at for row in theirs.newest_all()]
    assert newest == [None, hour(2), hour(2)]


def test_what_is_private_stays_with_all_that_befell_it(mirror: Path, tmp_path: Path) -> None:
    records = exported(mirror, tmp_path / "x.warc.gz")
    assert not [r for r in records if r.head.target_uri.endswith("/c")]


def test_other_peoples_tools_pass_it(mirror: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.warc.gz"
    exported(mirror, file, since=hour(1))
    for command in (("warcio", "check", file), ("fastwarc", "check", "-q", file)):
        name, *rest = command
        program = [str(PROGRAMS / str(name)), *map(str, rest)]
        assert subprocess.run(program, check=False, timeout=60).returncode == 0


def test_damage_is_said_and_never_exported(mirror: Path, tmp_path: Path) -> None:
    segment = segments_of(mirror)[0]
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    with pytest.raises(DamageFound):
        exported(mirror, tmp_path / "x.warc.gz", private=True)


@pytest.mark.segment_files("it is damaged while it is open, and named as a file")
def test_damage_is_named_by_the_byte_at_which_others_name_it(mirror: Path, tmp_path: Path) -> None:
    with Archive.open(mirror) as archive:
        row = archive.history(SITE, "a")[0]
        manifest = archive.manifest(row)
        at = row.offset + row.head + sum(ref.length for ref in manifest.records[:-1])
        file = mirror / "segments" / row.segment
        data = bytearray(file.read_bytes())
        data[at + manifest.records[-1].length // 2] ^= 1
        file.write_bytes(data)
        with pytest.raises(DamageFound) as shown:
            archive.body(manifest, manifest.records[-1].role)
    with pytest.raises(DamageFound) as caught:
        exported(mirror, tmp_path / "x.warc.gz", private=True)
    assert caught.value.where == shown.value.where == f"segments/{row.segment} at byte {at}"
