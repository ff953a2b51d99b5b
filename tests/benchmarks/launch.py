"""Run one program on one core and write down what it used; a script of its own, kept small.

    python -I -S launch.py REPORT LIMIT CORE PROGRAM [ARGUMENT…]

A program's peak memory can't be told below that of the process that started it (the kernel carries
the mark over exec), so this one imports next to nothing. REPORT becomes a JSON object: wall, cpu
(user and system, children too) in seconds, rss in KiB, exit. After LIMIT seconds everything that
the program started is killed, and exit is 137. CORE is a number, or ``any``.
"""

import os
import signal
import sys
import time

#: What a shell says of a program that was killed.
KILLED = 137


def _main(report: str, limit: str, core: str, program: list[str]) -> None:
    if core != "any":
        os.sched_setaffinity(0, {int(core)})
    began = time.perf_counter()
    child = os.posix_spawnp(program[0], program, os.environ, setpgroup=0)

    def end(*_signal: object) -> None:
        os.killpg(child, signal.SIGKILL)

    for stop in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, end)
    signal.setitimer(signal.ITIMER_REAL, float(limit))
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - began
    code = os.waitstatus_to_exitcode(status)
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123  - pathlib is an import more
        file.write(
            f'{{"wall": {wall:.6f}, "cpu": {used.ru_utime + used.ru_stime:.6f}, '
            f'"rss": {used.ru_maxrss}, "exit": {KILLED if code < 0 else code}}}'
        )


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
