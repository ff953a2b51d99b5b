"""The README's commands, each typed as it stands there, in a folder of a reader's own.

What a reader puts in is put in here: the site's address, a slug, a date, a database, a bucket.
Nothing else is changed, but that a server which runs until it is stopped gets a free port.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.newsroom_site import write_newsroom, write_site
from tests.nginx import Nginx
from tests.s3 import BUCKET, S3Server, environment

CHECKOUT = Path(__file__).parents[1]
README = (CHECKOUT / "README.md").read_text()
#: Heading and text of each section.
SECTIONS = dict(re.findall(r"^##+ (.+)\n((?:(?!^##+ ).*\n)*)", README, re.MULTILINE))
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
#: Seconds that any one command may take; the longest, an installation, takes 20 on an idle machine.
PATIENCE = 600.0
ARTICLES = 2

#: What stands in the README and is not run below, with the reason.
NOT_RUN = {
    "bash .ci/test": "runs this test",
    "bash .ci/run": "runs this test",
    "bash .ci/release": "tests/test_distribution.py builds and tries the same",
    "slugline --install-completion": "changes the reader's shell",
    ".venv/bin/pre-commit install": "changes the checkout's hooks",
    "python -m tests.fuzz all --seconds 3600": "an hour; tests/fuzz has tests of its own",
    "python -m tests.politeness pace": "10,000 requests; tests/politeness has tests of its own",
    "python -m tests.politeness waiting": "minutes; tests/politeness has tests of its own",
    "pytest -m 'not slow'": "runs the tests",
    "python -m tests.crawler.cluster.scaling": "ten minutes, and a machine of its own",
    "python -m tests.crawler.cluster.chaos": "five minutes, and root for a network of its own",
}
_COMMAND = re.compile(r"(?:slugline|python3?|pip|bash|pytest|\.venv/bin/\S+) |export [A-Z]")


def commands(text: str) -> list[str]:
    """Return the commands of a text in its order: lines for the shell, and code in a sentence."""
    found = []
    for block, code in re.findall(r"```sh\n(.*?)```|(?<!`)`([^`]+)`(?!`)", text, re.DOTALL):
        lines = block.splitlines() if block else [" ".join(code.split())]
        found += [each for each in lines if _COMMAND.match(each)]
    return [each for each in dict.fromkeys(found) if each not in NOT_RUN]


class Reader:
    """Somebody with the README, in ``folder``; ``words``: what they put in for the README's."""

    def __init__(self, folder: Path, words: Mapping[str, str]) -> None:
        self.folder = folder
        self.words = dict(words)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SLUGLINE_")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def put_in(self, text: str) -> str:
        """Return a text of the README with the reader's own names in it."""
        known = sorted(self.words, key=len, reverse=True)
        pattern = "|".join(rf"\b{word}\b" if word.isupper() else re.escape(word) for word in known)
        return re.sub(pattern or "(?!)", lambda found: self.words[found[0]], text)

    def type(self, command: str) -> str:
        """Run a command as it stands in the README; returns what it prints."""
        typed = self.put_in(command)
        if exported := re.match(r"export ([A-Z_]+)=(.*)", typed):
            self.environment[exported[1]] = os.path.expandvars(
                shlex.split(exported[2], comments=True)[0].replace("$PWD", str(self.folder))
            )
            return ""
        done = subprocess.run(
            ["bash", "-c", typed], cwd=self.folder, env=self.environment, timeout=PATIENCE,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{typed}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start what runs until it is stopped."""
        arguments = shlex.split(self.put_in(command), comments=True)
        return subprocess.Popen(
            arguments, cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def section(self, title: str) -> list[str]:
        """Type all commands of a section; returns them."""
        typed = commands(SECTIONS[title])
        for each in typed:
            self.type(each)
        return typed


def stopped(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Stop a server as systemd would; returns its exit code and what it said."""
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, said


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Give a reader who has mirrored a site, and again after an edit, as "Mirror a site" says."""
    folder = tmp_path_factory.mktemp("reader")
    web, other = folder / "web", folder / "other"
    with (
        Nginx(web / "site", folder / "nginx") as nginx,
        Nginx(other / "site", folder / "nginx2") as second,
    ):
        write_site(other, articles=2, base=second.base, seed=2)
        room = write_site(web, articles=ARTICLES, base=nginx.base).newsroom
        slug = room.records[0].slug
        reader = Reader(
            folder,
            {
                "https://example.org/news/a-story": f"{nginx.base}/news/{slug}",
                "https://example.org/": f"{nginx.base}/",
                "https://example.net/": f"{second.base}/",
                "2026-06-19": datetime.now(UTC).date().isoformat(),
                "SLUG": slug,
                "TEXT": "asked",
            },
        )
        reader.section("Mirror a site")
        write_newsroom(web, room.edit(slug, title="Harbour bridge opens"))
        reader.section("Mirror a site")
        yield reader


@pytest.fixture
def reader(mirrored: Reader, tmp_path: Path) -> Reader:
    """Give one with a copy of the mirror, where it is looked for without ``--mirror`` too."""
    shutil.copytree(mirrored.folder / "news", tmp_path / "news")
    fresh = Reader(tmp_path, mirrored.words)
    fresh.environment["SLUGLINE_MIRROR"] = str(tmp_path / "news")
    return fresh


def test_a_fresh_checkout_shows_the_demo(tmp_path: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        if not name.startswith("tests/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, tmp_path / name)
    newcomer = Reader(tmp_path, {"python3 -m": f"{sys.executable} -m"})
    (command,) = commands(SECTIONS["See it work"])
    assert "silent-edit" in newcomer.type(command)


def test_look_first(reader: Reader) -> None:
    assert len(reader.section("Look first")) == 2
    assert "[[site]]" in (reader.folder / "config.toml").read_text()


def test_read_it(reader: Reader) -> None:
    assert len(reader.section("Read it")) >= 9


def test_look_at_it(reader: Reader) -> None:
    search, serve, mirror = commands(SECTIONS["Look at it"])
    assert "Harbour bridge opens" in reader.type(search)
    server = reader.start(f"{serve.split('#')[0]} --port 0")
    assert server.stderr is None
    assert server.stdout is not None
    address = next(iter(re.findall(r"http://[0-9.:]+", server.stdout.readline())))
    reader.words["http://HOST/"] = f"{address}/"
    reader.type(mirror)
    assert stopped(server)[0] in {0, 130}
    assert reader.type("slugline list --mirror other").count("\n") >= ARTICLES


def test_take_it_out(reader: Reader) -> None:
    for number, each in enumerate(commands(SECTIONS["Take it out"])):
        if each.startswith("pip install"):
            continue
        reader.words["OUT"] = f"out-{number}"
        reader.type(each)
    assert len(list(reader.folder.glob("out-*"))) == 5


def test_keep_it_sound(reader: Reader) -> None:
    typed = reader.section("Keep it sound")
    assert [each.split()[1] for each in typed] == ["verify", "prune", "forget", "compact"]


def test_keep_it_up_to_date(reader: Reader) -> None:
    section = SECTIONS["Keep it up to date"]
    (settings,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    reader.words["*/articles/*"] = "*/news/*"
    for name in ("news.toml", "config.toml"):
        (reader.folder / name).write_text(reader.put_in(settings))
    reader.environment |= {"NEWS_TOKEN": "a token"}
    assert len(reader.section("Keep it up to date")) == 3
    reader.words |= {"/srv/news/.venv/bin/": "", "/srv/news": str(reader.folder)}
    (cron,) = re.findall(r"^\*/15 \* \* \* \* (.*)$", section, re.MULTILINE)
    (systemd,) = re.findall(r"^ExecStart=(.*)$", section, re.MULTILINE)
    for each in (cron, systemd):
        assert reader.type(each) == ""


@pytest.fixture
def many(reader: Reader, database: str) -> Iterator[Reader]:
    """Give a reader with a database and a bucket."""
    reader.words |= {
        "'postgresql://news@db.example.org/news?schema=news'": f"'{database}&schema=news'",
        "postgresql://db.example.org/news": f"'{database}&schema=news'",
        "s3://news/archive": f"s3://{BUCKET}/{reader.folder.name}",
    }
    s3 = S3Server()
    reader.environment |= environment(s3.url)
    yield reader
    s3.stop()


def test_many_machines(many: Reader) -> None:
    del many.environment["SLUGLINE_MIRROR"]
    site = many.words["https://example.net/"]
    for name in ("news.toml", "config.toml"):
        (many.folder / name).write_text(f'[[site]]\nname = "example"\nurl = "{site}"\n')
    workers = []
    try:
        for each in commands(SECTIONS["Many machines"]):
            if each.startswith("slugline worker"):
                workers.append(many.start(each))
            elif not each.startswith("pip install"):
                many.type(each)
    finally:
        ends = [stopped(each)[0] for each in workers]
    assert ends == [0]


def test_moving_an_archive(many: Reader) -> None:
    before = many.type("slugline list --json")
    there, back, *_ = commands(SECTIONS["Moving an archive"])
    many.type(there)
    assert many.type("slugline list --json") == before
    many.type(back)
    assert many.type("slugline list --json") == before


def test_contributing() -> None:
    assert Reader(CHECKOUT, {}).section("Contributing")


def test_no_section_with_commands_is_left_out() -> None:
    tested = {name.removeprefix("test_").replace("_", " ") for name in globals()}
    mentioned = [each for text in SECTIONS.values() for each in commands(text)]
    for title, text in SECTIONS.items():
        # A name in passing, as in "slugline reindex brings it back", is typed where it is told of.
        own = [
            each
            for each in commands(text)
            if not each.startswith("pip install")
            and sum(other.startswith(each) for other in mentioned) == 1
        ]
        assert not own or title.lower() in tested | {"see it work", "mirror a site"}, own


@pytest.mark.parametrize("extra", re.findall(r"pip install (?:-e )?'\S*\[(\w+)\]'", README))
def test_an_extra_that_is_named_is_there(extra: str) -> None:
    assert extra in PROJECT["optional-dependencies"]


@pytest.mark.parametrize("command", NOT_RUN)
def test_what_is_not_run_stands_in_the_readme(command: str) -> None:
    assert command in " ".join(README.split())
