"""A run in the foreground: who is told what, which code it ends with, and how it is stopped."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crawler.commands.running import Voice, exit_code
from crawler.progress.drawing import RichProgress
from crawler.progress.reporters import JsonLog, PlainProgress, Quiet
from crawler.progress.tally import Tally
from storage.archive import Archive
from storage.search.opening import opened
from tests.crawler.commands.calling import slugline
from tests.crawler.small_site import Page, SmallSite, article
from tests.s3 import BUCKET, served


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("tally", "code"),
    [
        (Tally(), 0),
        (Tally(failed_before=3), 0),
        (Tally(failed=1), 1),
        (Tally(partial=1), 1),
        (Tally(partial=2, partial_before=2), 0),
        (Tally(failed=1, interrupted=True), 130),
    ],
)
def test_the_exit_code_is_the_contracts(tally: Tally, code: int) -> None:
    assert exit_code(tally) == code


def test_the_reporter_suits_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(Voice(quiet=True, log_format="json").reporter(), Quiet)
    assert isinstance(Voice(log_format="json").reporter(), JsonLog)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(Voice().reporter(), PlainProgress)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(Voice().reporter(), RichProgress)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Listen, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        yield listener


def start(
    listener: socket.socket, folder: Path, grace: float
) -> tuple[subprocess.Popen[str], socket.socket]:
    """Start a mirror of the silent server; return once it waits, with the connection."""
    config = folder / "config.toml"
    config.write_text(f"[fetch]\ngrace = {grace}\n")
    port = listener.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", "from crawler.cli import main; main()", "mirror",
         f"http://127.0.0.1:{port}/", "--into", str(folder / "m"), "--config", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"LANG": "C"},
    )  # fmt: skip
    connection, _ = listener.accept()
    connection.recv(1)
    return process, connection


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_within_its_grace_and_saves(
    number: signal.Signals, silent: socket.socket, tmp_path: Path
) -> None:
    process, connection = start(silent, tmp_path, 0)
    with process, connection:
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopping" in err
    assert out.startswith("Interrupted, and saved")


def test_a_second_ctrl_c_ends_it_at_once(silent: socket.socket, tmp_path: Path) -> None:
    process, connection = start(silent, tmp_path, 3600)
    with process, connection:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        while "stopping" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130


@pytest.fixture
def publishing(tmp_path: Path) -> Iterator[SmallSite]:
    """Serve a small site from a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    site = SmallSite()
    asyncio.run_coroutine_threadsafe(site.__aenter__(), loop).result()
    yield site
    asyncio.run_coroutine_threadsafe(site.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def command(site: SmallSite, root: Path, *flags: str) -> list[str]:
    config = root.with_name("config.toml")
    config.write_text(f'[defaults]\nrate = 0\n[[site]]\nurl = "{site.base}/"\n')
    program = [sys.executable, "-c", "from crawler.cli import main; main()"]
    return [*program, "sync", "--config", str(config), "--into", str(root), *flags]


def synced(site: SmallSite, root: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(site, root, *flags), capture_output=True, text=True, check=False)


def test_where_words_were_searched_a_run_reads_the_new_ones(
    publishing: SmallSite, tmp_path: Path
) -> None:
    root = tmp_path / "m"
    publishing.pages["/a"] = article("Of tides")
    publishing.list("/a")
    assert synced(publishing, root, "--strict").returncode == 0
    assert slugline("search", "tides", "--mirror", root).exit_code == 0
    publishing.pages["/b"] = article("More tides")
    publishing.list("/a", "/b")
    assert synced(publishing, root).returncode == 0
    with Archive.open(root) as archive, opened(root) as texts:
        assert texts.behind(archive.index) == 0


def test_a_signal_ends_the_wait_for_a_bucket_that_is_away_and_the_next_run_hands_over(
    publishing: SmallSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "m"
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"s3://{BUCKET}/stopped")
    with served() as bucket:

        def story(_: Mapping[str, str]) -> Page:
            bucket.stop()
            return article("Of tides")

        publishing.pages["/a"] = story
        publishing.list("/a")
        with subprocess.Popen(
            command(publishing, root), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            # what waits is set aside as it is sent, at the run's end
            while not list(root.glob("spool/notes.sent")) and process.poll() is None:
                pass
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert f"interrupted: the segments in s3://{BUCKET}/stopped can't be had" in err
        assert f"waits in {root}/spool for the next run" in err
        bucket.start()
        publishing.pages["/a"] = article("Of tides")
        assert synced(publishing, root).returncode == 0
        with Archive.open(root) as archive:
            assert [row.slug for row in archive.all_history()] == ["a"]
