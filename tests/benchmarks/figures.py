"""Measure slugline where there is no race: politely, on a re-crawl by dates, in memory, on disk.

    python -m tests.benchmarks.figures                   all of it, some minutes
    python -m tests.benchmarks.figures polite disk       these alone
    python -m tests.benchmarks.figures dates --articles 20000

polite: the share of 20 requests a second that is used, and of a core. dates: articles a second
that a sitemap's lastmod decides, after start-up. memory: the peak at 32 and 128 requests. disk:
bytes after a first crawl and after 20 rounds with 5% edited, beside `wget --warc-file` (with its
index and its log, too) and a git repository of the same files, packed. start: what commands take.
verify: MB a second of stored bytes. Walls want a quiet machine; the rest does not.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import clients, machine
from tests.benchmarks.equal import disk
from tests.benchmarks.rounds import Plan, Used, crawling, run, start_up
from tests.benchmarks.serving import Site
from tests.benchmarks.table import KIB_IN_MIB, MB

#: Requests a second that a site allows, and the articles of one that is asked so: a minute's.
POLITE, POLITE_ARTICLES = 20, 300
#: Rounds on disk, the articles of that site, and how many of them each round edits.
ROUNDS, ROUNDS_ARTICLES, EDITED = 20, 300, 0.05
#: Runs of a command whose start is timed.
STARTS = 7
Row = tuple[str, str]


class Bench:
    """A place to measure in. State: how many mirrors were made there."""

    def __init__(self, work: Path, articles: int) -> None:
        """``articles`` are those of the site that dates, memory, disk and verify are about."""
        found = clients.find(clients.BY_NAME["slugline-no-files"], [])
        if isinstance(found, str):
            raise SystemExit(found)
        self.found = found
        self.work, self.articles = work, articles
        self.plan = Plan(clients=[found], work=work, core=next(reversed(machine.cores()), None))
        self._made = 0

    def site(self, articles: int, length: int = 3) -> Site:
        """Write a site of its own."""
        return Site(self.folder(), articles, length=length)

    def folder(self) -> Path:
        """Return a new folder."""
        self._made += 1
        folder = self.work / str(self._made)
        folder.mkdir()
        return folder

    def run(self, *argv: str) -> Used:
        """Run a command on the clients' core."""
        return run(argv, self.work, core=self.plan.core, limit=self.plan.limit)

    def crawl(self, site: Site, out: Path, *more: str, again: bool = False) -> Used:
        """Crawl the site with slugline into ``out``."""
        return self.run(*crawling(self.plan, site, self.found, out, again=again), *more)


def polite(bench: Bench) -> Iterator[Row]:
    """Give how much of what a site allows is used."""
    with bench.site(POLITE_ARTICLES, 1) as site:
        out = bench.folder()
        argv = ("mirror", f"{site.base}/", "--into", str(out / "m"), "--rate", str(POLITE))
        used = bench.run(bench.found.program, *argv, "--quiet", "--no-files")
        requests = site.traffic().requests
    share = requests / POLITE / used.wall
    said = f"{requests:,} requests in {used.wall:.1f} s: {share:.1%}, start-up included; "
    said += f"{used.cpu / used.wall:.1%} of a core"
    yield f"{POLITE} requests/s allowed, {POLITE_ARTICLES} articles", said


def dates(bench: Bench) -> Iterator[Row]:
    """Give the articles that a sitemap's dates decide."""
    with bench.site(bench.articles, 1) as site:
        out = bench.folder()
        bench.crawl(site, out)
        site.traffic()
        start = start_up(replace(bench.plan, rounds=STARTS), bench.found) or 0.0
        for number in range(3):
            used = bench.crawl(site, out, again=True)
            after = max(used.wall - start, 0.001)
            said = f"{site.traffic().requests} requests, {used.wall:.2f} s of which start-up "
            said += f"{start:.2f}: {bench.articles / after:,.0f} articles/s (CPU {used.cpu:.2f} s)"
            yield f"by lastmod, {bench.articles:,} unchanged articles, run {number + 1}", said


def memory(bench: Bench) -> Iterator[Row]:
    """Give the peak of memory, the server's processes not among it."""
    with bench.site(bench.articles, 1) as site:
        for connections in (32, 128):
            plan = replace(bench.plan, connections={bench.found.name: connections})
            out = bench.folder()
            used = bench.run(*crawling(plan, site, bench.found, out))
            shutil.rmtree(out)
            yield (
                f"peak memory, {connections} requests in flight, {bench.articles:,} articles",
                f"{used.rss / KIB_IN_MIB:.1f} MiB",
            )


def on_disk(bench: Bench) -> Iterator[Row]:
    """Give the bytes of a first crawl, and of many."""
    wget = clients.find(clients.BY_NAME["wget-warc"], [])
    with bench.site(bench.articles) as site:
        out = bench.folder()
        bench.crawl(site, out)
        yield f"slugline, {bench.articles:,} articles x 4, MB", _sizes(_parts(out / "m"))
        if isinstance(wget, clients.Found):
            own = bench.folder()
            # It is to keep an index and a log as well, as slugline does.
            argv = [word for word in crawling(bench.plan, site, wget, own) if word != "-q"]
            bench.run(*argv, "--warc-cdx", "-nv", "-o", f"{own}/log")
            theirs = {path.name: path.stat().st_size for path in own.iterdir() if path.is_file()}
            yield "wget --warc-file --warc-cdx, MB", _sizes(theirs)
        plain, _ = site.size()
        files = plain * sum(1 for _ in site.paths())
        yield "plain files, which both keep unless told otherwise, MB", f"{files / MB:.2f} more"
    yield from _rounds(bench, wget)


def _sizes(parts: Mapping[str, int]) -> str:
    said = ", ".join(f"{name} {size / MB:.2f}" for name, size in parts.items())
    return f"{sum(parts.values()) / MB:.2f}: {said}"


def _parts(mirror: Path) -> dict[str, int]:
    return {
        name: disk(mirror / name) if (mirror / name).is_dir() else (mirror / name).stat().st_size
        for name in ("segments", "index.sqlite", "runs")
    }


def _rounds(bench: Bench, wget: clients.Found | str) -> Iterator[Row]:
    """Crawl an edited site again and again."""
    out, git = bench.folder(), bench.folder()
    theirs = 0
    git_do = ("git", "-C", str(git), "-c", "user.name=x", "-c", "user.email=x@x.invalid")
    subprocess.run([*git_do, "init", "-q"], check=True)
    with bench.site(ROUNDS_ARTICLES) as site:
        for number in range(ROUNDS):
            site.edit_on(EDITED, number)
            bench.crawl(site, out, again=number > 0)
            for path in site.paths():
                name = git / path.strip("/").replace("/", "~")
                shutil.copyfile(site.written.root / path.lstrip("/"), name)
            subprocess.run([*git_do, "add", "-A"], check=True)
            subprocess.run([*git_do, "commit", "-qm", str(number), "--allow-empty"], check=True)
            if isinstance(wget, clients.Found):
                own = bench.folder()
                bench.run(*crawling(bench.plan, site, wget, own))
                theirs += disk(own)
    subprocess.run([*git_do, "gc", "-q", "--aggressive", "--prune=now"], check=True)
    ours, packed = disk(out), disk(git / ".git" / "objects")
    said = f"slugline {ours / MB:.2f} MB, git {packed / MB:.2f} ({ours / packed:.2f})"
    if theirs:
        said += f", wget --warc-file {theirs / MB:.2f} ({ours / theirs:.2f})"
    yield f"{ROUNDS} rounds of {ROUNDS_ARTICLES} articles, {EDITED:.0%} edited", said


def start(bench: Bench) -> Iterator[Row]:
    """Give what commands take that do next to nothing."""
    with bench.site(2, 1) as site:
        out = bench.folder()
        bench.crawl(site, out)
    slug = subprocess.run(
        [bench.found.program, "list", "--mirror", str(out / "m"), "--json"],
        check=True, capture_output=True, text=True,
    ).stdout.partition('"slug":"')[2].partition('"')[0]  # fmt: skip
    for words in (("--help",), ("log", slug, "--mirror", str(out / "m"))):
        walls = sorted(bench.run(bench.found.program, *words).wall for _ in range(STARTS))
        yield (
            f"slugline {words[0]}, ms: best, median of {STARTS}",
            f"{walls[0] * 1000:.0f}, {walls[STARTS // 2] * 1000:.0f}",
        )


def verified(bench: Bench) -> Iterator[Row]:
    """Give what verifying takes, with one process and with all."""
    with bench.site(bench.articles) as site:
        out = bench.folder()
        bench.crawl(site, out)
    size = disk(out / "m" / "segments")
    for processes in ("1", "0"):
        argv = (bench.found.program, "verify", "--mirror", str(out / "m"), "--processes", processes)
        best = min(
            (run(argv, bench.work, core=None, limit=600) for _ in range(STARTS)),
            key=lambda used: used.wall,
        )
        who = "every processor" if processes == "0" else "one process"
        said = f"{size / MB / best.wall:.0f} MB/s, its start among it "
        yield f"verify, {size / MB:.0f} MB, {who}", f"{said}({best.wall:.2f} s, CPU {best.cpu:.2f})"


FIGURES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "polite": polite,
    "dates": dates,
    "memory": memory,
    "disk": on_disk,
    "start": start,
    "verify": verified,
}


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument(
        "--articles", type=int, default=2000, metavar="N", help="of the site [2000]"
    )
    parser.add_argument("--workdir", type=Path, metavar="DIR", help="for sites and mirrors")
    asked = parser.parse_args(words)
    if unknown := set(asked.figures) - FIGURES.keys():
        parser.error(f"no figure {', '.join(sorted(unknown))}: there are {', '.join(FIGURES)}")
    above = asked.workdir or machine.roomy(asked.articles * 1_000_000)
    work = Path(tempfile.mkdtemp(prefix="slugline-figures-", dir=above))
    try:
        _say(*machine.described(work, datetime.now(UTC)), "", "| what | figure |", "| --- | --- |")
        bench = Bench(work, asked.articles)
        for name in asked.figures or FIGURES:
            for what, figure in FIGURES[name](bench):
                _say(f"| {what} | {figure} |")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
