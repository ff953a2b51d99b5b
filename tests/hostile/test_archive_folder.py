"""A mirror's folder that lies: mirror.json, links to elsewhere, other things in our names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile.archives import GOOD, READING, everything, made, segments
from tests.hostile.harness import slugline

MARKS: dict[str, bytes] = {
    "format -1": b'{"format":-1}',
    "format 0": b'{"format":0}',
    "format 4": b'{"format":4}',
    "format 1e9": b'{"format":1e9}',
    "format 1.5": b'{"format":1.5}',
    "format of a thousand digits": b'{"format":' + b"9" * 1_000 + b"}",
    "format in quotes": b'{"format":"1"}',
    "format null": b'{"format":null}',
    "no format": b"{}",
    "not JSON": b"hello\n",
    "not UTF-8": b'{"format":1,"made_by":"\xff"}',
    "empty": b"",
    "deep": b'{"x":' + b"[" * 60_000,
    "deep and whole": b'{"format":1,"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "1 MiB": b'{"format":1,"x":"' + b"x" * (1 << 20) + b'"}',
}


@pytest.mark.parametrize("name", MARKS)
async def test_a_mark_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    (root / "mirror.json").write_bytes(MARKS[name])
    done = await everything(tmp_path, (2,), str(root), only=("list", "body"))
    assert {outcome.code for outcome in done.values()} == {2}
    assert (root / "mirror.json").read_bytes() == MARKS[name]


async def test_a_mark_of_100_mb_is_not_read(tmp_path: Path) -> None:
    root = made(tmp_path)
    with (root / "mirror.json").open("wb") as file:
        file.truncate(100_000_000)
    done = await everything(tmp_path, (2,), "mirror.json", only=("list",))
    assert {outcome.code for outcome in done.values()} == {2}
    assert done["list"].peak < 100


def _link(name: str) -> Callable[[Path], None]:
    """Move a part of the mirror out, and leave a link to it."""

    def spoil(root: Path) -> None:
        outside = root.parent / "outside"
        if (root / name).exists():
            (root / name).rename(outside)
        elif name in {"runs", "lost"}:
            outside.mkdir()
        else:
            outside.write_text("precious")
        (root / name).symlink_to(outside)

    return spoil


def _file(name: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        if (root / name).is_dir():
            (root / name).rename(root.parent / "moved")
        (root / name).write_text("a file")

    return spoil


def _folder(name: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        (root / name).mkdir()

    return spoil


def _pipe(name: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        os.mkfifo(root / name)

    return spoil


KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "segments, a link": ("segments", _link("segments")),
    "files, a link": ("files", _link("files")),
    "runs, a link": ("runs", _link("runs")),
    "lost, a link": ("lost", _link("lost")),
    "the index, a link": ("index.sqlite", _link("index.sqlite")),
    "the lock, a link": (".lock", _link(".lock")),
    "runs, a file": ("runs", _file("runs")),
    "lost, a file": ("lost", _file("lost")),
    "files, a file": ("files", _file("files")),
    "segments, a file": ("segments", _file("segments")),
    "the lock, a folder": (".lock", _folder(".lock")),
    "the lock, a pipe": (".lock", _pipe(".lock")),
    "the mark, a folder": ("mirror.json", _folder("mirror.json")),
    "the mark, a pipe": ("mirror.json", _pipe("mirror.json")),
    "the index's log, a folder": ("index.sqlite-wal", _folder("index.sqlite-wal")),
}


@pytest.mark.parametrize("name", KINDS)
async def test_what_is_not_of_its_kind_is_named_and_left(name: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    part, spoil = KINDS[name]
    spoil(root)
    done = await everything(tmp_path, (2,), part, only=("list", "body"))
    assert {outcome.code for outcome in done.values()} == {2}


async def test_a_folder_of_files_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    root = made(tmp_path)
    outside = tmp_path / "watched" / "outside"
    outside.mkdir()
    (outside / "story.html").write_bytes(b"precious")
    news = root / "files" / "news.example" / "news"
    news.rename(root / "files" / "was")
    news.symlink_to(outside)
    outcome = await slugline(tmp_path, "export", "files", "--mirror", str(root))
    outcome.sane(2)
    assert str(news) in outcome.stderr
    done = await everything(tmp_path, (2,), str(news))
    assert done["mirror"].code == 2
    assert (outside / "story.html").read_bytes() == b"precious"


async def test_a_plain_file_that_is_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    root = made(tmp_path)
    outside = tmp_path / "watched" / "outside.html"
    outside.write_bytes(GOOD)
    os.utime(outside, (1, 1))
    file = root / "files" / "news.example" / "news" / "story.html"
    file.unlink()
    file.symlink_to(outside)
    outcome = await slugline(tmp_path, "export", "files", "--mirror", str(root))
    outcome.sane(0)
    assert not file.is_symlink()
    assert file.read_bytes() == outside.read_bytes() == GOOD
    assert outside.stat().st_mtime == 1


@pytest.mark.parametrize("name", ["a b", "a\nb", "naïve 名", "%41?x#y", "'\"$(id)"])
async def test_any_path_is_a_path(name: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    there = root.with_name(name)
    root.rename(there)
    before = segments(there)
    for arguments in (READING["body"], ("reindex",), READING["body"]):
        outcome = await slugline(tmp_path, *arguments, "--mirror", str(there))
        assert outcome.code == 0, outcome.stderr
    assert outcome.stdout.encode() == GOOD
    assert segments(there) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
async def test_a_mirror_that_may_not_be_written_is_read(tmp_path: Path) -> None:
    root = made(tmp_path)
    for path in (root, root / "files", root / "segments"):
        path.chmod(0o500)
    try:
        done = await everything(tmp_path, (2,), "no permission", only=("list", "body"))
    finally:
        for path in (root, root / "files", root / "segments"):
            path.chmod(0o700)
    assert done["body"].stdout.encode() == GOOD
    assert done["mirror"].code == 2
