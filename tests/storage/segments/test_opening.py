"""Where a mirror's segments are, by what mirror.json says."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import layout
from storage.errors import BadPlace, NotAMirror
from storage.segments.bucket import BucketSegments
from storage.segments.local import LocalSegments
from storage.segments.opening import open_at, open_segments
from tests.storage.drafts import article, stored


def test_segments_are_in_the_mirrors_folder_where_nothing_else_is_said(tmp_path: Path) -> None:
    assert isinstance(open_at(tmp_path, None), LocalSegments)


def test_segments_are_where_the_mirror_says(tmp_path: Path) -> None:
    place = f"file://{tmp_path}/elsewhere"
    layout.make(tmp_path / "m", segments=place)
    stored(tmp_path / "m", article())
    segments = open_segments(tmp_path / "m")
    assert isinstance(segments, BucketSegments)
    assert len(segments.names()) == 1
    assert not (tmp_path / "m" / "segments").exists()


def test_what_is_no_mirror_has_no_segments(tmp_path: Path) -> None:
    with pytest.raises(NotAMirror):
        open_segments(tmp_path)
    with pytest.raises(BadPlace):
        open_at(tmp_path, "s3:///")
