"""export: out of an archive, into a file, a folder, a pipe."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.crawler.commands.calling import complaint, slugline


def test_export_jsonl_writes_records_to_a_file_or_stdout(mirror: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.jsonl"
    result = slugline("export", "jsonl", out, "--mirror", mirror)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "4 records" in result.stderr
    printed = slugline("export", "jsonl", "-", "--mirror", mirror)
    assert out.read_bytes() == printed.stdout_bytes
    assert json.loads(out.read_text().splitlines()[0])["updated_at"] == (
        "2026-06-19 09:13:50.166750+00:00"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


def test_export_to_a_place_that_cannot_be_written_is_refused(mirror: Path, tmp_path: Path) -> None:
    out = tmp_path / "none" / "all.jsonl"
    assert "cannot be written" in complaint(slugline("export", "jsonl", out, "--mirror", mirror))
    complaint(slugline("export", "jsonl", "--mirror", mirror))


def test_export_files_writes_a_tree(mirror: Path, tmp_path: Path) -> None:
    assert slugline("export", "files", tmp_path / "t", "--mirror", mirror).exit_code == 0
    bodies = [path.read_bytes() for path in (tmp_path / "t").rglob("*") if path.is_file()]
    assert b"# alpha\n\nSecond words.\n" in bodies


def test_export_feed_writes_atom(mirror: Path, tmp_path: Path) -> None:
    out = tmp_path / "changes.atom"
    result = slugline("export", "feed", out, "--site", "example.org", "--mirror", mirror)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "4 changes" in result.stderr
    assert out.read_bytes().count(b"<entry>") == 4
    later = slugline("export", "feed", "-", "--since", "2026-06-20", "--mirror", mirror)
    assert "<entry>" not in later.stdout
    complaint(slugline("export", "feed", "--mirror", mirror))


def test_an_export_never_replaces_the_mirrors_own_files(mirror: Path) -> None:
    segment = next(mirror.glob("segments/*/*.warc.gz"))
    kept = segment.read_bytes()
    for out in (segment, mirror / "index.sqlite", mirror / "new.jsonl"):
        assert "in the mirror" in complaint(slugline("export", "jsonl", out, "--mirror", mirror))
    for out in (mirror, mirror / "segments", mirror / "files" / "deeper"):
        assert "in the mirror" in complaint(slugline("export", "files", out, "--mirror", mirror))
    assert segment.read_bytes() == kept


def test_an_export_into_a_pipe_leaves_it_one(mirror: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert slugline("export", "jsonl", pipe, "--mirror", mirror).exit_code == 0
        assert os.read(reader, 1 << 16).count(b"\n") == 4
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
