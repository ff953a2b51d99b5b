"""serve: a server that says where it is, stops when told to, and refuses in a sentence."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.crawler.commands.calling import complaint, slugline
from tests.storage.drafts import article, stored


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    stored(tmp_path, article())
    command = [sys.executable, "-c", "from crawler.cli import main; main()", "serve"]
    process = subprocess.Popen(
        [*command, "--mirror", str(tmp_path), "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    address = said.split(" served at ")[1].split(" ")[0]
    with urllib.request.urlopen(address) as answer:
        assert b"What changed" in answer.read()
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=20)[1]
    assert (process.returncode, rest) == (0, "")


def test_a_folder_that_is_no_mirror_is_refused(tmp_path: Path) -> None:
    result = slugline("serve", "--mirror", str(tmp_path))
    assert result.exit_code == 2
    assert "is no mirror" in complaint(result)


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    stored(tmp_path, article())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = slugline("serve", "--mirror", str(tmp_path), "--port", str(port))
    assert result.exit_code == 2
    assert f"127.0.0.1 port {port}" in complaint(result)
    assert "choose another" in complaint(result)


def test_a_public_url_is_a_url(tmp_path: Path) -> None:
    result = slugline("serve", "--mirror", str(tmp_path), "--public-url", "archive.example.org")
    assert result.exit_code == 2
    assert "https://" in complaint(result)


def test_who_may_read_it_is_said_where_all_may(tmp_path: Path) -> None:
    stored(tmp_path, article())
    everybody = "0.0.0.0"  # noqa: S104  - what is warned of
    command = [sys.executable, "-c", "from crawler.cli import main; main()", "serve"]
    process = subprocess.Popen(
        [*command, "--mirror", str(tmp_path), "--port", "0", "--host", everybody],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(2)]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert said[1] == "slugline: everybody who reaches this address can read it\n"
