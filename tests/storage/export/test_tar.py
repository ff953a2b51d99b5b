"""A tree of files as a tar stream."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.export.choosing import Chosen
from storage.export.files import write_files
from storage.export.tar import Tarred
from tests.storage.drafts import SEEN, article, hour, stored, words


def test_files_come_with_the_moments_of_their_fetches(tmp_path: Path) -> None:
    stored(tmp_path, article(coding="gzip"), article(edition=" 2", seen=hour(2)), files=False)
    out = io.BytesIO()
    with Archive.open(tmp_path) as archive, Tarred(out) as tar:
        done = write_files(archive, tar, Chosen(at=hour(1)))
    out.seek(0)
    with tarfile.open(fileobj=out, mode="r|") as read:
        found = {one.name: (one.mtime, one.mode, read.extractfile(one).read()) for one in read}  # type: ignore[union-attr]  # all are files
    seen = int(SEEN.timestamp())
    assert done.files == 2
    assert found == {
        "news.example/news/story.html": (seen, 0o644, words("story", "html", "")),
        "news.example/news/story.md": (seen, 0o644, words("story", "markdown", "")),
    }


def test_an_error_leaves_it_without_its_end() -> None:
    out = io.BytesIO()
    with pytest.raises(ValueError, match="no name for a file"), Tarred(out) as tar:
        tar.write("../up", b"", SEEN)
    assert not out.getvalue().endswith(bytes(1024))
