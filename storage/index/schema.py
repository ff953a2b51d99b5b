"""The index's tables: derived from the segments, but for what a run remembers of its work.

Everything that a reading command shows is made by deriving.py from manifests. ``entries``,
``memory``, ``runs`` and the noted part of ``validators`` are operational: a reindex loses them, and
says so. Moments are whole microseconds since 1970 in UTC, so that they sort and never lose a digit;
lists and mappings are JSON text; record ids and digests are packed (packing.packed); a URL or path
that is only looked for has a mark of 64 bits (packing.mark_of). A change here is a new
rows.SCHEMA_VERSION: in SQLite the index is made again, by what tables.py has of it as text, and
PostgreSQL's is moved by migrations/. No command imports this but to make or move the latter:
SQLAlchemy takes longer to load than most of them take to answer.
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
_NUMBER = BigInteger().with_variant(Integer, "sqlite")
#: Texts are in the order of their code points everywhere, as SQLite's and Python's are.
_WORD = String().with_variant(String(collation="C"), "postgresql")
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")

meta = Table(
    "meta",
    metadata,
    Column("key", _WORD, primary_key=True),
    Column("value", _TEXT, nullable=False),
)

sites = Table(
    "sites",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("scope", _WORD, nullable=False),
    Column("implicit", Boolean, nullable=False),
)

#: ``committed``: bytes of the file that whole, indexed groups fill.
segments = Table(
    "segments",
    metadata,
    Column("name", _WORD, primary_key=True),
    Column("site", _WORD, nullable=False),
    Column("committed", BigInteger, nullable=False),
)

#: What an article's next snapshot and every list of articles begin with, so that neither walks
#: through histories. ``last`` is its highest sequence number, ``newest`` its newest snapshot's (0:
#: none), ``placed`` that of the snapshot or move that says its ``url`` (0: only an event does).
#: ``n`` stands for the article where there are many rows of one.
articles = Table(
    "articles",
    metadata,
    Column("n", _NUMBER, primary_key=True),
    Column("site", _WORD, nullable=False),
    Column("slug", _WORD, nullable=False),
    Column("url", _WORD, nullable=False),
    Column("last", _NUMBER, nullable=False),
    Column("newest", _NUMBER, nullable=False),
    Column("placed", _NUMBER, nullable=False),
    Index("articles_name", "site", "slug", unique=True),
)

#: ``content`` has a mark a source, of its content digest: see rows.content_mark.
snapshots = Table(
    "snapshots",
    metadata,
    Column("n", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", LargeBinary, nullable=False),
    Column("site", _WORD, nullable=False),
    Column("slug", _WORD, nullable=False),
    Column("sequence", _NUMBER, nullable=False),
    Column("url", _WORD, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("unit", _WORD, nullable=False),
    Column("source", _WORD, nullable=False),
    Column("revision", _NUMBER, nullable=False),
    Column("reason", _WORD, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("state", _WORD, nullable=False),
    Column("formats", _TEXT, nullable=False),
    Column("missing", _TEXT, nullable=False),
    Column("findings", _TEXT, nullable=False),
    Column("title", _TEXT),
    Column("content", _WORD, nullable=False),
    Column("run", _WORD, nullable=False),
    Column("implicit", Boolean, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("segment", _WORD, nullable=False),
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
    Column("n", _NUMBER, primary_key=True, autoincrement=True),
    Column("id", LargeBinary, nullable=False),
    Column("site", _WORD, nullable=False),
    Column("slug", _WORD, nullable=False),
    Column("sequence", _NUMBER, nullable=False),
    Column("url", _WORD, nullable=False),
    Column("event", _WORD, nullable=False),
    Column("observed_at", BigInteger, nullable=False),
    Column("detail", _TEXT, nullable=False),
    Column("run", _WORD, nullable=False),
    Column("implicit", Boolean, nullable=False),
    Column("segment", _WORD, nullable=False),
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
    Column("n", _NUMBER, primary_key=True, autoincrement=True),
    Column("article", _NUMBER, nullable=False),
    Column("sequence", _NUMBER, nullable=False),
    Column("format", _WORD, nullable=False),
    Column("url", _WORD, nullable=False),
    Column("final_url", _WORD, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("fetched_at", BigInteger, nullable=False),
    Column("content_encoding", _WORD, nullable=False),
    Column("payload_digest", _WORD, nullable=False),
    Column("record_id", LargeBinary, nullable=False),
    Column("target_id", LargeBinary),
    Column("file", _WORD, nullable=False),
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
    Column("format", _WORD, primary_key=True),
    Column("article", _NUMBER, primary_key=True),
    Column("file", _WORD, nullable=False),
    sqlite_with_rowid=False,
)

#: The names under files/, folded as the worst of file systems compares them, and the folders above
#: them: their marks.
files = Table(
    "files",
    metadata,
    Column("mark", _NUMBER, primary_key=True, autoincrement=False),
    Column("folder", Boolean, nullable=False),
)

#: What else an article answers to: ``name`` is a URL or an earlier or later slug.
names = Table(
    "names",
    metadata,
    Column("site", _WORD, primary_key=True),
    Column("name", _WORD, primary_key=True),
    Column("slug", _WORD, primary_key=True),
    Column("is_url", Boolean, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

#: By the URL's mark.
validators = Table(
    "validators",
    metadata,
    Column("mark", _NUMBER, primary_key=True, autoincrement=False),
    Column("etag", _WORD),
    Column("last_modified", _WORD),
    Column("digest", LargeBinary, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("site", _WORD, primary_key=True),
    Column("url", _WORD, primary_key=True),
    Column("verdict", _WORD, nullable=False),
    Column("slug", _WORD, nullable=False),
    Column("why", _TEXT, nullable=False),
    Column("lastmod", _WORD, nullable=False),
    Column("checked_at", BigInteger, nullable=False),
    Column("run", _WORD, nullable=False),
    Column("attempts", _NUMBER, nullable=False),
    Column("verified_at", BigInteger),
    sqlite_with_rowid=False,
)

#: What a site's runs remember for the next one, under keys of the crawler's choosing: JSON text.
memory = Table(
    "memory",
    metadata,
    Column("site", _WORD, primary_key=True),
    Column("key", _WORD, primary_key=True),
    Column("value", _TEXT, nullable=False),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("id", _WORD, primary_key=True),
    Column("command", _WORD, nullable=False),
    Column("scopes", _TEXT, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("continues_since", BigInteger),
    Column("finished_at", BigInteger),
    Column("finished", Boolean, nullable=False),
    Column("summary", _TEXT, nullable=False),
)

#: PostgreSQL's alone: the runs of a fleet are many, and each asks for the last one over its scopes;
#: names are looked for on all sites. There a URL is in no primary key: see migrations/.
Index("runs_scopes", runs.c.scopes, postgresql_using="hash")
Index("names_name", names.c.name, postgresql_using="hash")


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
            if index.dialect_kwargs.get("postgresql_using"):
                continue  # PostgreSQL's alone
            (made if index.unique else later).append(CreateIndex(index))
    dialect = sqlite.dialect()
    first, second = ([str(one.compile(dialect=dialect)) for one in some] for some in (made, later))
    return first, second
