"""inspect and init, as commands: against a newsroom on this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import NewsroomServer
from tests.crawler.commands.calling import complaint, lines, slugline
from tests.crawler.commands.terminal import at_terminal


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Serve a newsroom from a thread of its own, since commands have their own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = NewsroomServer(lambda base: Newsroom.create(base, 3))
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    yield server.base
    asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    path = tmp_path / "quick.toml"
    path.write_text("[defaults]\nrate = 0\n")
    return path


def test_inspect_tells_a_person(
    site: str, quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = slugline("inspect", f"{site}/", "--config", quick)
    assert result.exit_code == 0, result.stderr
    for words in (
        "robots: allowed", "3 entries, 3 with a date", "One of its articles: ",
        "declared by html", "updated_at", "Its formats agree.", "nothing was stored",
    ):  # fmt: skip
        assert words in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["quick.toml"]


def test_inspect_tells_a_program(site: str, quick: Path) -> None:
    (found,) = lines(slugline("inspect", f"{site}/", "--config", quick, "--json"))
    assert found["what"] == "site"
    shown = found["article"]
    assert isinstance(shown, dict)
    assert {"html", "markdown", "text", "jsonld"} == {each["format"] for each in shown["formats"]}
    assert all(each["agree"] for each in shown["sayings"])


def test_inspect_of_nothing_exits_1(site: str, quick: Path) -> None:
    result = slugline("inspect", f"{site}/none", "--config", quick)
    assert result.exit_code == 1
    assert "nothing to mirror (the server answered 404" in result.stdout


def test_init_writes_a_config_that_mirror_reads(site: str, tmp_path: Path) -> None:
    out = tmp_path / "config.toml"
    result = slugline("init", f"{site}/", "--out", out)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert f'url = "{site}/"' in out.read_text()
    # never over what is there
    written = out.read_bytes()
    assert "is there already" in complaint(slugline("init", f"{site}/", "--out", out))
    assert out.read_bytes() == written


def test_init_of_nothing_writes_nothing(site: str, tmp_path: Path) -> None:
    out = tmp_path / "config.toml"
    result = slugline("init", f"{site}/none", "--out", out)
    assert result.exit_code == 1
    assert "404" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize("command", ["inspect", "init"])
def test_a_wrong_url_is_refused(command: str) -> None:
    assert "has no scheme" in complaint(slugline(command, "example.org"))


def test_init_prints_where_no_file_is_named(site: str) -> None:
    result = slugline("init", f"{site}/")
    assert result.exit_code == 0
    assert f'url = "{site}/"' in result.stdout


def test_init_into_a_folder_that_is_not_there_is_refused(site: str, tmp_path: Path) -> None:
    out = tmp_path / "none" / "config.toml"
    assert "cannot be written" in complaint(slugline("init", f"{site}/", "--out", out))


def test_a_person_is_told_what_is_looked_at(site: str, quick: Path) -> None:
    code, sent = at_terminal("inspect", f"{site}/", "--config", quick)
    assert code == 0
    assert f"looking at {site}/, at most 0 requests a second" in sent
