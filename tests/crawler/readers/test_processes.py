"""Whole runs in several processes: the same as in one, and no worse where one of them is killed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec import structs

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import NewsroomServer
from crawler.events import Note, Requested
from storage.archive import Archive
from tests.crawler.runs import Ran, history, run
from tests.crawler.small_site import Page, SmallSite, article

pytestmark = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="children are read in /proc"
)

DAY = "2026-06-19T08:00:00Z"
#: What stands in a row and comes from the clock or the store, not from the article.
_OURS = ("observed_at", "run", "offset", "length", "segment", "id", "sequence")


def children(pid: int) -> list[int]:
    """Return the reading processes of the run ``pid`` that live: those of a session it started."""
    found = []
    sessions = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # a command's name may hold spaces; what stands after it does not
            state, parent, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(parent) == pid and session == stat.parent.name:
            sessions.add(session)
        if state != "Z":
            found.append((int(stat.parent.name), session))
    return [number for number, session in found if session in sessions]


def kept(into: Path) -> list[tuple[object, ...]]:
    """Return all that an archive says of its articles, but for when and where it was stored."""
    rows = []
    with Archive.open(into) as archive:
        for row in archive.all_history():
            manifest = archive.manifest(row)
            shown = [
                (one.format, one.url, one.final_url, one.digest, one.etag, one.declared_by)
                for one in manifest.representations
            ]
            values = {k: v for k, v in row.as_log().items() if k not in _OURS}
            rows.append((repr(values), repr(manifest.record), repr(manifest.content), repr(shown)))
    return sorted(rows)


def told(ran: Ran) -> Counter[str]:
    """Count what a run said, without moments and numbers of seconds; requests left out."""
    counts: Counter[str] = Counter()
    for event in ran.events:
        if isinstance(event, Requested):
            continue
        values = structs.asdict(event)
        plain = {k: v for k, v in values.items() if k not in ("at", "run", "seconds", "summary")}
        counts[f"{type(event).__name__} {plain}"] += 1
    return counts


def odd_site(site: SmallSite) -> None:
    """Publish what needs more than an article's own answers, and what fails."""
    plain = {f"/plain/{n}": article(f"Plain {n}", modified=DAY) for n in range(12)}
    moved = {
        f"/moved/{n}": article(f"Moved {n}", canonical=f"BASE/home/{n}", modified=DAY)
        for n in range(4)
    }
    homes = {
        f"/home/{n}": article(f"Moved {n}", canonical=f"BASE/home/{n}", modified=DAY)
        for n in range(4)
    }
    torn = {}
    # fewer than show a site's own way of disagreeing: which of them are read again is chance then
    for n in range(2):
        link = f'<link rel=alternate type="text/markdown" href="/torn/{n}.md">'
        torn[f"/torn/{n}"] = article(f"Torn {n}", modified=DAY, head=link)
        torn[f"/torn/{n}.md"] = Page(
            body=f"---\ntitle: Torn {n}\nupdated: 2026-06-18T08:00:00Z\n---\nWords of {n}.\n" * 1,
            type="text/markdown",
        )
    site.pages |= plain | moved | homes | torn
    noise = f"<!-- {random.Random(1).randbytes(600_000).hex()} -->"
    site.pages["/large"] = article("Large", modified=DAY, head=noise)
    site.pages["/sent-on"] = Page(status=301, headers={"Location": "BASE/plain/3"})
    site.pages["/broken"] = Page(status=500, body="no")
    paths = [path for path in site.pages if not path.endswith(".md") and "/home/" not in path]
    site.list(*paths, "/not-there")


def shape(url: str) -> str:
    """Return ``url`` without its numbers: which article is the first to be probed is chance.

    So is the name that a run makes up.
    """
    return re.sub(r"[0-9a-f]{24}|\d+", "N", url.rpartition("127.0.0.1")[2])


async def test_two_processes_keep_what_one_keeps_and_ask_for_the_same(tmp_path: Path) -> None:
    async with SmallSite() as site:
        odd_site(site)
        runs, asked = [], []
        for processes in (1, 2):
            site.asked.clear()
            into = tmp_path / str(processes)
            runs.append(await run(f"{site.base}/", into, processes=processes, concurrency=16))
            asked.append(Counter(map(shape, site.asked)))
    assert kept(tmp_path / "1") == kept(tmp_path / "2")
    assert len(kept(tmp_path / "1")) == 19
    assert asked[0] == asked[1]
    assert told(runs[0]) == told(runs[1])
    requests = [
        Counter((shape(e.url), e.status, e.size) for e in ran.events if isinstance(e, Requested))
        for ran in runs
    ]
    assert requests[0] == requests[1]


async def test_the_second_run_finds_the_same_edits(tmp_path: Path) -> None:
    async with NewsroomServer(lambda base: Newsroom.create(base, 12, seed=3)) as site:
        first = site.newsroom
        slugs = [record.slug for record in first.records]
        edited = first.edit(slugs[0], at=first.records[0].updated_at).edit_silently(slugs[1])
        for processes in (1, 2):
            into = tmp_path / str(processes)
            site.newsroom = first
            await run(f"{site.base}/", into, processes=processes)
            site.newsroom = edited
            ran = await run(f"{site.base}/", into, processes=processes)
            assert (ran.summary.snapshots, ran.summary.failed) == (2, 0)
        assert kept(tmp_path / "1") == kept(tmp_path / "2")


def killing(path: str, *, all_of_them: bool) -> Callable[[Mapping[str, str]], Page]:
    """Answer ``path`` after one process was killed, the first time; or all of them, each time."""
    page = article(f"Killer at {path}")
    done: list[str] = []

    def answer(_: Mapping[str, str]) -> Page:
        if all_of_them or not done:
            done.append(path)
            for pid in children(os.getpid())[: None if all_of_them else 1]:
                os.kill(pid, signal.SIGKILL)
        return page

    return answer


@pytest.mark.parametrize("all_of_them", [False, True])
async def test_a_process_that_is_killed_is_said_and_costs_no_article(
    tmp_path: Path, all_of_them: bool
) -> None:
    async with SmallSite({f"/news/{n}": article(f"Story {n}") for n in range(30)}) as site:
        site.pages["/news/9"] = killing("/news/9", all_of_them=all_of_them)
        site.list(*site.pages)
        ran = await run(f"{site.base}/", tmp_path / "m", processes=2)
    notes = [event.message for event in ran.events if isinstance(event, Note) and event.trouble]
    assert len(notes) == 1 + all_of_them
    assert all("a reading process" in note for note in notes)
    slugs = Counter(row.slug for row in history(tmp_path / "m"))
    assert set(slugs.values()) == {1}
    assert len(slugs) + ran.summary.failed == 30
    assert ran.summary.failed == 0 or all_of_them
    assert children(os.getpid()) == []


class _Hanging(BaseHTTPRequestHandler):
    """Lists articles, and answers for none of them. Mutable: how many were asked for."""

    protocol_version = "HTTP/1.1"
    asked: threading.Semaphore
    held: threading.Event
    port: int

    def do_GET(self) -> None:
        if self.path.startswith("/news/"):
            self.asked.release()
            self.held.wait(60)
            return
        urls = "".join(
            f"<url><loc>http://127.0.0.1:{self.port}/news/{n}</loc></url>" for n in range(20)
        )
        body = f"<urlset>{urls}</urlset>".encode() if self.path == "/sitemap.xml" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/xml")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def hanging() -> Iterator[tuple[str, threading.Semaphore]]:
    asked, held = threading.Semaphore(0), threading.Event()

    class Handler(_Hanging):
        pass

    Handler.asked, Handler.held = asked, held
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Handler.port = server.server_port
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", asked
        finally:
            held.set()
            server.shutdown()


def start(url: str, folder: Path) -> subprocess.Popen[str]:
    config = folder / "config.toml"
    config.write_text("[fetch]\ngrace = 0\nprocesses = 2\n")
    return subprocess.Popen(
        [sys.executable, "-c", "from crawler.cli import main; main()", "mirror", url,
         "--into", str(folder / "m"), "--config", str(config), "--rate", "0",
         "--concurrency", "8"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"LANG": "C"},
    )  # fmt: skip


def ends(pids: list[int]) -> None:
    """Return when none of ``pids`` is there any more."""
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        os.sched_yield()


def test_the_processes_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    with hanging() as (url, asked), start(url, tmp_path) as process:
        for _ in range(8):
            assert asked.acquire(timeout=30)
        pids = children(process.pid)
        assert len(pids) == 2
        process.kill()
        process.wait()
        ends(pids)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_its_processes(number: signal.Signals, tmp_path: Path) -> None:
    with hanging() as (url, asked), start(url, tmp_path) as process:
        for _ in range(8):
            assert asked.acquire(timeout=30)
        pids = children(process.pid)
        assert len(pids) == 2
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "stopping" in err
        assert out.startswith("Interrupted, and saved")
        ends(pids)
