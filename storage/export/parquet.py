"""Export: a row a snapshot as Apache Parquet, for DuckDB, pandas, Spark and the like.

The seed's fields in the seed's order, then those of table.further_fields. Rows are written in
groups of bounded size as they come, so memory stays the same however many there are. pyarrow is an
extra of this package: it is larger than everything else together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from storage.archive import Archive
from storage.errors import MissingExtra
from storage.export.choosing import EVERYTHING, Chosen, taken
from storage.export.table import further_fields, seed_fields

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows of one row group, and characters of text in it: what readers take at once, and what is held
#: in memory until it is written (some three times as much as its text).
GROUP_ROWS = 5_000
GROUP_TEXT = 16 << 20

#: Few values among many rows: a dictionary makes them small. Others would only fill memory.
_REPEATED = ("lang", "site", "key_unit", "key_source", "reason", "state", "run")
#: What readers skip row groups by.
_SORTED_BY = ("slug", "updated_at", "site", "key_updated_at", "sequence", "observed_at")


def export_parquet(archive: Archive, out: BinaryIO, chosen: Chosen = EVERYTHING) -> int:
    """Write a row a snapshot chosen to ``out`` and return how many.

    Raises MissingExtra, DamageFound, and OSError as ``out`` does.
    """
    schema = make_schema()
    from pyarrow import parquet

    count = text = 0
    group: list[dict[str, Any]] = []
    with parquet.ParquetWriter(
        out,
        schema,
        compression="zstd",
        use_dictionary=list(_REPEATED),
        write_statistics=list(_SORTED_BY),
    ) as writer:
        for one in taken(archive, chosen):
            group.append(seed_fields(one) | further_fields(one))
            text += len(group[-1]["body_md"] or "") + len(group[-1]["summary"] or "")
            count += 1
            if len(group) >= GROUP_ROWS or text >= GROUP_TEXT:
                _write(writer, group, schema)
                group, text = [], 0
        if group:
            _write(writer, group, schema)
    return count


def _write(writer: Any, group: list[dict[str, Any]], schema: pa.Schema) -> None:
    import pyarrow as pa

    # A mapping is a list of pairs to Arrow.
    rows = [
        {k: list(v.items()) if isinstance(v, dict) else v for k, v in row.items()} for row in group
    ]
    writer.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
    pa.default_memory_pool().release_unused()


def make_schema() -> pa.Schema:
    """Return the columns and their types. Raises MissingExtra where pyarrow is not installed."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtra("export parquet", "pyarrow", "parquet") from error
    text, texts, number = pa.string(), pa.list_(pa.string()), pa.int64()
    moment, mapping = pa.timestamp("us", tz="UTC"), pa.map_(pa.string(), pa.string())
    each_format = pa.struct(
        {
            "format": text, "url": text, "final_url": text, "status": pa.int16(),
            "media_type": text, "content_encoding": text, "digest": text, "length": number,
            "fetched_at": moment, "etag": text, "last_modified": text, "declared_by": texts,
            "stored": pa.bool_(),
            "particulars": pa.list_(pa.struct({"name": text, "value": text})),
        }
    )  # fmt: skip
    return pa.schema(
        {
            "slug": text, "title": text, "summary": text, "body_md": text, "url": text,
            "canonical_source": text, "published_at": moment, "updated_at": moment, "lang": text,
            "topics": texts, "entities": texts, "alternates": mapping,
            "site": text, "key_updated_at": moment, "key_unit": text, "key_source": text,
            "revision": number, "sequence": number, "reason": text, "state": text,
            "missing": mapping, "observed_at": moment, "fetched_at": moment, "gone_at": moment,
            "formats": pa.list_(each_format),
            "content": pa.list_(pa.struct({"source": text, "digest": text, "extractor": text})),
            "findings": pa.list_(pa.struct({"kind": text, "detail": text, "formats": texts})),
            "usage": mapping, "reserved": texts, "aliases": texts, "implicit": pa.bool_(),
            "private": pa.bool_(), "run": text, "id": text,
        }
    )  # fmt: skip
