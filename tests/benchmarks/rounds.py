"""The comparison itself: every client in turn within a round, so that a ratio compares neighbours.

What a client wrote stays until all rounds are over: after a mass delete ext4 makes new files over
ten times slower for minutes, which would charge one client with clearing up after another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import msgspec

from tests.benchmarks.clients import Found
from tests.benchmarks.equal import disk, kept
from tests.benchmarks.serving import Site, Traffic, server_seconds

LAUNCHER = Path(__file__).with_name("launch.py")
#: Settings of Python's that say where things are, not how it runs.
WHERE = frozenset({"PYTHONPATH", "PYTHONHOME"})
#: The clients' home, in the work folder.
HOME = "home"
#: The log of what clients say, and the characters of it that a failure shows.
SAID, LAST_WORDS = "said.log", 2000
#: Seconds that the launcher may take beyond the limit it keeps itself.
GRACE = 30.0


class Used(msgspec.Struct, frozen=True):
    """What one run of a program took: seconds, CPU seconds, KiB at the peak, its exit code."""

    wall: float
    cpu: float
    rss: int
    exit: int


@dataclass(frozen=True)
class Crawl:
    """One crawl by one client; ``equal`` of ``total`` representations are there byte for byte.

    ``server``: CPU seconds of the server's side; ``disk``: bytes of all that is there afterwards.
    ``found`` of ``edited`` are those among them that an edit made new.
    """

    client: str
    step: str
    round: int
    used: Used
    traffic: Traffic
    server: float
    disk: int
    equal: int
    total: int
    found: int = 0
    edited: int = 0
    failed: bool = False


@dataclass(frozen=True)
class Plan:
    """What is to be compared, and how.

    ``steps``: "first", then any of "unchanged" and "edited". ``core`` is the clients' own, None:
    any. ``connections`` overrides a client's. ``limit``: seconds a crawl may take.
    """

    clients: Sequence[Found]
    work: Path
    rounds: int = 5
    steps: Sequence[str] = ("first",)
    fraction: float = 0.05
    core: int | None = None
    delayed: bool = False
    limit: float = 600.0
    connections: Mapping[str, int] = field(default_factory=dict)

    def connections_of(self, found: Found) -> int:
        """Return how many connections a client is given."""
        own = found.client.distant if self.delayed else found.client.connections
        return self.connections.get(found.name, own or 1)


def compare(plan: Plan, site: Site) -> Iterator[Crawl]:
    """Run every round, giving each crawl as it ends."""
    for number in range(plan.rounds):
        # who goes first changes, so that no one is always the one on a warm or a tired machine
        turn = number % max(1, len(plan.clients))
        order = [*plan.clients[turn:], *plan.clients[:turn]]
        for step in plan.steps:
            edited = site.edit(plan.fraction) if step == "edited" else frozenset[str]()
            for found in order:
                yield _crawl(plan, site, found, round=number, step=step, edited=edited)
        if "edited" in plan.steps:
            site.put_back()


def _crawl(
    plan: Plan,
    site: Site,
    found: Found,
    *,
    round: int,  # noqa: A002  - the comparison's own word
    step: str,
    edited: frozenset[str],
) -> Crawl:
    out = plan.work / f"round-{round}" / found.name
    out.mkdir(parents=True, exist_ok=True)
    argv = crawling(plan, site, found, out, again=step != "first")
    # what the last one left unwritten is not this one's to wait for
    os.sync()
    site.traffic()
    before = server_seconds()
    used = run(argv, plan.work, core=plan.core, limit=plan.limit)
    server = server_seconds() - before
    traffic = site.traffic()
    there, wanted = kept(out), set(site.digests())
    return Crawl(
        client=found.name,
        step=step,
        round=round,
        used=used,
        traffic=traffic,
        server=server,
        disk=disk(out),
        equal=len(wanted & there),
        total=len(wanted),
        found=len(edited & there),
        edited=len(edited),
        failed=used.exit not in found.client.fine,
    )


def crawling(plan: Plan, site: Site, found: Found, out: Path, *, again: bool = False) -> list[str]:
    """Return the command line of a client's crawl into ``out``; makes the list that curl wants."""
    client = found.client
    template = (client.again or client.first) if again else client.first
    listed = plan.work / "curl.list"
    if "{list}" in template:
        targets = (
            f'url = "{site.base}{path}"\noutput = "{out}/{number}"\n'
            for number, path in enumerate(site.paths())
        )
        listed.write_text("".join(targets), "utf-8")
    return found.argv(
        template,
        base=site.base,
        out=str(out),
        list=str(listed),
        connections=plan.connections_of(found),
    )


def run(argv: Sequence[str], work: Path, *, core: int | None, limit: float) -> Used:
    """Run a program alone; what it says goes to SAID in ``work``."""
    home = work / HOME
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        report = Path(folder, "used.json")
        where = "any" if core is None else str(core)
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(report), str(limit), where]
        with (work / SAID).open("ab") as words:
            words.write(f"$ {' '.join(argv)}\n".encode())
            words.flush()
            subprocess.run(
                [*launcher, *argv],
                env=environment(work),
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                timeout=limit + GRACE,
                check=True,
            )
        return msgspec.json.decode(report.read_bytes(), type=Used)


def environment(work: Path) -> dict[str, str]:
    """Return the environment of every client: as on a machine where it is simply installed.

    Nobody's own settings, no proxy between two ends of one machine, and bytecode is kept: where
    PYTHONDONTWRITEBYTECODE is set, a Python client would compile all its imports at every start.
    """
    without = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and (not name.startswith("PYTHON") or name in WHERE)
    }
    own = {"HOME": str(work / HOME), "PYTHONPYCACHEPREFIX": str(work / "bytecode")}
    return without | own


def warm_up(plan: Plan, site: Site) -> None:
    """Let every client crawl once, uncounted: what it imports is compiled and in memory then."""
    for found in plan.clients:
        out = plan.work / "warm-up" / found.name
        out.mkdir(parents=True)
        run(crawling(plan, site, found, out), plan.work, core=plan.core, limit=plan.limit)


def said(work: Path) -> str:
    """Return the command line and the last words of the client that ran last."""
    ran = (work / SAID).read_text("utf-8", "replace").rpartition("$ ")[2]
    return ran if len(ran) < LAST_WORDS else f"{ran.splitlines()[0]}\n…{ran[-LAST_WORDS:]}"


def start_up(plan: Plan, found: Found) -> float | None:
    """Return the seconds that a client takes before its first request, the median of some runs.

    None for programs that take next to none.
    """
    if not found.client.start:
        return None
    argv = found.argv(found.client.start)
    return median(
        run(argv, plan.work, core=plan.core, limit=plan.limit).wall for _ in range(plan.rounds)
    )
