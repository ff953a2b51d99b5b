"""The tables of schema 6, the first that PostgreSQL has: as text, for schema.py goes on.

A key of a B-tree has 2,704 bytes at most, and a URL may have more: it stands in by its MD5.
"""

from __future__ import annotations

from alembic import op

revision = "6"
down_revision = None

#: Texts are in the order of their code points, as SQLite's and Python's are.
_WORD = 'VARCHAR COLLATE "C"'
_TEXT = 'TEXT COLLATE "C"'

_TABLES = (
    f"""CREATE TABLE articles (
         n BIGSERIAL NOT NULL, site {_WORD} NOT NULL, slug {_WORD} NOT NULL, url {_WORD} NOT
         NULL, last BIGINT NOT NULL, newest BIGINT NOT NULL, placed BIGINT NOT NULL, PRIMARY
         KEY (n))""",
    "CREATE UNIQUE INDEX articles_name ON articles (site, slug)",
    f"""CREATE TABLE entries (
         site {_WORD} NOT NULL, url {_WORD} NOT NULL, verdict {_WORD} NOT NULL, slug {_WORD}
         NOT NULL, why {_TEXT} NOT NULL, lastmod {_WORD} NOT NULL, checked_at BIGINT NOT NULL,
         run {_WORD} NOT NULL, attempts BIGINT NOT NULL, verified_at BIGINT)""",
    "CREATE UNIQUE INDEX entries_key ON entries (site, md5(url))",
    f"""CREATE TABLE events (
         n BIGSERIAL NOT NULL, id BYTEA NOT NULL, site {_WORD} NOT NULL, slug {_WORD} NOT NULL,
         sequence BIGINT NOT NULL, url {_WORD} NOT NULL, event {_WORD} NOT NULL, observed_at
         BIGINT NOT NULL, detail {_TEXT} NOT NULL, run {_WORD} NOT NULL, implicit BOOLEAN NOT
         NULL, segment {_WORD} NOT NULL, "offset" BIGINT NOT NULL, length BIGINT NOT NULL, head
         BIGINT NOT NULL, PRIMARY KEY (n))""",
    "CREATE UNIQUE INDEX events_article ON events (site, slug, sequence)",
    "CREATE INDEX events_observed ON events (observed_at)",
    'CREATE INDEX events_place ON events (segment, "offset")',
    """CREATE TABLE files (
         mark BIGINT NOT NULL, folder BOOLEAN NOT NULL, PRIMARY KEY (mark))""",
    f"""CREATE TABLE memory (
         site {_WORD} NOT NULL, key {_WORD} NOT NULL, value {_TEXT} NOT NULL)""",
    "CREATE UNIQUE INDEX memory_key ON memory (site, md5(key))",
    f"""CREATE TABLE meta (
         key {_WORD} NOT NULL, value {_TEXT} NOT NULL, PRIMARY KEY (key))""",
    f"""CREATE TABLE names (
         site {_WORD} NOT NULL, name {_WORD} NOT NULL, slug {_WORD} NOT NULL, is_url BOOLEAN
         NOT NULL, seen_at BIGINT NOT NULL)""",
    "CREATE UNIQUE INDEX names_key ON names (site, md5(name), md5(slug))",
    "CREATE INDEX names_name ON names USING hash (name)",
    f"""CREATE TABLE representations (
         n BIGSERIAL NOT NULL, article BIGINT NOT NULL, sequence BIGINT NOT NULL, format
         {_WORD} NOT NULL, url {_WORD} NOT NULL, final_url {_WORD} NOT NULL, digest BYTEA NOT
         NULL, size BIGINT NOT NULL, fetched_at BIGINT NOT NULL, content_encoding {_WORD} NOT
         NULL, payload_digest {_WORD} NOT NULL, record_id BYTEA NOT NULL, target_id BYTEA, file
         {_WORD} NOT NULL, "offset" BIGINT NOT NULL, length BIGINT NOT NULL, PRIMARY KEY (n))""",
    "CREATE INDEX representations_article ON representations (article, sequence)",
    "CREATE INDEX representations_record ON representations (record_id)",
    """CREATE INDEX representations_response ON representations (article, digest)
       WHERE target_id IS NULL AND length > 0""",
    f"""CREATE TABLE runs (
         id {_WORD} NOT NULL, command {_WORD} NOT NULL, scopes {_TEXT} NOT NULL, started_at
         BIGINT NOT NULL, continues_since BIGINT, finished_at BIGINT, finished BOOLEAN NOT
         NULL, summary {_TEXT} NOT NULL, PRIMARY KEY (id))""",
    "CREATE INDEX runs_scopes ON runs USING hash (scopes)",
    f"""CREATE TABLE segments (
         name {_WORD} NOT NULL, site {_WORD} NOT NULL, committed BIGINT NOT NULL, PRIMARY KEY
         (name))""",
    f"""CREATE TABLE sites (
         name {_WORD} NOT NULL, scope {_WORD} NOT NULL, implicit BOOLEAN NOT NULL, PRIMARY KEY
         (name))""",
    f"""CREATE TABLE snapshots (
         n BIGSERIAL NOT NULL, id BYTEA NOT NULL, site {_WORD} NOT NULL, slug {_WORD} NOT NULL,
         sequence BIGINT NOT NULL, url {_WORD} NOT NULL, updated_at BIGINT NOT NULL, unit
         {_WORD} NOT NULL, source {_WORD} NOT NULL, revision BIGINT NOT NULL, reason {_WORD}
         NOT NULL, observed_at BIGINT NOT NULL, state {_WORD} NOT NULL, formats {_TEXT} NOT
         NULL, missing {_TEXT} NOT NULL, findings {_TEXT} NOT NULL, title {_TEXT}, content
         {_WORD} NOT NULL, run {_WORD} NOT NULL, implicit BOOLEAN NOT NULL, private BOOLEAN NOT
         NULL, segment {_WORD} NOT NULL, "offset" BIGINT NOT NULL, length BIGINT NOT NULL, head
         BIGINT NOT NULL, PRIMARY KEY (n))""",
    "CREATE UNIQUE INDEX snapshots_article ON snapshots (site, slug, sequence)",
    "CREATE INDEX snapshots_key ON snapshots (site, slug, updated_at)",
    "CREATE INDEX snapshots_observed ON snapshots (observed_at)",
    'CREATE INDEX snapshots_place ON snapshots (segment, "offset")',
    f"""CREATE TABLE urls (
         mark BIGINT NOT NULL, format {_WORD} NOT NULL, article BIGINT NOT NULL, file {_WORD}
         NOT NULL, PRIMARY KEY (mark, format, article))""",
    f"""CREATE TABLE validators (
         mark BIGINT NOT NULL, etag {_WORD}, last_modified {_WORD}, digest BYTEA NOT NULL,
         seen_at BIGINT NOT NULL, PRIMARY KEY (mark))""",
    "INSERT INTO meta (key, value) VALUES ('schema', '6')",
)


def upgrade() -> None:
    """Make all of them."""
    for statement in _TABLES:
        op.execute(statement)
