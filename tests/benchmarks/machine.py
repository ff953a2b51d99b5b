"""What the figures were measured on: without it they say nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

#: The parts whose speed is slugline's.
LIBRARIES = ("aiohttp", "selectolax", "FastWARC", "isal", "msgspec", "uvloop")


def described(work: Path, now: datetime) -> list[str]:
    """Return lines on the machine, its software and the file system of ``work``."""
    libraries = [f"{name} {number}" for name in LIBRARIES if (number := _version(name))]
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    hardware = f"{_processor()}, {os.cpu_count()} cores, {load}, {platform.platform(terse=True)}"
    software = f"Python {platform.python_version()}, {', '.join(libraries)}, {_nginx()}"
    return [f"{now:%Y-%m-%d %H:%M} UTC, {hardware}", f"{software}; mirrors on {file_system(work)}"]


def cores() -> Sequence[int]:
    """Return the cores this process may use; none where the system can't pin to one."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()


def noise() -> tuple[float, float]:
    """Return the CPU seconds that others on this host took from this machine, and its load."""
    with suppress(OSError):
        fields = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()
        return int(fields[8]) / os.sysconf("SC_CLK_TCK"), os.getloadavg()[0]
    return 0.0, os.getloadavg()[0]


def roomy(needed: int) -> Path | None:
    """Return a folder in memory with space for ``needed`` bytes, or None."""
    memory = Path("/dev/shm")  # noqa: S108  - a folder of its own is made in it
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        return None
    space = os.statvfs(memory)
    return memory if space.f_bavail * space.f_frsize > needed else None


def file_system(folder: Path) -> str:
    """Name the kind of file system that ``folder`` is on."""
    best = ("", "an unknown file system")
    with suppress(OSError):
        for line in Path("/proc/mounts").read_text("utf-8").splitlines():
            _, place, kind, *_ = line.split()
            if folder.resolve().is_relative_to(place) and len(place) > len(best[0]):
                best = (place, kind)
    return best[1]


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    with suppress(ImportError):
        return version(package)
    return ""


def _nginx() -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    with suppress(OSError):
        said = subprocess.run(
            ["nginx", "-v"], env=os.environ | {"PATH": path}, capture_output=True, check=False
        )
        return said.stderr.decode().strip().rpartition(" ")[2]
    return "nginx"
