"""OUT in a bucket, tried on moto's S3 server: whole or not there, and no secret in a sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer
from obstore import delete, get
from obstore import list as listed
from obstore.store import S3Store

from storage.archive import Archive
from storage.errors import BadPlace, BucketFailed, MissingExtra
from storage.export.bucket import Folder, uploading
from storage.export.choosing import Chosen
from storage.export.files import write_files
from tests.storage.drafts import article, stored, words

HIDDEN = "a-secret-that-nobody-may-read"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Store]:
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": HIDDEN,
    }.items():
        monkeypatch.setenv(name, value)
    urlopen(Request(f"{server}/exports", method="PUT")).close()
    store = S3Store("exports")
    yield store
    delete(store, list(names(store)))


def names(store: S3Store) -> list[str]:
    return sorted(one["path"] for page in listed(store) for one in page)


def test_a_stream_becomes_an_object_when_it_has_ended(bucket: S3Store) -> None:
    with uploading("s3://exports/some/where.bin") as stream:
        for _ in range(40):
            stream.write(b"x" * MEGABYTE)
        assert names(bucket) == []
    assert names(bucket) == ["some/where.bin"]
    assert get(bucket, "some/where.bin").bytes() == b"x" * 40 * MEGABYTE


def interrupted(written: bytes) -> None:
    with uploading("s3://exports/x") as stream:
        stream.write(written)
        raise KeyboardInterrupt


@pytest.mark.parametrize("length", [1, 40 * MEGABYTE])
def test_what_ends_in_an_error_is_never_seen(bucket: S3Store, length: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(b"x" * length)
    assert names(bucket) == []


def test_an_object_that_was_there_stays_until_the_new_one_is_whole(bucket: S3Store) -> None:
    with uploading("s3://exports/x") as stream:
        stream.write(b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted(b"new")
    assert get(bucket, "x").bytes() == b"old"


def test_files_become_objects_under_a_prefix(bucket: S3Store, tmp_path: Path) -> None:
    stored(tmp_path, article(coding="gzip"))
    with Archive.open(tmp_path) as archive:
        write_files(archive, Folder("s3://exports/site"), Chosen())
    assert names(bucket) == [
        "site/news.example/news/story.html",
        "site/news.example/news/story.md",
    ]
    page = get(bucket, "site/news.example/news/story.html").bytes()
    assert page == words("story", "html", "")
    with pytest.raises(ValueError, match="no name"):
        Folder("s3://exports").write("../x", b"", article().manifest.observed_at)


@pytest.mark.usefixtures("bucket")
def test_a_failure_is_a_sentence_without_secrets() -> None:
    with pytest.raises(BucketFailed) as told, uploading("s3://nobodys-bucket/x") as stream:
        stream.write(b"x")
    assert str(told.value) == "s3://nobodys-bucket/x could not be written: there is no such bucket"


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(
    "url", [f"s3://key:{HIDDEN}@exports/x", f"s3://exports/x?token={HIDDEN}", "s3:///x", "s3://b"]
)
def test_a_place_that_is_none_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(BadPlace) as told, uploading(url):
        pass
    assert HIDDEN not in str(told.value)


def test_without_obstore_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    with (
        pytest.raises(MissingExtra, match=r"pip install 'slugline\[cluster\]'"),
        uploading("s3://b/x"),
    ):
        pass
