"""export: out of an archive, into a file, a folder, a pipe."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import obstore
import pytest
from pyarrow import parquet

from storage.buckets import open_bucket
from storage.times import format_utc
from tests import s3
from tests.crawler.commands.calling import complaint, slugline
from tests.crawler.commands.terminal import at_terminal
from tests.storage.drafts import SITE, article, hour, stored
from tests.storage.export.test_choosing import about


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


def test_a_file_in_place_of_a_tree_is_the_users_fault(mirror: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    out.write_text("mine")
    said = complaint(slugline("export", "files", out, "--mirror", mirror))
    assert said == f"slugline: {out} can't be written: it is not a folder\n"
    below = complaint(slugline("export", "files", out / "x", "--mirror", mirror))
    assert below == f"slugline: {out / 'x'} can't be written: no folder can be made there\n"
    assert out.read_text() == "mine"


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


def test_every_kind_goes_into_a_file_or_down_a_pipe(mirror: Path, tmp_path: Path) -> None:
    for kind, told in (("parquet", "4 rows"), ("warc", "5 snapshots"), ("wacz", "5 snapshots")):
        out = tmp_path / f"all.{kind}"
        result = slugline("export", kind, out, "--mirror", mirror)
        assert (result.exit_code, result.stdout) == (0, "")
        assert told in result.stderr
        piped = slugline("export", kind, "-", "--mirror", mirror)
        assert (piped.exit_code, piped.stderr) == (0, "")
        assert piped.stdout_bytes[:2] == out.read_bytes()[:2]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"all.parquet", "all.warc", "all.wacz"}
    tar = slugline("export", "files", "-", "--mirror", mirror).stdout_bytes
    assert b"example.org/news/alpha" in tar


def test_a_record_or_all_of_it_the_newest_or_every_one(mirror: Path) -> None:
    def printed(*flags: str) -> list[dict[str, object]]:
        result = slugline("export", "jsonl", "-", *flags, "--mirror", mirror)
        return [json.loads(line) for line in result.stdout.splitlines()]

    assert [len(printed(*flags)) for flags in ((), ("--every",), ("--canonicals",))] == [4, 5, 5]
    plain, full = printed()[0], printed("--full")[0]
    assert list(full)[: len(plain)] == list(plain)
    assert (full["site"], full["sequence"], full["reason"]) == ("example.net", 1, "first")
    warc = slugline("export", "warc", "-", "--newest", "--mirror", mirror)
    assert warc.exit_code == 0


def test_a_file_url_is_a_path_and_other_schemes_are_refused(mirror: Path, tmp_path: Path) -> None:
    result = slugline("export", "jsonl", f"file://{tmp_path}/a%20b.jsonl", "--mirror", mirror)
    assert result.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a b.jsonl"]
    assert "write to a path" in complaint(
        slugline("export", "jsonl", "https://example.org/x", "--mirror", mirror)
    )


def test_flags_that_a_kind_does_not_have_are_refused(mirror: Path) -> None:
    for arguments in (
        ("parquet", "-", "--full"),
        ("files", "x", "--every"),
        ("feed", "-", "--newest"),
    ):
        complaint(slugline("export", *arguments, "--mirror", mirror))


def decoded(kind: str, data: bytes) -> bytes:
    """Return what an export holds, unpacked."""
    if kind == "parquet":
        return str(parquet.read_table(io.BytesIO(data)).to_pylist()).encode()
    if kind == "warc":
        return gzip.decompress(data)
    if kind == "wacz":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            inside = [packed.read(name) for name in packed.namelist()]
        return b"".join(gzip.decompress(one) if one[:2] == b"\x1f\x8b" else one for one in inside)
    return data


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "files", "warc", "wacz", "feed"])
def test_every_kind_is_narrowed_down_by_the_same_options(kind: str, tmp_path: Path) -> None:
    stored(
        tmp_path,
        about(article("kept", seen=hour(2)), topics=("Rail",), lang="en"),
        about(article("early"), topics=("Rail",), lang="en"),
        about(article("late", seen=hour(4)), topics=("Rail",), lang="en"),
        about(article("untold", seen=hour(2)), lang="en"),
        about(article("foreign", seen=hour(2)), topics=("Rail",), lang="de"),
        about(
            article("elsewhere", seen=hour(2), site="other.example"), topics=("Rail",), lang="en"
        ),
        about(
            article("reserved", seen=hour(2), usage={"html: tdm-reservation": "1"}),
            topics=("Rail",), lang="en",
        ),
    )  # fmt: skip
    narrow = {
        "early": ("--since", format_utc(hour(1))),
        "late": ("--at", format_utc(hour(3))),
        "untold": ("--topic", "rail"),
        "foreign": ("--lang", "en"),
        "elsewhere": ("--site", SITE),
        "reserved": ("--without-reserved",),
    }
    for left_out, options in narrow.items():
        result = slugline("export", kind, "-", *options, "--mirror", tmp_path)
        assert result.exit_code == 0, result.stderr
        found = decoded(kind, result.stdout_bytes)
        slugs = {slug for slug in ("kept", *narrow) if f"/news/{slug}".encode() in found}
        assert slugs == {"kept", *narrow} - {left_out}


def test_a_terminal_is_sent_no_binary_file(mirror: Path) -> None:
    code, sent = at_terminal("export", "parquet", "-", "--mirror", mirror)
    assert code == 2
    assert "a terminal shows no binary file: name a file, or a pipe" in sent
    assert "PAR1" not in sent


def test_a_bucket_takes_a_file_and_a_tree(mirror: Path) -> None:
    with s3.served():
        for kind, out in (("jsonl", "all.jsonl"), ("files", "tree")):
            result = slugline("export", kind, f"s3://{s3.BUCKET}/{out}", "--mirror", mirror)
            assert result.exit_code == 0, result.stderr
        held, _ = open_bucket(f"s3://{s3.BUCKET}", "this test")
        assert obstore.get(held, "all.jsonl").bytes().to_bytes().count(b"\n") == 4
        assert obstore.head(held, "tree/example.org/news/alpha.md")["size"] == 23
