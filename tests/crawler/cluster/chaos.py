"""A fleet that everything happens to for five minutes: ``python -m … [SECONDS]``, as root on Linux.

Workers are killed every few seconds, PostgreSQL is stopped twice (once killed), the bucket's server
twice, and the cable of the worker in a network namespace is pulled twice. Then every site must be
complete, no snapshot twice, none lost, all digests those of one machine's run, no host asked by two
at once or too fast, and no bug in any log. It says what it did and found, and exits 1 for a fault.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from msgspec import Struct

from tests.crawler.cluster.cable import HERE, Cable, laid
from tests.crawler.cluster.hosts import overlaps, too_fast
from tests.crawler.cluster.trial import Size, Trial, contents, told

_SIZE = Size(sites=200, articles=24, originals=20, rate=1.0)
_WORKERS, _CONCURRENCY = 4, 8
#: Who is at the end of the cable.
_FAR = "w0"
#: Seconds: from one kill to the next, what is stopped stays so, the cable is pulled (longer than a
#: worker is believed alive), and until all must be done after the last blow.
_KILL, _STOPPED, _PULLED, _PATIENCE = 6.0, 8.0, 70.0, 900.0
_MOMENT = 0.25
#: Seconds without a job after which nothing more is owed: a worker looks every minute, at notes
#: that the store may spool for half a one.
_CALM = 100.0
#: What may be in no log.
_BUGS = ("Traceback", "This is a bug", "never retrieved")


class _Blow(Struct, frozen=True, kw_only=True):
    """What happens at ``at`` seconds, and is undone after ``lasts``."""

    at: float
    name: str
    do: Callable[[], None]
    undo: Callable[[], None]
    lasts: float


def _blows(trial: Trial, cable: Cable, seconds: float) -> list[_Blow]:
    postgres, bucket = trial.postgres, trial.bucket

    def blow(part: float, name: str, do: Callable[[], None], undo: Callable[[], None]) -> _Blow:
        lasts = _PULLED if name.startswith("cable") else _STOPPED
        return _Blow(at=part * seconds, name=name, do=do, undo=undo, lasts=lasts)

    return [
        blow(0.10, "cable pulled", cable.pull, cable.plug),
        blow(0.20, "PostgreSQL killed", lambda: postgres.stop(kill=True), postgres.start),
        blow(0.35, "bucket stopped", bucket.stop, bucket.start),
        blow(0.50, "PostgreSQL stopped", postgres.stop, postgres.start),
        blow(0.60, "cable pulled", cable.pull, cable.plug),
        blow(0.75, "bucket stopped", bucket.stop, bucket.start),
    ]


class _Fleet:
    """The workers. Mutable state: their processes, how many were killed, who ended by itself."""

    def __init__(self, trial: Trial, cable: Cable) -> None:
        self._trial = trial
        self._cable = cable
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.killed = 0
        self.ended: list[str] = []
        for number in range(_WORKERS):
            self._start(f"w{number}")

    def _start(self, who: str) -> None:
        cable = self._cable if who == _FAR else None
        self._running[who] = self._trial.start(who, _CONCURRENCY, cable)

    def kill(self, who: str) -> None:
        """Kill one, and start it again, as a supervisor would."""
        self._running[who].kill()
        self._running[who].wait()
        self.killed += 1
        self._start(who)

    def supervise(self, now: float) -> None:
        """Start those again that ended by themselves."""
        for who, process in list(self._running.items()):
            if process.poll() is not None:
                last = "".join(self._trial.said()[who][-1:])
                self.ended.append(f"{who} with {process.returncode} at {now:.0f} s: {last}")
                self._start(who)

    def stop(self) -> list[int]:
        """Ask all to end, and return their exit codes."""
        for process in self._running.values():
            process.terminate()
        return [process.wait() for process in self._running.values()]


def _torment(trial: Trial, cable: Cable, fleet: _Fleet, seconds: float) -> bool:
    """Let it all happen; returns whether the work was done in the end."""
    began, chance = time.monotonic(), Random(7)
    due, undoing, pulled, kill_at = _blows(trial, cable, seconds), [], False, _KILL
    calm = 0.0
    while (now := time.monotonic() - began) < seconds + _PATIENCE:
        time.sleep(_MOMENT)
        fleet.supervise(now)
        for blow in [blow for blow in due if blow.at <= now]:
            due.remove(blow)
            _say(f"{now:.0f} s: {blow.name}; {trial.left()} jobs left and sites done")
            blow.do()
            pulled = pulled or blow.do == cable.pull
            undoing.append((time.monotonic() - began + blow.lasts, blow))
        for until, blow in [each for each in undoing if each[0] <= now]:
            undoing.remove((until, blow))
            blow.undo()
            pulled = pulled and blow.do != cable.pull
            _say(f"{now:.0f} s: undone: {blow.name}")
        if now < seconds and now >= kill_at:
            kill_at = now + chance.uniform(0.5, 1.5) * _KILL
            fleet.kill(chance.choice([f"w{n}" for n in range(pulled, _WORKERS)]))
        if not trial.finished() or undoing:
            calm = now
        elif now < seconds:
            trial.ask(trial.queue_all)
        elif now - calm > _CALM:
            _say(f"{calm:.0f} s: all done, {fleet.killed} workers killed")
            return True
    return False


def _faults(trial: Trial, fleet: _Fleet) -> Iterator[str]:
    got, wanted = contents(trial.folder / "w1" / "mirror"), contents(trial.alone())
    log = [each for each in trial.log() if each.who != trial.ALONE]
    yield from (f"lost: {key}" for key in wanted.keys() - got.keys())
    yield from (f"more than one machine has: {key}" for key in got.keys() - wanted.keys())
    for key in got.keys() & wanted.keys():
        if got[key][:1] != wanted[key]:
            yield f"not as one machine has it: {key}: {got[key]} {wanted[key]}"
    for key in [key for key, rows in got.items() if len(rows) != 1]:
        yield from (f"twice: {key}: {line}" for line in told(trial.folder / "w1" / "mirror", *key))
    yield from (f"two at once: {one} {two}" for one, two in overlaps(log))
    yield from (f"too fast: {one} {two}" for one, two in too_fast(log, _SIZE.rate))
    doubled = {site for (site, _), rows in got.items() if len(rows) != 1}
    for who, lines in trial.said().items():
        yield from (f"{who}: {line}" for line in lines if any(bug in line for bug in _BUGS))
        for site in doubled:
            place = site.replace("+", ":")
            yield from (f"{who}: {line}" for line in lines if site in line or place in line)
    _say(f"{len(got)} articles, one machine {len(wanted)}; {len(log)} requests")
    _say(f"ended by themselves: {', '.join(fleet.ended) or 'none'}")


def _say(line: str) -> None:
    print(line, flush=True)


def _main(seconds: float) -> int:
    with ExitStack() as stack:
        cable = stack.enter_context(laid())
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        trial = Trial(Path(folder), _SIZE, HERE)
        stack.enter_context(trial.running())
        stack.enter_context(cable.passing(trial.port))
        fleet = _Fleet(trial, cable)
        stack.callback(fleet.stop)
        done = _torment(trial, cable, fleet, seconds)
        _say(f"exit codes at SIGTERM: {fleet.stop()}")
        faults = list(_faults(trial, fleet))
    for fault in [*faults[:200], *([] if done else ["not all was done in time"])]:
        _say(f"FAULT {fault}")
    _say(f"{len(faults)} faults")
    return 0 if done and not faults else 1


if __name__ == "__main__":
    sys.exit(_main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0))
