"""sync: what it checks and says before it asks anybody, and what a run leaves for the operator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.crawler.commands.calling import complaint, lines, slugline
from tests.crawler.copying import alternate
from tests.crawler.small_site import article

SITES = """
[defaults]
rate = 0
probe = false
headers = { X-Key = "s3cret" }
[fetch]
attempts = 1
[[site]]
url = "https://example.org/news"
name = "news"
schedule = "*/15 * * * *"
max_requests = 100
[[site]]
url = "https://example.net/"
proxy = "http://user:s3cret@proxy.example:3128"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(SITES)
    return path


class Handler(BaseHTTPRequestHandler):
    """Answers with the pages of its server."""

    def do_GET(self) -> None:
        found: str | None = self.server.pages.get(self.path)  # type: ignore[attr-defined]  # ours
        body = (found or "not here").encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """Serve one article whose Markdown is missing; give a config for it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    base = f"http://127.0.0.1:{server.server_port}"
    page = article("Story", head=alternate("text/markdown", f"{base}/a.md")).body
    server.pages = {"/": '<a href="/a">a</a>', "/a": page}  # type: ignore[attr-defined]  # ours
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    path = tmp_path / "site.toml"
    path.write_text(
        f"[defaults]\nrate = 0\nprobe = false\n[fetch]\nattempts = 1\n"
        f'[[site]]\nurl = "{base}/"\nname = "small"\n'
    )
    yield path
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_check_says_what_each_site_would_do_and_asks_nobody(config: Path) -> None:
    shown = slugline("sync", "--config", config, "--check")
    assert shown.exit_code == 0
    assert "news: https://example.org/news\n" in shown.stdout
    assert "is called  news where it is new; a site that is in the mirror keeps its" in shown.stdout
    assert "is due     */15 * * * *" in shown.stdout
    assert "1,000,000 articles or 100 requests of a run" in shown.stdout
    assert f"2 sites, kept in {config.parent / 'mirror'}; nobody was asked." in shown.stdout
    assert "s3cret" not in shown.stdout
    assert list(config.parent.iterdir()) == [config]


def test_a_check_for_programs_holds_no_secret(config: Path) -> None:
    shown = slugline("sync", "--config", config, "--check", "--json", "example.net")
    (one,) = lines(shown)
    assert (one["site"], one["rate"], one["proxy"]) == ("example.net", 0, True)
    assert one["headers"] == ["X-Key"]
    assert "s3cret" not in shown.stdout


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no [[site]]"),
        ('[[site]]\nurl = "x"', "site[0].url = 'x': must be an absolute URL"),
        ('[[site]]\nurl = "https://u:s3cret@example.org/"', "no name or password"),
        ('[[site]]\nurl = "https://example.org/"\nname = "A/B"', "site[0].name = 'A/B'"),
        ('[[site]]\nurl = "https://example.org/"\nschedule = "often"', "five fields"),
        ('[[site]]\nurl = "https://example.org/"\ndiscovery = ["rss"]', "site[0].discovery[0]"),
        ('[[site]]\nurl = "https://example.org/"\ngone_aftr = 1', "did you mean gone_after?"),
    ],
)
def test_a_wrong_file_is_refused_and_nothing_is_made(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    for more in ((), ("--check",)):
        said = complaint(slugline("sync", "--config", path, *more))
        assert words in said
        assert "s3cret" not in said
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_site_and_a_missing_file_are_named(config: Path) -> None:
    assert "'x' is no site of" in complaint(slugline("sync", "x", "--config", config))
    assert "cannot be read" in complaint(slugline("sync", "--config", config.parent / "none"))


def test_metrics_need_a_folder_before_anybody_is_asked(config: Path) -> None:
    where = config.parent / "none" / "slugline.prom"
    assert f"--metrics {where}" in complaint(
        slugline("sync", "--config", config, "--metrics", where)
    )


def test_trouble_is_told_once_and_counted_when_strict(site: Path) -> None:
    prom = site.parent / "slugline.prom"
    first = call("--quiet", config=site)
    assert first.returncode == 1
    assert "partial: " in first.stderr
    again = call("--quiet", "--metrics", str(prom), config=site)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert 'slugline_site_partial{site="small"} 1' in prom.read_text()
    assert "slugline_run_exit_code 0" in prom.read_text()
    strict = call("--quiet", "--strict", config=site)
    assert strict.returncode == 1
    assert "1 partial article, known before" in strict.stderr
    assert (site.parent / "mirror" / "mirror.json").exists()


def test_the_last_line_for_programs_is_the_summary(site: Path) -> None:
    done = call("--json", "--quiet", config=site)
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["sites"], summary["partial"], summary["verify_bound_days"]) == (1, 1, 30)


def call(*flags: str, config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from crawler.cli import main; main()", "sync",
         "--config", str(config), *flags],
        capture_output=True, text=True, check=False, env=os.environ | {"LANG": "C"},
    )  # fmt: skip


def test_python_may_call_it_too() -> None:
    from crawler import mirror, sync  # noqa: PLC0415  - that this works is what is shown

    assert (callable(mirror), callable(sync)) == (True, True)


def test_a_check_says_what_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[[site]]\nurl = "https://example.org/"\ninclude = ["/news/*"]\nexclude = ["/news/old/*"]\n'
    )
    shown = slugline("sync", "--config", path, "--check").stdout
    assert "  includes   /news/*\n" in shown
    assert "  excludes   /news/old/*\n" in shown
    assert "sends" not in shown
