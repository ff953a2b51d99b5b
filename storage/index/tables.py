"""SQLite's statements that make the index, as schema.py gives them: a test holds the two equal.

They stand here as text because a new mirror needs nothing else of SQLAlchemy, which takes longer
to load than the rest of the index does.
"""

from __future__ import annotations

#: The tables, with the indexes that say what may stand there once.
TABLES = (
    """CREATE TABLE articles (
         n INTEGER NOT NULL, site VARCHAR NOT NULL, slug VARCHAR NOT NULL,
         url VARCHAR NOT NULL, last INTEGER NOT NULL, newest INTEGER NOT NULL,
         placed INTEGER NOT NULL, PRIMARY KEY (n)
       )""",
    "CREATE UNIQUE INDEX articles_name ON articles (site, slug)",
    """CREATE TABLE entries (
         site VARCHAR NOT NULL, url VARCHAR NOT NULL, verdict VARCHAR NOT NULL,
         slug VARCHAR NOT NULL, why TEXT NOT NULL, lastmod VARCHAR NOT NULL,
         checked_at BIGINT NOT NULL, run VARCHAR NOT NULL, attempts INTEGER NOT NULL,
         verified_at BIGINT, PRIMARY KEY (site, url)
       ) WITHOUT ROWID""",
    """CREATE TABLE events (
         n INTEGER NOT NULL, id BLOB NOT NULL, site VARCHAR NOT NULL, slug VARCHAR NOT NULL,
         sequence INTEGER NOT NULL, url VARCHAR NOT NULL, event VARCHAR NOT NULL,
         observed_at BIGINT NOT NULL, detail TEXT NOT NULL, run VARCHAR NOT NULL,
         implicit BOOLEAN NOT NULL, segment VARCHAR NOT NULL, "offset" BIGINT NOT NULL,
         length BIGINT NOT NULL, head BIGINT NOT NULL, PRIMARY KEY (n)
       )""",
    "CREATE UNIQUE INDEX events_article ON events (site, slug, sequence)",
    """CREATE TABLE files (
         mark INTEGER NOT NULL, folder BOOLEAN NOT NULL, PRIMARY KEY (mark)
       )""",
    """CREATE TABLE memory (
         site VARCHAR NOT NULL, "key" VARCHAR NOT NULL, value TEXT NOT NULL,
         PRIMARY KEY (site, "key")
       ) WITHOUT ROWID""",
    """CREATE TABLE meta (
         "key" VARCHAR NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key")
       )""",
    """CREATE TABLE names (
         site VARCHAR NOT NULL, name VARCHAR NOT NULL, slug VARCHAR NOT NULL,
         is_url BOOLEAN NOT NULL, seen_at BIGINT NOT NULL, PRIMARY KEY (site, name, slug)
       ) WITHOUT ROWID""",
    """CREATE TABLE representations (
         n INTEGER NOT NULL, article INTEGER NOT NULL, sequence INTEGER NOT NULL,
         format VARCHAR NOT NULL, url VARCHAR NOT NULL, final_url VARCHAR NOT NULL,
         digest BLOB NOT NULL, size BIGINT NOT NULL, fetched_at BIGINT NOT NULL,
         content_encoding VARCHAR NOT NULL, payload_digest VARCHAR NOT NULL,
         record_id BLOB NOT NULL, target_id BLOB, file VARCHAR NOT NULL,
         "offset" BIGINT NOT NULL, length BIGINT NOT NULL, PRIMARY KEY (n)
       )""",
    """CREATE TABLE runs (
         id VARCHAR NOT NULL, command VARCHAR NOT NULL, scopes TEXT NOT NULL,
         started_at BIGINT NOT NULL, continues_since BIGINT, finished_at BIGINT,
         finished BOOLEAN NOT NULL, summary TEXT NOT NULL, PRIMARY KEY (id)
       )""",
    """CREATE TABLE segments (
         name VARCHAR NOT NULL, site VARCHAR NOT NULL, committed BIGINT NOT NULL,
         PRIMARY KEY (name)
       )""",
    """CREATE TABLE sites (
         name VARCHAR NOT NULL, scope VARCHAR NOT NULL, implicit BOOLEAN NOT NULL,
         PRIMARY KEY (name)
       )""",
    """CREATE TABLE snapshots (
         n INTEGER NOT NULL, id BLOB NOT NULL, site VARCHAR NOT NULL, slug VARCHAR NOT NULL,
         sequence INTEGER NOT NULL, url VARCHAR NOT NULL, updated_at BIGINT NOT NULL,
         unit VARCHAR NOT NULL, source VARCHAR NOT NULL, revision INTEGER NOT NULL,
         reason VARCHAR NOT NULL, observed_at BIGINT NOT NULL, state VARCHAR NOT NULL,
         formats TEXT NOT NULL, missing TEXT NOT NULL, findings TEXT NOT NULL, title TEXT,
         content VARCHAR NOT NULL, run VARCHAR NOT NULL, implicit BOOLEAN NOT NULL,
         private BOOLEAN NOT NULL, segment VARCHAR NOT NULL, "offset" BIGINT NOT NULL,
         length BIGINT NOT NULL, head BIGINT NOT NULL, PRIMARY KEY (n)
       )""",
    "CREATE UNIQUE INDEX snapshots_article ON snapshots (site, slug, sequence)",
    """CREATE TABLE urls (
         mark BIGINT NOT NULL, format VARCHAR NOT NULL, article INTEGER NOT NULL,
         file VARCHAR NOT NULL, PRIMARY KEY (mark, format, article)
       ) WITHOUT ROWID""",
    """CREATE TABLE validators (
         mark INTEGER NOT NULL, etag VARCHAR, last_modified VARCHAR, digest BLOB NOT NULL,
         seen_at BIGINT NOT NULL, PRIMARY KEY (mark)
       )""",
)
#: The indexes for looking up alone: over rows that are there they are made in a fraction of the
#: time, and so may come last.
LATER = (
    "CREATE INDEX events_observed ON events (observed_at)",
    'CREATE INDEX events_place ON events (segment, "offset")',
    "CREATE INDEX representations_article ON representations (article, sequence)",
    "CREATE INDEX representations_record ON representations (record_id)",
    """CREATE INDEX representations_response ON representations (article, digest)
       WHERE target_id IS NULL AND length > 0""",
    "CREATE INDEX snapshots_key ON snapshots (site, slug, updated_at)",
    "CREATE INDEX snapshots_observed ON snapshots (observed_at)",
    'CREATE INDEX snapshots_place ON snapshots (segment, "offset")',
)
