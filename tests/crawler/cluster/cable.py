"""A machine of its own on a real cable: a network namespace, which root can make, on Linux.

What runs within has its own loopback, and reaches this machine by one address. Pulling the cable
drops every packet and tells nobody, as a broken switch does.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex

#: The two ends' addresses, of a network that no machine here has.
HERE, _THERE = "10.231.7.1", "10.231.7.2"


class Cable:
    """One namespace, whose programs ``inside`` starts. State: the kernel's."""

    def __init__(self) -> None:
        self._name = f"slugline-{token_hex(2)}"
        self._end = f"sl{token_hex(4)}"

    def inside(self, *command: str) -> list[str]:
        """Return the command line that runs ``command`` within; a signal to it reaches that."""
        return ["ip", "netns", "exec", self._name, *command]

    def lay(self) -> None:
        """Make the namespace, and both ends."""
        there = ["-n", self._name]
        _ip("netns", "add", self._name)
        _ip("link", "add", self._end, "type", "veth", "peer", "name", "far", "netns", self._name)
        _ip("addr", "add", f"{HERE}/30", "dev", self._end)
        _ip("link", "set", self._end, "up")
        _ip(*there, "addr", "add", f"{_THERE}/30", "dev", "far")
        _ip(*there, "link", "set", "far", "up")
        _ip(*there, "link", "set", "lo", "up")

    def pull(self) -> None:
        """Let no packet through."""
        _ip("link", "set", self._end, "down")

    def plug(self) -> None:
        """Let them through again."""
        _ip("link", "set", self._end, "up")

    def remove(self) -> None:
        """Take both away."""
        _ip("netns", "del", self._name)

    @contextmanager
    def passing(self, port: int) -> Iterator[None]:
        """Have every address of its loopback lead to ``port`` here, by the cable."""
        passer = "tests.crawler.cluster.passing"
        command = self.inside(sys.executable, "-m", passer, str(port), HERE)
        with subprocess.Popen(command, stdin=subprocess.PIPE) as program:
            try:
                yield
            finally:
                program.terminate()


@contextmanager
def laid() -> Iterator[Cable]:
    """Give a cable until this ends."""
    cable = Cable()
    cable.lay()
    try:
        yield cable
    finally:
        cable.remove()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
