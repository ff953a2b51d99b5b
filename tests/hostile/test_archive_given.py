"""An archive that somebody else gave us: segments that no honest writer made."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from isal import isal_zlib
from msgspec import structs

from storage.archive import Archive
from storage.errors import ArchiveError, DamageFound
from storage.reindex import reindex
from storage.warc import GZIP_HEADER, build_response, new_record_id
from tests.hostile.archives import GOOD, everything, group, made, member, segments
from tests.hostile.harness import slugline
from tests.storage.drafts import SITE, article, segment_files, stored
from tests.storage.segment_samples import payload

NOW = datetime(2026, 7, 1, tzinfo=UTC)
NAME = "20260621T000000000000Z-1.warc.gz"
_MIB = 1 << 20

Spoil = Callable[[dict[str, Any]], None]


def _put(root: Path, data: bytes) -> Path:
    path = root / "segments" / SITE / NAME
    path.write_bytes(data)
    return path


def _set(name: str, value: object) -> Spoil:
    return lambda manifest: manifest.update({name: value})


def _format(**fields: object) -> Spoil:
    one = {
        "format": "html",
        "url": "https://news.example/news/evil",
        "final_url": "https://news.example/news/evil",
        "status": 200,
        "media_type": "text/html",
        "digest": "0" * 64,
        "length": 3,
        "fetched_at": "2026-06-20T12:00:00Z",
        **fields,
    }
    return _set("representations", [one])


def _ref(**fields: object) -> dict[str, object]:
    return {"id": "urn:uuid:1", "type": "response", "role": "html", "length": 10, **fields}


MANIFESTS: dict[str, Spoil] = {
    "a file two folders up": _format(file="../../x"),
    "a file at the root": _format(file="/etc/slugline-was-here"),
    "a file up from the middle": _format(file="news.example/../../../x"),
    "a file up on Windows": _format(file="news.example\\..\\..\\x"),
    "a site called ..": _set("site", ".."),
    "a site of two names": _set("site", "a/b"),
    "a site of another folder": _set("site", "other.example"),
    "another slug than the URN": _set("slug", "story"),
    "a sequence number of 2^63": _set("sequence", 1 << 63),
    "a sequence number of 2^64": _set("sequence", 1 << 64),
    "a sequence number below 0": _set("sequence", -1),
    "a revision of 2^63 - 1": _set("revision", (1 << 63) - 1),
    "a year of 99999": _set("observed_at", "99999-01-01T00:00:00Z"),
    "a moment without a zone": _set("observed_at", "2026-01-01T00:00:00"),
    "a newer format": _set("format", 3),
    "format 0": _set("format", 0),
    "format -1": _set("format", -1),
    "a format in quotes": _set("format", "1"),
    "a format that is none": _set("format", None),
    "a kind of its own": _set("kind", "rumour"),
    "formats that are no list": _set("representations", {"html": 1}),
    "records that are no list": _set("records", 7),
    "a site that is a number": _set("site", 7),
    "a key that is a list": _set("key", []),
    "a length below 0": _format(length=-1),
    "a length of 2^63": _format(length=1 << 63),
    "a status of 2^70": _format(status=1 << 70),
    "a record of nothing": _set("records", [_ref(length=0)]),
    "a record backwards": _set("records", [_ref(length=-100)]),
    "a record of 2^62": _set("records", [_ref(length=1 << 62)]),
    "a record past the end, and all bytes there": _set("records", [_ref(length=100)] * 2),
    "two thousand records": _set("records", [_ref(id=f"urn:uuid:{n}") for n in range(2_000)]),
    "no key": _set("key", None),
    "no reason": _set("reason", None),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_lies_is_damage(name: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    _damaged(root, group(MANIFESTS[name]))


BLOCKS: dict[str, bytes] = {
    "10,000 deep": b'{"format":1,"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "deep where a value is": b'{"format":1,"record":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
    "deep before the format": b'{"x":' + b"[" * 100_000,
    "not JSON": b"<html>",
    "empty": b"",
    "not UTF-8": b'{"format":1,"site":"\xff\xfe"}',
    "half a surrogate": b'{"format":1,"site":"\\ud800"}',
    "nothing but a version": b'{"format":1}',
    "a version of a thousand digits": b'{"format":' + b"9" * 1_000 + b"}",
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_manifest_that_is_no_manifest_is_damage(name: str, tmp_path: Path) -> None:
    _damaged(made(tmp_path), group(block=BLOCKS[name]))


FIELDS: dict[str, dict[str, str | None]] = {
    "a length below 0": {"Content-Length": "-5"},
    "a length past the end": {"Content-Length": "999999"},
    "a length of a petabyte": {"Content-Length": "1211111111111111"},
    "a length of 10^30": {"Content-Length": "1" + "0" * 30},
    "a length too short": {"Content-Length": "3"},
    "a length with a sign": {"Content-Length": "+5"},
    "no length": {"Content-Length": None},
    "no id": {"WARC-Record-ID": None},
    "no type": {"WARC-Type": None},
    "another digest": {"WARC-Block-Digest": "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
    "no digest": {"WARC-Block-Digest": None},
    "another URN": {"WARC-Target-URI": f"urn:slugline:{SITE}/story"},
    "a URN of another site": {"WARC-Target-URI": "urn:slugline:other.example/evil"},
    "no URN": {"WARC-Target-URI": "https://news.example/news/evil"},
    "another type": {"WARC-Type": "conversion"},
    "a header of 64 KiB": {"X-Long": "x" * (64 << 10)},
    "30,000 fields": {f"X-{n}": "x" for n in range(30_000)},
}


@pytest.mark.parametrize("name", FIELDS)
def test_a_record_that_lies_of_itself_is_damage(name: str, tmp_path: Path) -> None:
    # A sound group after it: else what can't be read might be a torn write.
    _damaged(made(tmp_path), group(fields=FIELDS[name]) + group())


def _damaged(root: Path, data: bytes) -> None:
    """Assert that a segment of these bytes is damage, named, and that all else stays as it was."""
    path = _put(root, data)
    before = segments(root)
    with pytest.raises(DamageFound, match=NAME):
        reindex(root, NOW)
    with pytest.raises(DamageFound, match=NAME):
        stored(root, article("next"))
    assert segments(root) == before
    assert path.read_bytes() == data
    _still_good(root)


def _still_good(root: Path) -> None:
    with Archive.open(root) as archive:
        manifest = archive.newest(SITE, "story")
        assert manifest is not None
        assert archive.body(manifest, "html").decoded == GOOD


async def test_a_manifest_of_a_million_formats(tmp_path: Path) -> None:
    root = made(tmp_path)
    one = json.loads(json.dumps(_told(_format())))["representations"][0]
    _put(root, group(_set("representations", [one] * 200_000)) + group())
    done = await everything(tmp_path, (4,), "besides the article's text", only=("body",))
    assert done["reindex"].code == done["mirror"].code == 4


def _told(spoil: Spoil) -> dict[str, Any]:
    told: dict[str, Any] = {}
    spoil(told)
    return told


def test_a_group_that_is_there_twice_is_damage(tmp_path: Path) -> None:
    _damaged(made(tmp_path), group() * 2)


def test_a_copy_of_a_segment_under_another_name_is_damage(tmp_path: Path) -> None:
    root = made(tmp_path)
    _damaged(root, segment_files(root)[0].read_bytes())


REVISITS: dict[str, str] = {
    "to nowhere": "urn:uuid:00000000-0000-4000-8000-000000000000",
    "to itself": "urn:uuid:00000000-0000-4000-8000-000000000001",
    "to another article": "",
}


@pytest.mark.parametrize("name", REVISITS)
async def test_a_revisit_that_leads_wrong_shows_nothing(name: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    with Archive.open(root) as archive:
        other = archive.newest(SITE, "story")
    assert other is not None
    own = "urn:uuid:00000000-0000-4000-8000-000000000001"
    target = REVISITS[name] or other.representations[0].record_id
    record = build_response(payload(), record_id=own, concurrent_to=new_record_id())

    def spoil(manifest: dict[str, Any]) -> None:
        _format(record_id=own, target_id=target, file="news.example/news/evil.html")(manifest)
        manifest["records"] = [_ref(id=own, length=len(record.member))]

    _put(root, group(spoil, records=[record.member]))
    assert reindex(root, NOW).snapshots == 4
    done = await everything(tmp_path, (4,), "damage in", only=("list", "body"))
    assert done["reindex"].code == 0
    assert done["files"].code == 4
    outcome = await slugline(tmp_path, "show", "evil", "--format", "html", "--mirror", str(root))
    outcome.sane(4)
    assert outcome.stdout == ""
    assert not (tmp_path / "out" / "news.example" / "news" / "evil.html").exists()


async def test_a_body_that_is_another_than_its_digest_is_not_shown(tmp_path: Path) -> None:
    root = made(tmp_path)
    own = new_record_id()
    record = build_response(payload(), record_id=own, concurrent_to=new_record_id())

    def spoil(manifest: dict[str, Any]) -> None:
        _format(record_id=own, length=12, file="news.example/news/evil.html")(manifest)
        manifest["records"] = [_ref(id=own, length=len(record.member))]

    _put(root, group(spoil, records=[record.member]))
    assert reindex(root, NOW).snapshots == 4
    done = await everything(tmp_path, (4,), NAME, only=("list", "body"))
    assert done["files"].code == 4
    outcome = await slugline(tmp_path, "show", "evil", "--format", "html", "--mirror", str(root))
    outcome.sane(4)
    assert outcome.stdout == ""
    assert NAME in outcome.stderr
    assert not (root / "files" / "news.example" / "news" / "evil.html").exists()


def _bomb(opening: bytes, size: int) -> bytes:
    """Return a member of ours that decodes to ``opening``, ``size`` zeros and a record's end."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [squeeze.compress(opening), squeeze.flush(zlib.Z_FULL_FLUSH)]
    # After a full flush nothing refers to what came before: one MiB stands for all of them.
    parts += [squeeze.compress(bytes(_MIB)) + squeeze.flush(zlib.Z_FULL_FLUSH)] * (size // _MIB)
    parts += [squeeze.compress(b"\r\n\r\n"), squeeze.flush()]
    crc, zeros = isal_zlib.crc32(opening), bytes(_MIB)
    for part in (*[zeros] * (size // _MIB), b"\r\n\r\n"):
        crc = isal_zlib.crc32(part, crc)
    whole = (len(opening) + size + 4) & 0xFFFFFFFF
    return b"".join((GZIP_HEADER, *parts, struct.pack("<II", crc, whole)))


@pytest.mark.parametrize("where", ["header", "manifest", "warcinfo"])
async def test_a_gibibyte_of_zeros_in_a_group(where: str, tmp_path: Path) -> None:
    root = made(tmp_path)
    size = 1024 * _MIB
    kind = "warcinfo" if where == "warcinfo" else "metadata"
    opening = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{new_record_id()}>\r\n"
        f"WARC-Target-URI: urn:slugline:{SITE}/evil\r\nContent-Length: {size}\r\n"
    ).encode()
    ending = b"X: " if where == "header" else b"\r\n"
    _put(root, _bomb(opening + ending, size) + group())
    done = await everything(tmp_path, (4,), NAME, only=("body",))
    assert done["reindex"].code == done["mirror"].code == 4


async def test_a_gibibyte_of_zeros_in_a_body(tmp_path: Path) -> None:
    root = made(tmp_path)
    size = 1024 * _MIB
    own = new_record_id()
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    opening = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <{own}>\r\n"
        f"Content-Type: application/http\r\nContent-Length: {len(http) + size}\r\n\r\n"
    ).encode() + http
    record = _bomb(opening, size)

    def spoil(manifest: dict[str, Any]) -> None:
        _format(record_id=own, length=size)(manifest)
        manifest["records"] = [_ref(id=own, length=len(record))]

    _put(root, group(spoil, records=[record]) + group(slug="after"))
    done = await everything(tmp_path, (4,), NAME, only=("body",))
    assert done["reindex"].code == done["mirror"].code == 4


async def test_a_coded_body_that_swells(tmp_path: Path) -> None:
    root = made(tmp_path)
    own = new_record_id()
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    one = squeeze.compress(bytes(_MIB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    more = squeeze.compress(bytes(_MIB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    body = one + more * 1023
    answer = payload(body=b"x", coded=True)
    record = build_response(
        structs.replace(answer, body=body), record_id=own, concurrent_to=new_record_id()
    )

    def spoil(manifest: dict[str, Any]) -> None:
        _format(
            record_id=own,
            length=1024 * _MIB,
            content_encoding="gzip",
            file="news.example/news/evil.html",
        )(manifest)
        manifest["records"] = [_ref(id=own, length=len(record.member))]

    _put(root, group(spoil, records=[record.member]))
    assert reindex(root, NOW).snapshots == 4
    for arguments in (
        ("show", "evil", "--format", "html"),
        ("export", "files", str(tmp_path / "out")),
    ):
        outcome = await slugline(tmp_path, *arguments, "--mirror", str(root))
        outcome.sane(4)
        assert NAME in outcome.stderr


@pytest.mark.parametrize("magic", [b"\x1f\x8b", b"\x1f\x8b\x08", GZIP_HEADER])
async def test_beginnings_of_members_without_end(magic: bytes, tmp_path: Path) -> None:
    root = made(tmp_path)
    path = _put(root, group() + magic * (16 * _MIB // len(magic)))
    whole = path.read_bytes()
    outcome = await slugline(tmp_path, "reindex", "--mirror", str(root))
    outcome.sane(0, 4)
    if outcome.code:
        assert NAME in outcome.stderr
    assert path.read_bytes() == whole
    assert outcome.seconds < 30  # minutes, were it looked into at each byte
    _still_good(root)


def test_a_record_that_is_no_record(tmp_path: Path) -> None:
    for content in (b"", b"WARC/1.1", b"\r\n" * 40_000, b"WARC/1.1\r\n\r\n", b"\0" * 500):
        _damaged_or_torn(made(tmp_path / str(len(content))), member(content) + group())


def _damaged_or_torn(root: Path, data: bytes) -> None:
    path = _put(root, data)
    with pytest.raises(ArchiveError):
        reindex(root, NOW)
    assert path.read_bytes() == data
