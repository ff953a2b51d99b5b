"""The index's tables: derived from the segments, but for what a run remembers of its work.

Everything that a reading command shows is made by rows.py from manifests. ``entries``, ``memory``,
``runs`` and the noted part of ``names`` and ``validators`` are operational: a reindex loses them,
and says so. Moments are whole microseconds since 1970 in UTC, so that they sort and never lose a
digit; lists and mappings are JSON text. A change here is a new rows.SCHEMA_VERSION: the index is
made again. Only who makes tables imports this: SQLAlchemy takes longer to load than most commands
take to answer.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

sites = Table(
    "sites",
    metadata,
    Column("name", String, primary_key=True),
    Column("scope", String, nullable=False),
    Column("implicit", Boolean, nullable=False),
)

#: ``committed``: bytes of the file that whole, indexed groups fill.
segments = Table(
    "segments",
    metadata,
    Column("name", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("committed", BigInteger, nullable=False),
)

#: What an article's next snapshot and every list of articles begin with, so that neither walks
#: through histories. ``last`` is its highest sequence number, ``newest`` its newest snapshot's (0:
#: none), ``placed`` that of the snapshot or move that says its ``url`` (0: only an event does).
articles = Table(
    "articles",
    metadata,
    Column("site", String, primary_key=True),
    Column("slug", String, primary_key=True),
    Column("url", String, nullable=False),
    Column("last", Integer, nullable=False),
    Column("newest", Integer, nullable=False),
    Column("placed", Integer, nullable=False),
    sqlite_with_rowid=False,
)

#: ``content`` has a mark a source, of its content digest: see rows.content_mark.
snapshots = Table(
    "snapshots",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("site", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("url", String, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("unit", String, nullable=False),
    Column("source", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("formats", Text, nullable=False),
    Column("missing", Text, nullable=False),
    Column("findings", Text, nullable=False),
    Column("title", Text),
    Column("content", String, nullable=False),
    Column("run", String, nullable=False),
    Column("implicit", Boolean, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("segment", String, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("head", BigInteger, nullable=False),
    Index("snapshots_article", "site", "slug", "sequence", unique=True),
    Index("snapshots_key", "site", "slug", "updated_at"),
    Index("snapshots_place", "segment", "offset"),
    Index("snapshots_observed", "observed_at"),
)

events = Table(
    "events",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("site", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("url", String, nullable=False),
    Column("event", String, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("run", String, nullable=False),
    Column("implicit", Boolean, nullable=False),
    Column("segment", String, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("head", BigInteger, nullable=False),
    Index("events_article", "site", "slug", "sequence", unique=True),
    Index("events_place", "segment", "offset"),
    Index("events_observed", "observed_at"),
)

#: ``target_id`` set: the record is a revisit, and the bytes are that response's. ``record_id``
#: empty: no bytes were stored (noarchive). ``offset`` and ``length`` are the record's own.
representations = Table(
    "representations",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("site", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("format", String, nullable=False),
    Column("url", String, nullable=False),
    Column("final_url", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    Column("content_encoding", String, nullable=False),
    Column("payload_digest", String, nullable=False),
    Column("record_id", String, nullable=False),
    Column("target_id", String),
    Column("file", String, nullable=False),
    Column("segment", String, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Index("representations_article", "site", "slug", "format", "sequence"),
    Index("representations_record", "record_id"),
    Index("representations_url", "url", "fetched_at"),
    Index("representations_place", "segment"),
)
_holds_bytes = and_(representations.c.target_id.is_(None), representations.c.record_id != "")
Index(
    "representations_response",
    representations.c.site,
    representations.c.slug,
    representations.c.digest,
    sqlite_where=_holds_bytes,
    postgresql_where=_holds_bytes,
)

#: The names under files/, folded as the worst of file systems compares them, and the folders above
#: them, whose ``file`` is empty.
files = Table(
    "files",
    metadata,
    Column("folded", String, primary_key=True),
    Column("file", String, nullable=False),
    Column("url", String, nullable=False),
    Column("format", String, nullable=False),
    Index("files_url", "url"),
    sqlite_with_rowid=False,
)

#: What else an article answers to: ``name`` is a URL or an earlier or later slug.
names = Table(
    "names",
    metadata,
    Column("site", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("slug", String, primary_key=True),
    Column("is_url", Boolean, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("names_name", "name"),
)

validators = Table(
    "validators",
    metadata,
    Column("url", String, primary_key=True),
    Column("etag", String),
    Column("last_modified", String),
    Column("digest", String, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("site", String, primary_key=True),
    Column("url", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("lastmod", String, nullable=False),
    Column("checked_at", BigInteger, nullable=False),
    Column("run", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("verified_at", BigInteger),
)

#: What a site's runs remember for the next one, under keys of the crawler's choosing: JSON text.
memory = Table(
    "memory",
    metadata,
    Column("site", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("command", String, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("continues_since", BigInteger),
    Column("finished_at", BigInteger),
    Column("finished", Boolean, nullable=False),
    Column("summary", Text, nullable=False),
)


def statements() -> list[str]:
    """Return SQLite's statements that make the tables, each before its own indexes."""
    made: list[ExecutableDDLElement] = []
    for table in metadata.sorted_tables:
        made.append(CreateTable(table))
        made += map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))
    return [str(one.compile(dialect=sqlite.dialect())) for one in made]
