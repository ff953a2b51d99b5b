"""What of a damaged segment is kept: whole groups, and of others what is sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.manifest import decode
from storage.segments.local import LocalSegments
from storage.upkeep.salvage import WHY_MISSING, Salvage, salvage, without
from storage.warc_read import read_member
from tests.storage.drafts import SITE, article, segment_files, stored
from tests.storage.segment_samples import group, store


def salvaged(segments: LocalSegments, gone: dict[int, set[str]] | None = None) -> Salvage:
    (name,) = segments.names()
    with segments.source(name) as source:
        return salvage(source, None, source.size, gone or {})


def path_of(segments: LocalSegments) -> Path:
    (path,) = segment_files(segments.root)
    return path


def harm(segments: LocalSegments, at: int) -> None:
    data = bytearray(path_of(segments).read_bytes())
    data[at : at + 8] = bytes(8)
    path_of(segments).write_bytes(data)


def test_a_sound_segment_is_kept_as_it_stands(tmp_path: Path) -> None:
    segments, _ = store(tmp_path, group(1), group(2))
    found = salvaged(segments)
    assert found.pieces == [(0, path_of(segments).stat().st_size)]
    assert (found.broken, found.editions, found.groups, found.headless) == ([], [], 2, False)


def test_a_group_whose_manifest_is_broken_goes_as_a_whole(tmp_path: Path) -> None:
    segments, places = store(tmp_path, group(1), group(2), group(3))
    harm(segments, places[1].offset + 30)
    found = salvaged(segments)
    assert found.groups == 2
    assert found.broken == [(places[1].offset, places[2].offset - places[1].offset)]
    assert found.pieces == [
        (0, places[1].offset),
        (places[2].offset, path_of(segments).stat().st_size - places[2].offset),
    ]


@pytest.mark.segment_files("a file is what is harmed")
def test_a_broken_body_leaves_the_rest_of_its_group(tmp_path: Path) -> None:
    (manifest,) = stored(tmp_path, article(), files=False)
    segments = LocalSegments(tmp_path)
    first, second = manifest.records
    size = path_of(segments).stat().st_size
    harm(segments, size - second.length - first.length + 60)
    found = salvaged(segments)
    (edition,) = found.editions
    assert (edition.site, edition.slug, list(edition.bodies), edition.whole) == (
        SITE, "story", ["html"], False,
    )  # fmt: skip
    assert found.broken == [(size - second.length - first.length, first.length)]
    rewritten = next(piece for piece in found.pieces if isinstance(piece, bytes))
    again = decode(read_member(rewritten).body)
    assert (again.state, again.missing) == ("partial", {"html": WHY_MISSING})
    assert [one.format for one in again.representations] == ["markdown"]
    assert again.records == (second,)
    assert found.pieces[-1] == (size - second.length, second.length)


@pytest.mark.segment_files("a file is what is harmed")
def test_what_can_be_kept_no_longer_goes_too(tmp_path: Path) -> None:
    (manifest,) = stored(tmp_path, article(), files=False)
    segments = LocalSegments(tmp_path)
    size = path_of(segments).stat().st_size
    (name,) = segments.names()
    found = salvaged(segments)
    assert found.editions == []
    with segments.source(name) as source:
        at = source.read(0, size).index(b"\x1f\x8b", 1)
    found = salvaged(segments, {at: {ref.id for ref in manifest.records}})
    (edition,) = found.editions
    assert sorted(edition.bodies) == ["html", "markdown"]
    assert found.broken == []


def test_a_segment_without_its_first_record_is_said_to_be(tmp_path: Path) -> None:
    segments, places = store(tmp_path, group(1))
    path = path_of(segments)
    path.write_bytes(path.read_bytes()[places[0].offset :])
    found = salvaged(segments)
    assert (found.headless, found.groups) == (True, 1)


def test_a_manifest_names_no_longer_what_is_lost(tmp_path: Path) -> None:
    (manifest,) = stored(tmp_path, article(), files=False)
    first, second = manifest.records
    assert without(manifest, set()) == manifest
    less = without(manifest, {first.id})
    assert (less.state, list(less.missing), less.records) == ("partial", ["html"], (second,))
    none = without(manifest, {"urn:uuid:a-hop-of-nobody"})
    assert none == manifest
