"""Flags and a config file become one request, checked before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawler.commands.failures import UsageError
from crawler.commands.request import make, read_records, scope, with_flags
from crawler.config.errors import ConfigError
from crawler.config.settings import Settings
from crawler.request import MirrorRequest

CONFIG = """
[defaults]
rate = 1.0
headers = { A = { env = "SLUGLINE_TEST_TOKEN" }, B = "file" }
[store]
files = false
[[site]]
url = "https://example.org/"
rate = 0.5
[[site]]
url = "https://example.net/"
"""


def asked(*urls: str, config: Path | None = None, **flags: Any) -> MirrorRequest:
    return make(urls, Path("m"), flags, config, None, ignore_robots=False, verify="all")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLUGLINE_TEST_TOKEN", "t0ken")
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def test_without_flags_the_defaults_stand() -> None:
    request = asked("https://example.org/")
    assert request.settings == Settings()
    assert (request.command, request.sites, request.verify) == ("mirror", (), "all")


def test_urls_are_normalised_and_named_once() -> None:
    request = asked("HTTPS://Example.ORG:443/news/#top", "https://example.org/news/")
    assert request.urls == ("https://example.org/news/",)


def test_flags_win_over_the_file(config: Path) -> None:
    request = asked("https://example.org/x", config=config, rate=7.0, files=None)
    assert (request.settings.rate, request.settings.files) == (7.0, False)


def test_a_sites_own_settings_are_found_by_its_url(config: Path) -> None:
    assert asked("https://example.org/x", config=config).settings.rate == 0.5
    assert asked("https://example.com/", config=config).settings.rate == 1.0


def test_sites_of_different_settings_are_mirrored_one_at_a_time(config: Path) -> None:
    with pytest.raises(UsageError, match=r"example\.net, example\.org: mirror them one at a time"):
        asked("https://example.org/", "https://example.net/", config=config)


def test_headers_of_flag_and_file_come_together(config: Path) -> None:
    request = asked("https://example.com/", config=config, headers=["B: flag", "C:x: y"])
    shown = {name: value.get_secret_value() for name, value in request.settings.headers.items()}
    assert shown == {"A": "t0ken", "B": "flag", "C": "x: y"}
    assert "t0ken" not in repr(request)


def test_all_wrong_flags_are_named_as_they_are_spelled() -> None:
    with pytest.raises(ConfigError) as caught:
        with_flags(Settings(), {"max_articles": 0, "formats": ["A"], "headers": ["A: b\nc"]})
    paths = {problem.path for problem in caught.value.problems}
    assert paths == {"--max-articles", "--format", "--header"}


@pytest.mark.parametrize("text", ["example.org", "//example.org/", "mailto:a@example.org"])
def test_a_scope_needs_its_scheme(text: str) -> None:
    with pytest.raises(UsageError, match="has no scheme"):
        scope(text)


def test_a_password_in_a_url_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        scope("https://user:s3cret@example.org/")
    assert "s3cret" not in str(caught.value)


def test_records_are_read_with_the_files_name_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "urls.txt"
    path.write_text("# mine\nhttps://example.org/a\n")
    assert [hint.url for hint in read_records(path)] == ["https://example.org/a"]
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"^--records .*urls\.txt, line 1"):
        read_records(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_records(tmp_path)
