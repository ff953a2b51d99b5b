"""Opening a bucket, and what is said of one that fails: never what a cloud said of credentials."""

from __future__ import annotations

from pathlib import Path

import obstore
import pytest
from obstore.exceptions import GenericError

from storage.buckets import bucket_errors, open_bucket
from storage.errors import BadPlace, StoreFailed

HIDDEN = "AKIA-hidden"


@pytest.mark.parametrize(
    ("url", "path"),
    [("a", "a"), ("a/", "a/"), ("a/b", "a/b")],
)
def test_a_path_in_a_bucket_is_a_file_or_a_folder(
    url: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert open_bucket(f"s3://bucket/{url}", "this test")[1] == path


def test_a_folder_of_files_is_made_where_that_is_wanted(tmp_path: Path) -> None:
    store, path = open_bucket(f"file://{tmp_path}/new", "this test")
    obstore.put(store, "a/b", b"words")
    assert (path, (tmp_path / "new/a/b").read_bytes()) == ("", b"words")
    with pytest.raises(BadPlace):
        open_bucket(f"file://{tmp_path}/none", "this test", make=False)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("url", [f"s3://key:{HIDDEN}@b/x", f"s3://b/x?token={HIDDEN}", "s3:///x"])
def test_what_names_no_bucket_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(BadPlace) as told:
        open_bucket(url, "this test")
    assert HIDDEN not in str(told.value)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError("x"), "there is no such bucket"),
        (GenericError(f"status code: 403 <Code>AccessDenied</Code> {HIDDEN}"), "403 AccessDenied"),
        (GenericError(f"status code: 503 {HIDDEN}"), "its server said 503"),
        (GenericError(f"connection refused {HIDDEN}"), "its server could not be reached"),
        (OSError("LocalFileSystem: (os error 13)"), "Permission denied"),
        (OSError("LocalFileSystem: something"), "the folder said: no"),
    ],
)
def test_a_failure_is_said_in_words_of_ours(error: Exception, said: str) -> None:
    with pytest.raises(StoreFailed, match=said) as raised, bucket_errors(StoreFailed):
        raise error
    assert HIDDEN not in str(raised.value)
