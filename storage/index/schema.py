"""The index's tables: derived from the segments, but for what a run remembers of its work.

Everything that a reading command shows is made by rows.py from manifests. ``entries``, ``memory``,
``runs`` and the noted part of ``names`` and ``validators`` are operational: a reindex loses them,
and says so. Moments are whole microseconds since 1970 in UTC, so that they sort and never lose a
digit; lists and mappings are JSON text; record ids and digests are packed (rows.packed); a URL or
path that is only looked for has a mark of 64 bits (rows.mark_of). A change here is a new
rows.SCHEMA_VERSION: the index is made again, by what tables.py has of it as text. No command
imports this: SQLAlchemy takes longer to load than most of them take to answer.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

metadata = MetaData()
#: SQLite's own number of a row, which has 64 bits, goes by this name alone.
_MARK = BigInteger().with_variant(Integer, "sqlite")

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
#: ``n`` stands for the article where there are many rows of one.
articles = Table(
    "articles",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("site", String, nullable=False),
    Column("slug", String, nullable=False),
    Column("url", String, nullable=False),
    Column("last", Integer, nullable=False),
    Column("newest", Integer, nullable=False),
    Column("placed", Integer, nullable=False),
    Index("articles_name", "site", "slug", unique=True),
)

#: ``content`` has a mark a source, of its content digest: see rows.content_mark.
snapshots = Table(
    "snapshots",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("id", LargeBinary, nullable=False),
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
    Column("id", LargeBinary, nullable=False),
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

#: ``article`` is the article's ``n``. ``target_id`` set: the record is a revisit, and the bytes are
#: that response's. ``record_id`` empty: no bytes were stored (noarchive). ``final_url`` empty: it
#: is ``url``. ``file`` is a name, empty, or rows.AS_ITS_URL. ``offset`` and ``length`` are the
#: record's own, in its snapshot's segment.
representations = Table(
    "representations",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("article", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("format", String, nullable=False),
    Column("url", String, nullable=False),
    Column("final_url", String, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    Column("content_encoding", String, nullable=False),
    Column("payload_digest", String, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("target_id", LargeBinary),
    Column("file", String, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Index("representations_article", "article", "sequence"),
    Index("representations_record", "record_id"),
)
_holds_bytes = and_(representations.c.target_id.is_(None), representations.c.length > 0)
Index(
    "representations_response",
    representations.c.article,
    representations.c.digest,
    sqlite_where=_holds_bytes,
    postgresql_where=_holds_bytes,
)

#: Every URL and format that an article has had, found by the URL's mark, and the file that they
#: were given: as in the table ``representations``.
urls = Table(
    "urls",
    metadata,
    Column("mark", BigInteger, primary_key=True),
    Column("format", String, primary_key=True),
    Column("article", Integer, primary_key=True),
    Column("file", String, nullable=False),
    sqlite_with_rowid=False,
)

#: The names under files/, folded as the worst of file systems compares them, and the folders above
#: them: their marks.
files = Table(
    "files",
    metadata,
    Column("mark", _MARK, primary_key=True, autoincrement=False),
    Column("folder", Boolean, nullable=False),
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
    sqlite_with_rowid=False,
)

#: By the URL's mark.
validators = Table(
    "validators",
    metadata,
    Column("mark", _MARK, primary_key=True, autoincrement=False),
    Column("etag", String),
    Column("last_modified", String),
    Column("digest", LargeBinary, nullable=False),
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
    sqlite_with_rowid=False,
)

#: What a site's runs remember for the next one, under keys of the crawler's choosing: JSON text.
memory = Table(
    "memory",
    metadata,
    Column("site", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
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


def statements() -> tuple[list[str], list[str]]:
    """Return SQLite's statements that make the tables, and those that may come after their rows.

    The first have the indexes that say what may stand there once, the others all that are for
    looking up alone: made over rows that are there, they take a fraction of the time.
    """
    made: list[ExecutableDDLElement] = []
    later: list[ExecutableDDLElement] = []
    for table in metadata.sorted_tables:
        made.append(CreateTable(table))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            (made if index.unique else later).append(CreateIndex(index))
    dialect = sqlite.dialect()
    first, second = ([str(one.compile(dialect=dialect)) for one in some] for some in (made, later))
    return first, second
