"""Export wacz: what WACZ 1.1.1 asks for, and an index as another's indexer makes it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from storage.archive import Archive
from storage.export.choosing import Chosen
from storage.export.wacz import export_wacz
from storage.warc_read import read_member
from tests.storage.drafts import SEEN, article, event, hour, stored

PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    root = tmp_path / "m"
    stored(root, article("a", coding="gzip"), article("b", formats=("text",)))
    stored(root, article("a", edition=" 2", seen=hour(1), reason="edit"))
    stored(root, article("a", coding="gzip", seen=hour(2), reason="reverted"))
    stored(root, event("gone", "b", seen=hour(3)))
    return root


class Pipe(io.RawIOBase):
    """A stream that is only written, as a pipe or a bucket is."""

    def __init__(self) -> None:
        self.written = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += bytes(data)
        return len(data)


def exported(root: Path, out: Any = None, **wanted: Any) -> zipfile.ZipFile:
    stream = out or io.BytesIO()
    with Archive.open(root) as archive:
        export_wacz(archive, stream, Chosen(**{"every": True, **wanted}), now=SEEN)
    return zipfile.ZipFile(io.BytesIO(out.written) if out else stream)


def lines(package: zipfile.ZipFile) -> list[str]:
    return gzip.decompress(package.read("indexes/index.cdx.gz")).decode().splitlines()


@pytest.mark.parametrize("seekable", [True, False])
def test_the_package_lists_every_file_with_its_digest(mirror: Path, seekable: bool) -> None:
    package = exported(mirror, None if seekable else Pipe())
    assert package.testzip() is None
    told = json.loads(package.read("datapackage.json"))
    assert (told["profile"], told["wacz_version"]) == ("data-package", "1.1.1")
    assert {each["path"] for each in told["resources"]} == set(package.namelist()) - {
        "datapackage.json", "datapackage-digest.json",
    }  # fmt: skip
    digest = json.loads(package.read("datapackage-digest.json"))
    for each in (*told["resources"], {**digest, "bytes": None}):
        data = package.read(each["path"])
        assert each["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        assert each["bytes"] in {None, len(data)}
    for path in ("archive/data.warc.gz", "indexes/index.cdx.gz"):
        assert package.getinfo(path).compress_type == zipfile.ZIP_STORED


def test_its_index_is_that_of_others_indexer(mirror: Path, tmp_path: Path) -> None:
    package = exported(mirror)
    package.extract("archive/data.warc.gz", tmp_path)
    command = [str(PROGRAMS / "cdxj-indexer"), "-s", str(tmp_path / "archive" / "data.warc.gz")]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    ours = [line.split(" ", 2) for line in lines(package)]
    assert len(ours) == 8
    assert [(key, when, json.loads(told)) for key, when, told in ours] == [
        (key, when, json.loads(told))
        for key, when, told in (line.split(" ", 2) for line in theirs.splitlines())
    ]
    warc = package.read("archive/data.warc.gz")
    for _, _, told in ours:
        place = json.loads(told)
        start, length = int(place["offset"]), int(place["length"])
        assert read_member(warc[start : start + length]).head.target_uri == place["url"]


def test_each_page_is_in_the_index(mirror: Path) -> None:
    package = exported(mirror)
    head, *pages = map(json.loads, package.read("pages/pages.jsonl").decode().splitlines())
    assert head["format"] == "json-pages-1.0"
    assert [(page["url"].rpartition("/")[2], page["ts"], page["title"]) for page in pages] == [
        ("a", "2026-06-20T12:00:00Z", "The a"),
        ("a", "2026-06-20T13:00:00Z", "The a"),
        ("a", "2026-06-20T14:00:00Z", "The a"),
        ("b.txt", "2026-06-20T12:00:00Z", "The b"),
    ]
    known = {(json.loads(line.split(" ", 2)[2])["url"], line.split()[1]) for line in lines(package)}
    for page in pages:
        assert (page["url"], page["ts"].translate({ord(c): None for c in "-:TZ"})) in known


def test_a_mirror_without_articles_is_a_package_too(tmp_path: Path) -> None:
    Archive.create(tmp_path / "m").close()
    package = exported(tmp_path / "m")
    assert lines(package) == []
    assert package.read("indexes/index.idx").count(b"\n") == 1
