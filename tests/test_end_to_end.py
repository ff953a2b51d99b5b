"""The main job as a user does it: the command against 2,000 articles behind nginx, then read back.

Everything here runs the real ``slugline`` in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.files import file_name
from storage.times import parse_declared
from tests.newsroom_site import Line, Written, read_manifest, write_site
from tests.nginx import Nginx

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end-to-end")]

ARTICLES = 2000
FORMATS = {"": "html", ".md": "markdown", ".txt": "text", ".jsonld": "jsonld"}
#: Kills, and the seconds within which each falls after the start, most of them before all is read.
KILLS, EARLIEST, LATEST = 20, 0.4, 1.4
#: Articles that a kill may cost: 32 in hand, and what waits for the disk (crawler.article.keeping).
IN_FLIGHT = 32 + 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("newsroom")


@pytest.fixture(scope="module")
def nginx(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(folder / "site", tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.fixture(scope="module")
def site(folder: Path, nginx: Nginx) -> Written:
    return write_site(folder, articles=ARTICLES, base=nginx.base)


@pytest.fixture(scope="module")
def representations(site: Written) -> list[Line]:
    return [line for line in read_manifest(site.manifest) if line.updated_at]


@pytest.fixture(scope="module")
def mirrored(nginx: Nginx, site: Written, tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("run") / "mirror"
    others = len(nginx.served())
    done = subprocess.run(command(nginx.base, into), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (into.parent / "summary.json").write_text(done.stdout.splitlines()[-1])
    (into.parent / "requests.json").write_text(
        json.dumps(Counter(served.path for served in nginx.served()[others:]))
    )
    return into


def slugline(*words: str | Path) -> list[str]:
    return [sys.executable, str(Path(sys.executable).parent / "slugline"), *map(str, words)]


def command(base: str, into: Path) -> list[str]:
    pace = ("--rate", "0", "--concurrency", "32")
    return slugline("mirror", f"{base}/", "--into", into, *pace, "--quiet", "--json")


def output(*words: str | Path) -> str:
    return subprocess.run(slugline(*words), capture_output=True, text=True, check=True).stdout


def path_and_format(line: Line) -> tuple[str, str]:
    suffix = Path(line.path).suffix
    return line.path, FORMATS[suffix if suffix in FORMATS else ""]


def missing_or_differing(into: Path, base: str, lines: list[Line]) -> list[str]:
    """Return the representations whose plain file is not what the site serves, byte for byte."""
    wrong = []
    for line in lines:
        path, name = path_and_format(line)
        file = into / "files" / file_name(f"{base}{path}", name)
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != line.sha256:
            wrong.append(path)
    return wrong


def test_every_representation_is_kept_byte_for_byte(
    nginx: Nginx, mirrored: Path, representations: list[Line]
) -> None:
    assert len(representations) == 4 * ARTICLES
    assert missing_or_differing(mirrored, nginx.base, representations) == []
    expected = {path_and_format(line): line.sha256 for line in representations}
    with Archive.open(mirrored) as archive:
        read = {
            (shown.url.removeprefix(nginx.base), shown.format): hashlib.sha256(
                archive.body(manifest, shown.format).decoded
            ).hexdigest()
            for row in archive.newest_all()
            for manifest in [archive.manifest(row)]
            for shown in manifest.representations
        }
    assert read == expected


def test_each_snapshot_is_filed_under_the_articles_own_time(
    mirrored: Path, representations: list[Line]
) -> None:
    listed = output("list", "--mirror", mirrored, "--json")
    logged = [json.loads(row) for row in listed.splitlines()]
    kept = {row["url"].rpartition("/")[2]: parse_declared(row["updated_at"]) for row in logged}
    published = {
        Path(line.path).name: parse_declared(line.updated_at)
        for line in representations
        if path_and_format(line)[1] == "html"
    }
    assert len(logged) == ARTICLES
    assert {slug: stamp.at for slug, stamp in kept.items() if stamp} == {
        slug: stamp.at for slug, stamp in published.items() if stamp
    }


def test_each_representation_costs_one_request(mirrored: Path, representations: list[Line]) -> None:
    asked: dict[str, int] = json.loads((mirrored.parent / "requests.json").read_text())
    paths = {line.path for line in representations}
    assert {path: asked.get(path, 0) for path in paths} == dict.fromkeys(paths, 1)


def test_exported_records_are_the_publishers_own(mirrored: Path, site: Written) -> None:
    exported = output("export", "jsonl", "-", "--mirror", mirrored).splitlines()
    published = {json.loads(line)["slug"]: line for line in site.records.read_text().splitlines()}
    assert len(exported) == len(published) == ARTICLES
    for line in exported:
        record, own = json.loads(line), json.loads(published[json.loads(line)["slug"]])
        assert record == own
        assert list(record) == list(own)


def test_show_prints_the_exact_bytes(
    nginx: Nginx, mirrored: Path, representations: list[Line]
) -> None:
    for line in representations[:4]:
        path, name = path_and_format(line)
        slug = Path(path).name if name == "html" else Path(path).stem
        shown = subprocess.run(
            slugline("show", slug, "--format", name, "--mirror", mirrored),
            capture_output=True,
            check=True,
        ).stdout
        assert hashlib.sha256(shown).hexdigest() == line.sha256


def test_other_peoples_tools_accept_the_segments(mirrored: Path, tmp_path: Path) -> None:
    segments = sorted((mirrored / "segments").rglob("*.warc.gz"))
    joined = tmp_path / "joined.warc.gz"
    joined.write_bytes(b"".join(segment.read_bytes() for segment in segments))
    for file in (*segments, joined):
        for tool in (["warcio", "check"], ["fastwarc", "check", "-p", "-q"]):
            done = subprocess.run(
                [sys.executable, Path(sys.executable).parent / tool[0], *tool[1:], file],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (tool, done.stdout[-2000:], done.stderr[-2000:])
    indexer = Path(sys.executable).parent / "cdxj-indexer"
    lines = subprocess.run(
        [sys.executable, indexer, *segments], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(lines) == 4 * ARTICLES
    assert "urn:slugline" not in "".join(lines)


def test_an_index_made_again_says_the_same_line_for_line(mirrored: Path) -> None:
    said = [output(name, "--mirror", mirrored, "--json") for name in ("list", "log")]
    for file in mirrored.glob("index.sqlite*"):
        file.unlink()
    output("reindex", "--mirror", mirrored)
    assert [output(name, "--mirror", mirrored, "--json") for name in ("list", "log")] == said


@pytest.mark.parametrize("words", [("reindex", "--mirror"), ("mirror", "--into")])
def test_one_flipped_bit_of_a_manifest_under_a_lost_index_is_damage_and_cuts_nothing(
    nginx: Nginx, mirrored: Path, tmp_path: Path, words: tuple[str, str]
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(mirrored, damaged, ignore=shutil.ignore_patterns("index.sqlite*", "files"))
    (segment,) = damaged.glob("segments/*/*.warc.gz")
    with Archive.open(mirrored) as archive:
        rows = list(archive.newest_all())
    data = bytearray(segment.read_bytes())
    # past the header of a manifest's member, which reindexing reads; bodies are verify's
    data[rows[len(rows) // 2].offset + 100] ^= 0x10
    segment.write_bytes(data)
    name, option = words
    url = [f"{nginx.base}/"] if name == "mirror" else []
    done = subprocess.run(
        slugline(name, *url, option, damaged), capture_output=True, text=True, check=False
    )
    assert done.returncode == 4, done.stderr
    assert segment.name in done.stderr
    assert "Traceback" not in done.stderr
    assert segment.read_bytes() == bytes(data)
    assert not (damaged / "lost").exists()


def test_twenty_kills_lose_nothing_and_double_nothing(
    nginx: Nginx, site: Written, representations: list[Line], tmp_path: Path
) -> None:
    into = tmp_path / "killed"
    moments = random.Random(2)
    before = Counter(served.path for served in nginx.served())
    # Where a run comes to its end before it is killed, the next one has nothing to verify.
    words = [*command(nginx.base, into), "--verify", "none"]
    for _ in range(KILLS):
        run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with suppress(subprocess.TimeoutExpired):
            run.wait(moments.uniform(EARLIEST, LATEST))
        with suppress(ProcessLookupError):
            os.kill(run.pid, signal.SIGKILL)
        run.wait()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert missing_or_differing(into, nginx.base, representations) == []
    with Archive.open(into) as archive:
        rows = list(archive.all_history())
    assert Counter(row.slug for row in rows).most_common(1)[0][1] == 1
    assert len(rows) == ARTICLES
    assert {row.state for row in rows} == {"complete"}
    assert stray(into) == []
    asked = Counter(served.path for served in nginx.served())
    again = sum(asked[line.path] - before[line.path] - 1 for line in representations)
    print(f"{KILLS} kills: {again} of {4 * ARTICLES} representations were asked for again")
    assert 0 <= again <= KILLS * IN_FLIGHT * 4


def stray(into: Path) -> list[str]:
    """Return files that are none of the layout's: what a kill left behind."""
    allowed = {"mirror.json", ".lock", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm"}
    found = [path.name for path in into.iterdir() if path.is_file() and path.name not in allowed]
    found += [str(path) for path in into.rglob("*") if ".part" in path.name or ".tmp" in path.name]
    return found
