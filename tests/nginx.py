"""Debian's nginx on a free loopback port, serving a folder as a news site would; counts requests.

Everything it writes stays in a folder of its own. No daemon, no privileges. The
listening socket is made here and handed over (nginx's own way of changing its binary while it
serves), so there is no port to race for and nothing to wait for at the start.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

LOOPBACK = "127.0.0.1"
#: Seconds until a log line must be there, or nginx must have stopped; a loaded machine takes one.
PATIENCE = 20.0
#: The path that marks the end of what is counted; never itself counted.
MARK = "/.counted"

_CONFIG = """\
daemon off;
{user}
worker_processes 1;
pid {prefix}/nginx.pid;
error_log {prefix}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  types {{
    text/html html; text/markdown md; text/plain txt; application/ld+json jsonld;
    application/xml xml; application/atom+xml atom;
  }}
  default_type text/html;  # news/SLUG has no suffix
  charset utf-8;
  charset_types text/plain text/markdown;
  sendfile on; tcp_nopush on;
  keepalive_requests 1000000;
  etag on; if_modified_since exact;
  gzip on; gzip_static on; gzip_vary on; gzip_proxied any;
  gzip_types text/plain text/markdown application/ld+json application/xml application/atom+xml;
  log_format counted
    '$status\\t$body_bytes_sent\\t$request_method\\t$request_uri\\t$http_user_agent';
  access_log {prefix}/access.log counted;
  client_body_temp_path {prefix}/t1; proxy_temp_path {prefix}/t2; fastcgi_temp_path {prefix}/t3;
  uwsgi_temp_path {prefix}/t4; scgi_temp_path {prefix}/t5;
  server {{
    listen {address}:{port};
    root {root};
    index index.html;
    absolute_redirect off;
    location = {mark} {{ return 204; }}
    location ~ ^(?<article>/news/[^/]+)\\.(md|txt|jsonld)$ {{
      add_header Link '<{base}$article>; rel="canonical"';
    }}
  }}
}}
"""


class Served(msgspec.Struct, frozen=True):
    """One line of the access log; ``size`` is bytes of body as sent."""

    status: int
    size: int
    method: str
    path: str
    agent: str


class NginxMissing(RuntimeError):
    """There is no nginx on this machine; the test set-up brings it."""


class Nginx:
    """Serves the folder ``root`` while entered; its logs and temporary files are in ``prefix``.

    ``base`` is known at once, so that the site can be written for it before nginx starts.
    """

    def __init__(self, root: Path, prefix: Path, *, also: str = "/usr/sbin:/sbin") -> None:
        """Take a free port; ``also``: where nginx is looked for beside the PATH.

        Raises NginxMissing.
        """
        # Debian keeps it where only root's PATH looks
        self._program = shutil.which("nginx") or shutil.which("nginx", path=also)
        if self._program is None:
            raise NginxMissing(
                "these tests need nginx: set up the tests as the README says, or "
                "apt-get install nginx-light"
            )
        self._root, self._prefix = root, prefix
        self._socket = socket.create_server((LOOPBACK, 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self.base = f"http://{LOOPBACK}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._marks = 0

    def __enter__(self) -> Self:
        self._prefix.mkdir(parents=True, exist_ok=True)
        config = self._prefix / "nginx.conf"
        config.write_text(
            _CONFIG.format(
                # a worker of root's would run as nobody, who may not read pytest's folders
                user="user root;" if os.geteuid() == 0 else "",
                prefix=self._prefix,
                root=self._root,
                address=LOOPBACK,
                port=self.port,
                mark=MARK,
                base=self.base,
            ),
            "utf-8",
        )
        inherited = self._socket.fileno()
        with (self._prefix / "start.log").open("wb") as start_log:
            self._process = subprocess.Popen(
                [str(self._program), "-p", str(self._prefix), "-c", str(config)],
                env=os.environ | {"NGINX": f"{inherited};"},
                pass_fds=[inherited],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=start_log,
            )
        try:
            self._mark()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End nginx and wait for it; its log can still be read."""
        self._socket.close()
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)

    def served(self) -> list[Served]:
        """List every request answered so far, in order."""
        if self._process is not None:
            self._mark()
        return [line for line in self._log() if line.path != MARK]

    def take(self) -> list[Served]:
        """List the requests answered since this was last asked, and empty the log of them.

        For whoever asks often: nobody else may be asking nginx meanwhile.
        """
        lines = self.served()
        os.truncate(self._prefix / "access.log", 0)
        self._marks = 0
        return lines

    def count(self, prefix: str = "/") -> int:
        """Count the requests so far whose path begins with ``prefix``."""
        return sum(line.path.startswith(prefix) for line in self.served())

    def _mark(self) -> None:
        """Ask for the marker and wait for its line: what was answered before stands above it."""
        self._marks += 1
        # not urllib, which would ask a proxy that the environment names
        connection = HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", MARK)
            connection.getresponse().read()
        ends = time.monotonic() + PATIENCE
        while sum(line.path == MARK for line in self._log()) < self._marks:
            if time.monotonic() > ends:
                raise TimeoutError(f"nginx wrote no log line: see {self._prefix}/error.log")
            time.sleep(0.005)

    def _log(self) -> list[Served]:
        log = self._prefix / "access.log"
        if not log.exists():
            return []
        # a last line without its end is still being written
        whole = log.read_text("utf-8").rpartition("\n")[0]
        return [_served(line) for line in whole.splitlines()]


def _served(line: str) -> Served:
    status, size, method, path, agent = line.split("\t")
    return Served(int(status), int(size), method, path, agent)
