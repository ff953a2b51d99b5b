"""A connection to PostgreSQL that is had again when it is lost, with the locks that it held.

Any number of processes on any machines may write one index at once, ordered by advisory locks. Who
writes shares one with the other writers, and who makes the index anew has it alone. Then one a
site, while its snapshots are numbered (``holding``). Last, a transaction's, one for all while rows
are written (postgres.Postgres.begin): nobody waits for anything while he has it, so that writing
never ends in a deadlock, and row numbers rise in the order in which rows are seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from storage.errors import (
    ArchiveError,
    DamageFound,
    DiskFull,
    IndexAway,
    IndexUnusable,
    LockHeld,
    ReadOnly,
    SiteHeld,
    StoreFailed,
    TakesNoWrites,
    UnusablePlace,
)
from storage.index.database_url import DatabaseUrl
from storage.index.postgres_spelling import Raw, register

#: Seconds between two tries to connect, at most: the mean of a wait is half of it.
_LONGEST_WAIT = 2.0
#: Seconds, and milliseconds, until a connection that was cut without a word is known to be: sooner
#: than another worker takes up what this one had.
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
#: The server's own: who is cut off must not keep others out with the locks of a dead session.
_SERVER_KEEPALIVE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
#: Have the server look, in the midst of a long statement too, whether who asked is still there;
#: PostgreSQL has it from 14 on.
_LOOK_WHO_ASKED = """
SELECT set_config(name, '1s', false) FROM pg_settings
WHERE name = 'client_connection_check_interval'
"""
#: Seconds until a session whose process was killed is over.
_KILLED_MAY_END = 3.0
#: Seconds that one try to connect may take.
_CONNECTING = 10
#: Encodings of a database that keep what they are given.
_HOLD_ALL = frozenset({"UTF8", "SQL_ASCII"})
#: 57P01 to 57P03: the server stops, crashes or starts.
_SERVER_GOES = frozenset({"57P01", "57P02", "57P03"})
#: What a server that starts, stops or is full says to who would connect, which bears no number.
_COMES_AND_GOES = (
    "starting up",
    "shutting down",
    "recovery",
    "accepting",
    "too many clients",
    "connection slots",
)
#: What libpq says by itself of a connection that waiting does not mend.
_STAYS = ("FATAL", "no password supplied", "certificate", "does not support", "authentication")


class Line:
    """A connection. State: it, and what it holds: the writers' lock, and sites'."""

    def __init__(self, root: Path, url: DatabaseUrl, *, schema: str = "", reading: bool) -> None:
        """Connect; ``root`` is named in errors, ``schema`` is another one than the URL's."""
        self.root = root
        self._url = url
        self._schema = schema or url.schema
        self._reading = reading
        self._shared = False
        self._sites: Counter[int] = Counter()
        self._connection = self._connect()

    @property
    def name(self) -> str:
        """What errors call it: no secret is in it."""
        return self._url.name

    def errors(self, doing: str) -> AbstractContextManager[None]:
        """Turn PostgreSQL's errors into ours: whose fault it is, and what was being done."""
        return postgres_errors(self.root, self.name, doing)

    def close(self) -> None:
        """Close the connection, and let its locks go."""
        # The server ends a session some time after it was closed, and others may be waiting.
        with suppress(psycopg.Error):
            if not self._connection.closed:
                self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()

    def _connect(self) -> Raw:
        with self.errors("connecting to the index"):
            for attempt in self._tries():
                with attempt:
                    return self._connect_once()
        raise StoreFailed("no try was made")

    def _connect_once(self) -> Raw:
        connection = self._connect_plainly()
        self._check_encoding(connection)
        connection.autocommit = True
        register(connection)
        connection.execute(
            "SELECT set_config('search_path', quote_ident(%s), false)", (self._schema,)
        )
        if self._reading:
            connection.execute("SET default_transaction_read_only = on")
        for name, value in _SERVER_KEEPALIVE.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        with suppress(errors.InvalidParameterValue):  # not every system of a server can tell
            connection.execute(_LOOK_WHO_ASKED)
        patience = f"{int(self._url.patience * 1000)}ms"
        connection.execute("SELECT set_config('lock_timeout', %s, false)", (patience,))
        return connection

    def _check_encoding(self, connection: Raw) -> None:
        """Raise UnusablePlace where the database can't hold every text (SQL_ASCII holds bytes)."""
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in _HOLD_ALL:
            connection.close()
            why = f"its encoding is {encoding}, which can't hold every text: make it with UTF8"
            raise UnusablePlace("index", self.name, why)

    def _connect_plainly(self) -> Raw:
        return psycopg.connect(
            self._url.plain,
            connect_timeout=_CONNECTING,
            client_encoding="utf-8",
            fallback_application_name="slugline",
            **_KEEPALIVE,
        )

    def _restore(self) -> None:
        """Have a connection, with what the lost one held."""
        if self._connection.closed or self._connection.broken:
            self._connection = self._connect_once()
            try:
                if self._shared:
                    self._share()
                for site in sorted(self._sites.elements()):
                    self._hold(site)
            except BaseException:
                # With less than the lost one held it is none to go on with.
                self._connection.close()
                raise

    def _tries(self) -> Iterable[AbstractContextManager[object]]:
        return Retrying(
            retry=retry_if_exception(self._is_lost),
            wait=wait_random_exponential(multiplier=0.1, max=_LONGEST_WAIT),
            stop=self._patience_ends,
            reraise=True,
        )

    def _patience_ends(self, tries: RetryCallState) -> bool:
        return (tries.seconds_since_start or 0.0) >= self._url.patience

    def _is_lost(self, error: BaseException) -> bool:
        """Tell whether it is a lost connection, or a server that is not there yet."""
        connection = getattr(self, "_connection", None)
        if not is_away(error) or (connection is None and "resolve host" in str(error)):
            return False
        numbered = getattr(error, "sqlstate", None) is not None
        return numbered or connection is None or bool(connection.broken or connection.closed)

    # locks of the session

    @contextmanager
    def holding(self, sites: Collection[str], *, at_once: bool = False) -> Iterator[None]:
        """Until this ends, nobody else numbers what is of these sites; several may be held at once.

        Raises StoreFailed where another has one of them for longer than the URL's patience, and
        SiteHeld with ``at_once`` where another has one now.
        """
        held: list[int] = []
        try:
            with self.errors("waiting for another writer of the site"):
                for site in sorted({_hash(site) for site in sites}):
                    self._hold_soon(site, at_once=at_once)
                    held.append(site)
                    self._sites[site] += 1
            yield
        finally:
            self._let_go(held)

    def _hold_soon(self, site: int, *, at_once: bool) -> None:
        for attempt in self._tries():
            with attempt:
                self._restore()
                self._hold(site, at_once=at_once)

    def _hold(self, site: int, *, at_once: bool = False) -> None:
        key = (_hash(self._url.schema), site)
        if not at_once:
            self._connection.execute("SELECT pg_advisory_lock(%s::integer, %s::integer)", key)
            return
        asked = "SELECT pg_try_advisory_lock(%s::integer, %s::integer)"
        if self._connection.execute(asked, key).fetchone() != (True,):
            raise SiteHeld

    def _let_go(self, held: Iterable[int]) -> None:
        for site in held:
            self._sites[site] -= 1
            # A lost connection's locks are gone with it.
            with suppress(psycopg.Error):
                self._connection.execute(
                    "SELECT pg_advisory_unlock(%s::integer, %s::integer)",
                    (_hash(self._url.schema), site),
                )
        self._sites = +self._sites

    def _share(self) -> None:
        self._lock("pg_advisory_lock_shared")
        self._shared = True

    def _alone(self) -> None:
        self._lock("pg_advisory_lock")

    def _lock(self, function: str) -> None:
        question = sql.SQL("SELECT {}(%s::bigint)").format(sql.Identifier(function))
        try:
            with self._waiting(_KILLED_MAY_END):
                self._connection.execute(question, (self._key("s"),))
        except errors.LockNotAvailable as error:
            raise LockHeld(self.root, None, "") from error

    @contextmanager
    def _waiting(self, seconds: float) -> Iterator[None]:
        """Wait for locks at most so long, and not for the URL's patience."""
        self._wait(seconds)
        yield
        self._wait(self._url.patience)

    def _wait(self, seconds: float) -> None:
        limit = "SELECT set_config('lock_timeout', %s, false)"
        self._connection.execute(limit, (f"{int(seconds * 1000)}ms",))

    def _key(self, what: str) -> int:
        # Sites are numbered in the index alone; tables are written by whoever writes their schema.
        return _hash(f"{what} {self._url.schema if what == 's' else self._schema}", size=8)


def _hash(text: str, size: int = 4) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=size).digest(), signed=True)


def is_away(error: BaseException) -> bool:
    """Tell whether a server can't be reached, or is not there yet: later it may be."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    if error.sqlstate is not None:
        # 08: connection exceptions
        return error.sqlstate[:2] == "08" or error.sqlstate in _SERVER_GOES
    said = str(error)
    if any(words in said for words in _COMES_AND_GOES):
        return True
    # It answers: a wrong password or database is not mended by waiting.
    return not any(words in said for words in _STAYS)


@contextmanager
def postgres_errors(root: Path, name: str, doing: str) -> Iterator[None]:
    """Turn PostgreSQL's errors into ours; ``name`` is the index's."""
    try:
        yield
    except errors.IntegrityError as error:
        raise DamageFound(
            f"the segments of {root}", f"a snapshot is there twice ({_said(error)})"
        ) from error
    except psycopg.Error as error:
        raise _ours(root, name, error, doing) from error


def _ours(root: Path, name: str, error: psycopg.Error, doing: str) -> ArchiveError:
    said = _said(error)
    if isinstance(error, errors.DiskFull):
        return DiskFull(f"no room left for {name} while {doing}: {said}")
    if isinstance(error, errors.InsufficientPrivilege):
        return ReadOnly(f"may not write in {name} while {doing}: {said}")
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return TakesNoWrites(f"{name} takes no writes now, while {doing}: {said}")
    if isinstance(error, errors.ProgrammingError):
        return IndexUnusable(root, f"{name} is not slugline's ({said})")
    failed = IndexAway if is_away(error) else StoreFailed
    return failed(f"{name} failed while {doing}: {said}")


def _said(error: psycopg.Error) -> str:
    """Return PostgreSQL's own words on one line: where a password was wrong, they don't name it."""
    return " ".join((error.diag.message_primary or str(error)).split())
