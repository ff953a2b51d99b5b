"""The newsroom as files, and nginx in front of them: the same bytes, counted requests."""

from __future__ import annotations

import gzip
import hashlib
import http.client
from pathlib import Path

import msgspec
import pytest

from crawler.demo.newsroom import Newsroom
from storage.times import format_utc
from tests.newsroom_site import Written, read_manifest, seed_json, write_newsroom, write_site
from tests.nginx import Nginx, NginxMissing

KEYS = [
    "slug",
    "title",
    "summary",
    "body_md",
    "url",
    "canonical_source",
    "published_at",
    "updated_at",
    "lang",
    "topics",
    "entities",
    "alternates",
]


def test_every_representation_is_a_file_with_its_digest_and_date(tmp_path: Path) -> None:
    site = write_site(tmp_path, articles=5, base="http://127.0.0.1:1")
    lines = read_manifest(site.manifest)
    assert len(lines) == 20
    for line in lines:
        file = site.root / line.path.removeprefix("/")
        body = file.read_bytes()
        assert hashlib.sha256(body).hexdigest() == line.sha256
        assert body == site.newsroom.page(line.path).body
        assert gzip.decompress(Path(f"{file}.gz").read_bytes()) == body
    updated = {record.updated_at for record in site.newsroom.records}
    assert {line.updated_at for line in lines} == {format_utc(at) for at in updated if at}
    assert (site.root / "news/index.html").exists()


def test_records_are_written_as_the_seed_is(tmp_path: Path) -> None:
    site = write_site(tmp_path, articles=3, base="http://127.0.0.1:1", sources="https://w.example")
    lines = site.records.read_bytes().splitlines()
    assert [seed_json(record) for record in site.newsroom.records] == lines
    first = msgspec.json.decode(lines[1])
    assert list(first) == KEYS
    record = site.newsroom.records[1]
    assert record.updated_at is not None
    assert first["updated_at"] == str(record.updated_at)
    assert first["canonical_source"].startswith("https://w.example/")


def test_another_edition_changes_only_what_changed(tmp_path: Path) -> None:
    newsroom = Newsroom.create("http://127.0.0.1:1", 4)
    root = write_newsroom(tmp_path, newsroom).root
    slugs = [record.slug for record in newsroom.records]
    kept = (root / f"news/{slugs[2]}.md").stat()
    after = newsroom.edit(slugs[0]).delete(slugs[1]).drop_format(slugs[3], "text")
    write_newsroom(tmp_path, after)
    assert (root / f"news/{slugs[0]}").read_bytes() == after.page(f"/news/{slugs[0]}").body
    assert not (root / f"news/{slugs[1]}").exists()
    assert not (root / f"news/{slugs[1]}.md.gz").exists()
    assert not (root / f"news/{slugs[3]}.txt").exists()
    assert (root / f"news/{slugs[2]}.md").stat().st_mtime_ns == kept.st_mtime_ns


def get(nginx: Nginx, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers=named)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Nginx]:
    folder = tmp_path_factory.mktemp("newsroom")
    return folder, Nginx(folder / "site", folder / "nginx")


def test_nginx_serves_the_site_and_counts(running: tuple[Path, Nginx]) -> None:
    folder, nginx = running
    site: Written = write_site(folder, articles=3, base=nginx.base)
    with nginx:
        for path in site.newsroom.paths():
            page = site.newsroom.page(path)
            status, headers, body = get(nginx, path)
            assert (status, body) == (200, page.body)
            assert headers["Content-Type"].partition(";")[0] == page.media_type
            link = f'<{page.canonical}>; rel="canonical"' if page.canonical else None
            assert headers.get("Link") == link
        assert nginx.count("/news/") == 3 * 4 + 1
        first = next(site.newsroom.paths())
        status, headers, body = get(nginx, first, Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert body == Path(f"{site.root}{first}.gz").read_bytes()
        status, _, _ = get(nginx, first, If_None_Match=headers["ETag"], Accept_Encoding="gzip")
        assert status == 304
        served = nginx.served()
    assert len(served) == len(list(site.newsroom.paths())) + 2
    assert (served[-1].status, served[-1].method, served[-1].path) == (304, "GET", first)
    assert len(nginx.served()) == len(served)


def test_a_machine_without_nginx_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NginxMissing, match="nginx-light"):
        Nginx(tmp_path, tmp_path, also=str(tmp_path))
