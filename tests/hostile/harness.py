"""The real command against a hostile site, and what must hold whatever the site does.

``mirror`` runs ``slugline mirror`` as a user's process, in a watched folder of its own, with
bounds short enough that a test ends in seconds, and gives an Outcome; ``slugline`` runs any
command. ``Outcome.holds`` asserts what every hazard has to leave as it is: no traceback, an end
within the bounds, little memory, nothing touched outside the mirror, every healthy article complete
to the byte, and the cause said in words beside its URL.
"""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Timer
from typing import Any

from msgspec import Struct

from crawler.config.settings import Config
from storage.archive import Archive
from tests.hostile.fault_server import FaultServer, Route

#: Most MiB a run may hold at any time (issue 4).
MOST_MEMORY = 300
#: Seconds after which a run hangs: far past every bound below, for slow machines.
HANGS_AFTER = 45.0
#: Bounds of a run, in the names of config.toml: a fault takes seconds, not minutes.
BOUNDS: dict[str, Any] = {
    "rate": 0,
    "concurrency": 4,
    "attempts": 1,
    "connect_timeout": 2,
    "read_timeout": 2,
    "total_timeout": 3,
    "max_body": 2 << 20,
    "retry_after_cap": 2,
    "grace": 2,
}
#: The module that forks the runs; it imports the whole product, and this one need not.
_STARTED_BY = "tests.hostile.starter"
#: What a user must never see, whatever a site does.
_BUGS = (
    "Traceback",
    "This is a bug",
    "Exception ignored",
    "Exception in callback",
    "Warning: ",
    "never awaited",
    "never retrieved",
    "Unclosed",
)


class Outcome(Struct, frozen=True, kw_only=True):
    """What one command did.

    ``peak`` is MiB, ``seconds`` the wall time, ``touched`` the paths changed outside the mirror;
    ``summary`` is the last line of stdout where that is a JSON object, else {}.
    """

    code: int
    stdout: str
    stderr: str
    summary: dict[str, Any]
    peak: float
    seconds: float
    hung: bool
    mirror: Path
    touched: tuple[str, ...]

    @property
    def errors(self) -> dict[str, str]:
        """The summary's reasons by URL; several of one URL are joined."""
        found: dict[str, str] = {}
        for each in self.summary.get("errors", []):
            found[each["url"]] = f"{found.get(each['url'], '')} {each['reason']}".strip()
        return found

    def said(self, url: str) -> str:
        """All that the run said of ``url``: in the summary's errors, its log, and on stderr."""
        lines = [line for line in self.stderr.splitlines() if url in line]
        for log in sorted(self.mirror.glob("runs/*.jsonl")):
            for line in log.read_text("utf-8").splitlines():
                event = json.loads(line)
                if event["type"] in {"note", "failed", "passed", "waiting"} and url in line:
                    lines.append(" ".join(str(value) for value in event.values()))
        return "\n".join([self.errors.get(url, ""), *lines])

    def sane(self, *codes: int) -> None:
        """Assert what any command leaves so: no bug shows, and nothing outside is touched.

        ``codes`` are the exit codes that may come, else 0 and 1.
        """
        told = f"{self.stdout}\n{self.stderr}"
        assert not self.hung, f"the run hung:\n{told}"
        for bug in _BUGS:
            assert bug not in told, told
        assert self.code in (codes or (0, 1)), told
        assert self.peak < MOST_MEMORY, f"{self.peak:.0f} MiB"
        assert self.touched == ()

    def holds(self, site: FaultServer, url: str = "", words: str | Iterable[str] = ()) -> None:
        """Assert what every hazard leaves as it is; ``words`` are said of ``url``."""
        self.sane()
        assert self.summary, self.stderr
        self.healthy(site)
        said = self.said(url) if url else json.dumps(self.summary) + self.stderr
        for word in (words,) if isinstance(words, str) else words:
            assert word in said, f"{word!r} is not in what was said of {url}:\n{said}"

    def healthy(self, site: FaultServer, *slugs: str) -> None:
        """Assert that the site's healthy articles (or ``slugs``) are complete to the byte."""
        with Archive.open(self.mirror) as archive:
            for slug in slugs or site.articles:
                manifest = archive.newest(_name(site), slug)
                assert manifest is not None, f"{slug} was not kept\n{self.stderr}"
                assert manifest.state == "complete", f"{slug}: {manifest.missing}"
                for name, body in site.articles[slug].items():
                    kept = archive.body(manifest, name).decoded
                    assert kept == body, f"{slug}, {name}"

    def kept(self, site: FaultServer) -> dict[str, list[str]]:
        """Return the formats of every article's newest snapshot, by slug."""
        with Archive.open(self.mirror) as archive:
            rows = archive.newest_all(_name(site))
            return {row.slug: sorted(row.formats) for row in rows}

    def body(self, site: FaultServer, slug: str, format: str) -> bytes:
        """Return the decoded bytes of a format in the article's newest snapshot."""
        with Archive.open(self.mirror) as archive:
            manifest = archive.newest(_name(site), slug)
            assert manifest is not None, slug
            return archive.body(manifest, format).decoded


async def mirror(
    site: FaultServer | str,
    folder: Path,
    *flags: str,
    more: Iterable[str] = (),
    settings: Mapping[str, Any] | None = None,
    script: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run ``slugline mirror`` on ``site`` (or a URL) and on ``more`` URLs into ``folder``/mirror.

    ``settings`` go over BOUNDS; ``script`` is run instead of the ``slugline`` script. Runs of
    one ``folder`` follow each other into the same mirror.
    """
    start = site if isinstance(site, str) else site.url("/")
    watched = folder / "watched"
    watched.mkdir(exist_ok=True)
    (watched / "config.toml").write_text(_toml({**BOUNDS, **(settings or {})}), "utf-8")
    asked = ["mirror", start, *more, "--into", str(watched / "mirror"), "--json"]
    asked += ["--config", str(watched / "config.toml"), *flags]
    return await slugline(folder, *asked, script=script, env=env)


async def slugline(
    folder: Path, *arguments: str, script: Path | None = None, env: Mapping[str, str] | None = None
) -> Outcome:
    """Run ``slugline`` with any ``arguments``; the mirror is watched/mirror in ``folder``."""
    watched = folder / "watched"
    for name in ("work", "home", "tmp"):
        (watched / name).mkdir(parents=True, exist_ok=True)
    before = _tree(watched)
    measured = await asyncio.to_thread(_run, arguments, watched, folder, script, env or {})
    after = _tree(watched)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return Outcome(
        **measured,
        mirror=watched / "mirror",
        summary=_summary(measured["stdout"]),
        touched=tuple(sorted(changed)),
    )


async def turned_bad(
    site: FaultServer, folder: Path, slug: str, spoilt: Mapping[str, Route], **wishes: Any
) -> Outcome:
    """Mirror the site, spoil routes of its article ``slug``, and mirror it again.

    ``spoilt`` maps suffixes ("", ".md" …) to what answers now; ``wishes`` are mirror's. Asserts
    that nothing good was replaced: every healthy article, ``slug`` too, is kept as it was.
    """
    first = await mirror(site, folder, **wishes)
    first.holds(site)
    for suffix, route in spoilt.items():
        site.routes[f"/news/{slug}{suffix}"] = route
    again = await mirror(site, folder, **wishes)
    again.holds(site)
    return again


class _Starter:
    """The one process that forks this test session's runs. State: it, once it is needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Do one job to its end, or kill it after HANGS_AFTER: ``code``, ``peak``, ``hung``."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _STARTED_BY],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._end, self._process)
        hung: list[bool] = []
        said = self._ask(json.dumps(job))

        def kill() -> None:
            hung.append(True)
            os.killpg(said["pid"], signal.SIGKILL)

        timer = Timer(HANGS_AFTER, kill)
        timer.start()
        try:
            return {**self._ask(""), "hung": bool(hung)}
        finally:
            timer.cancel()

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if line:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.communicate()


_STARTER = _Starter()


def _run(
    arguments: Iterable[str],
    watched: Path,
    folder: Path,
    script: Path | None,
    env: Mapping[str, str],
) -> dict[str, Any]:
    """Run ``slugline`` with ``arguments``; its output goes through files, which never fill up."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLUGLINE_")}
    homes = {"HOME": str(watched / "home"), "TMPDIR": str(watched / "tmp"), "COLUMNS": "200"}
    job = {
        "arguments": list(arguments),
        "cwd": str(watched / "work"),
        "env": {**kept, **homes, **env},
        "script": str(script) if script else "",
        "stdout": str(folder / "stdout"),
        "stderr": str(folder / "stderr"),
    }
    began = time.monotonic()
    taken = _STARTER.run(job)
    return {
        **taken,
        "seconds": time.monotonic() - began,
        "stdout": (folder / "stdout").read_text("utf-8", "replace"),
        "stderr": (folder / "stderr").read_text("utf-8", "replace"),
    }


def _name(site: FaultServer) -> str:
    return site.host.replace(":", "+")


def _summary(stdout: str) -> dict[str, Any]:
    lines = stdout.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _toml(settings: Mapping[str, Any]) -> str:
    """Write settings under their tables; JSON's values are TOML's too."""
    tables: dict[str, list[str]] = {}
    for name, value in settings.items():
        tables.setdefault(_table(name), []).append(f"{name} = {json.dumps(value)}")
    return "\n".join("\n".join([f"[{table}]", *lines]) for table, lines in tables.items()) + "\n"


def _table(setting: str) -> str:
    whole = Config().model_dump()
    return next(t for t in ("defaults", "fetch", "limits", "store") if setting in whole[t])


def _tree(watched: Path) -> dict[str, str]:
    """Digest every file under ``watched`` but the mirror's."""
    found = {}
    for path in watched.rglob("*"):
        inside = path.relative_to(watched)
        if inside.parts[0] == "mirror":
            continue
        whole = path.read_bytes() if path.is_file() else b""
        found[str(inside)] = hashlib.sha256(whole).hexdigest()
    return found
