"""The clients that are compared: how each is called, what it can do, and where it is found."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parent / "peers"
#: Seconds that a client may take to say its version.
PATIENCE = 60.0


@dataclass(frozen=True)
class Client:
    """A client as it is written down: words in braces are filled in by ``argv``.

    ``again`` is its command line for a later crawl into the same folder: "" is the first one
    again, None that it has no way to. ``connections`` is how many it does best with on a near
    server, ``distant`` on one 50 ms away (0: too slow there to be asked unless it is named).
    ``module``: the Python library that it needs, so that it is run by an interpreter that has it.
    ``start``: what is timed as its start-up. ``ours`` marks slugline. ``fine``: exit codes that are
    no failure. ``default``: measured where nobody names the clients.
    """

    name: str
    first: str
    version: str
    again: str | None = ""
    connections: int = 32
    distant: int = 128
    module: str = ""
    start: str = ""
    ours: bool = False
    fine: tuple[int, ...] = (0,)
    default: bool = True

    @property
    def program(self) -> str:
        """The program that must be there."""
        return self.first.split()[0]


@dataclass(frozen=True)
class Found:
    """A client of this machine: its program by its whole path, and its version."""

    client: Client
    program: str
    version: str

    @property
    def name(self) -> str:
        """The client's name."""
        return self.client.name

    def argv(self, template: str, **words: str | int) -> list[str]:
        """Return the command line that ``template`` stands for."""
        named, *rest = [part.format(peers=PEERS, **words) for part in split(template)]
        # slugline's start-up is timed by its interpreter, which is this one
        ours = self.client.ours and named == "python"
        return [sys.executable if ours else self.program, *rest]


def split(template: str) -> list[str]:
    """Split at spaces; what stands in quotes stays whole."""
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', template)]


_SLUGLINE = "slugline mirror {base}/ --into {out}/m --rate 0 --concurrency {connections} --quiet"
#: What a crawl has imported before its first request.
_SLUGLINE_START = 'python -c "import crawler.commands.running"'
_HTTRACK = (
    "httrack {base}/ -O {out} -q -%v0 -s0 -c{connections} -%c0 -A0 --disable-security-limits "
    "-I0 -X0 -K4 -o0 -n"
)
_WGET = "{base}/ -q -m -nH -P {out}"
_WGET1 = f"wget {_WGET} -e robots=off --compression=auto"
#: wget and wget2 exit so where any URL answered an error.
_SERVER_SAID_NO = 8

CLIENTS = (
    Client(
        name="slugline-no-files",
        first=f"{_SLUGLINE} --no-files",
        again=f"{_SLUGLINE} --no-files --verify none",
        version="slugline --version",
        start=_SLUGLINE_START,
        ours=True,
    ),
    Client(
        name="slugline",
        first=_SLUGLINE,
        again=f"{_SLUGLINE} --verify none",
        version="slugline --version",
        start=_SLUGLINE_START,
        ours=True,
    ),
    Client(
        name="curl",
        first="curl -sS --parallel --parallel-max {connections} --compressed --globoff -K {list}",
        again=None,
        connections=64,
        version="curl --version",
    ),
    Client(
        name="wget2",
        first=f"wget2 {_WGET} --no-robots --max-threads={{connections}} --compression=gzip",
        connections=8,
        distant=64,
        version="wget2 --version",
        fine=(0, _SERVER_SAID_NO),
    ),
    Client(
        name="wget",
        first=_WGET1,
        connections=1,
        distant=0,
        version="wget --version",
        fine=(0, _SERVER_SAID_NO),
    ),
    Client(
        # what web archivists use: every answer in one WARC file, no plain files
        name="wget-warc",
        first=f"{_WGET1} --delete-after --warc-file={{out}}/all",
        again=None,
        connections=1,
        distant=0,
        version="wget --version",
        fine=(0, _SERVER_SAID_NO),
        default=False,
    ),
    Client(
        name="httrack",
        # no footer in the pages; in the other order a second update is refused
        first=f'{_HTTRACK} -%F ""',
        again=f'{_HTTRACK} --update -%F ""',
        connections=16,
        distant=0,
        version="httrack --version",
    ),
    Client(
        name="scrapy",
        first="python {peers}/scrapy_site.py {base} {out}/site {connections}",
        again=None,
        connections=16,
        module="scrapy",
        version='python -c "import scrapy; print(scrapy.__version__)"',
        start='python -c "import scrapy.crawler, scrapy.spiders"',
    ),
    Client(
        name="scrapy-cache",
        first="python {peers}/scrapy_site.py {base} {out}/site {connections} {out}/.cache",
        connections=16,
        module="scrapy",
        version='python -c "import scrapy; print(scrapy.__version__)"',
        start='python -c "import scrapy.crawler, scrapy.spiders"',
        default=False,
    ),
    Client(
        name="crawlee",
        first="python {peers}/crawlee_site.py {base} {out}/site {connections}",
        again=None,
        distant=64,
        module="crawlee",
        version='python -c "import crawlee; print(crawlee.__version__)"',
        start='python -c "import crawlee.crawlers, parsel"',
    ),
)
BY_NAME = {client.name: client for client in CLIENTS}


def wanted(names: Sequence[str], *, recrawl: bool, delayed: bool) -> list[Client]:
    """Return the clients of these names, or without any those that the comparison is about.

    Raises KeyError for a name that is none.
    """
    if names:
        return [BY_NAME[name] for name in names]
    if recrawl:
        return [each for each in CLIENTS if each.again is not None]
    return [each for each in CLIENTS if each.default and (each.distant or not delayed)]


def find(client: Client, folders: Iterable[Path]) -> Found | str:
    """Find a client in ``folders`` (with or without ``bin``) or on the PATH.

    Gives a sentence where it is not there.
    """
    places = [place for folder in folders for place in (folder / "bin", folder)]
    if client.ours:
        # the one beside this interpreter is the one that was changed last
        places = [Path(sys.executable).parent, *places]
    if client.module:
        programs = [str(p / "python") for p in places if (p / "python").exists()]
        for program in (*programs, sys.executable):
            if version := _version(client, program):
                return Found(client, program, version)
        return f"{client.name} left out: no Python here has {client.module} (see --peers-from)"
    for path in (*map(str, places), None):
        there = shutil.which(client.program, path=path)
        if there is not None and (version := _version(client, there)):
            return Found(client, there, version)
    return f"{client.name} left out: {client.program} is not installed (see --peers-from)"


def _version(client: Client, program: str) -> str:
    """Ask for the version; "" where the program can't say it."""
    argv = [program, *split(client.version)[1:]]
    try:
        # curl names its libraries, wget its options: the first number is the program's own
        said = subprocess.run(argv, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    number = re.search(rb"\d+\.\d[\w.-]*", said.stdout + said.stderr)
    return number[0].decode("ascii", "replace") if number and said.returncode in (0, 255) else ""
