"""The store as the one writer thread sees it: open, commit, close, all of it blocking.

In this order: append a batch, sync once, then one index transaction. What is
synced is safe, what is indexed is visible. Files and their watermark come after that. Whatever
fails before the sync is cut back; where the index fails after it, nothing is written any
more, and the next run's recovery indexes what is safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec import Struct, field, structs

from storage import layout
from storage.archive import has_segments
from storage.codings import BytesLike
from storage.errors import ArchiveError, BadDraft, IndexUnusable, StoreFailed, os_errors
from storage.files import Names
from storage.groups import Builder, Group
from storage.index.index import Batch, Index
from storage.index.reader import FILE_NAME
from storage.index.remembered import all_runs
from storage.index.rows import (
    Place,
    Row,
    Rows,
    Values,
    rows_of,
    to_json,
    to_micros,
    validator_values,
)
from storage.index.standing import file_names, held_paths, standings
from storage.lock import WriterLock
from storage.model import Draft, EntryState, Manifest, Validator
from storage.plain_files import Tree, write_owed
from storage.records import Records
from storage.reindex import rebuild, recover
from storage.segments.appending import Appender
from storage.segments.local import LocalSegments

_STAMP = "%Y%m%dT%H%M%S%fZ"


class RunInfo(Struct, frozen=True, kw_only=True):
    """A run: ``id`` names its log too; ``continues_since`` is where the unfinished work began.

    That is the start of the first of the unfinished runs over the same scopes that this one goes
    on with; None where it starts afresh.
    """

    id: str
    started_at: datetime
    continues_since: datetime | None


class Notes(Struct, frozen=True, kw_only=True):
    """What rides along with a batch: what a run learned.

    Aliases are (site, url, slug), ``memory`` is (site, key, value).
    """

    at: datetime
    entries: tuple[EntryState, ...] = ()
    validators: tuple[Validator, ...] = ()
    aliases: tuple[tuple[str, str, str], ...] = ()
    memory: tuple[tuple[str, str, str], ...] = ()


class Committed(Struct, frozen=True, kw_only=True):
    """A batch's outcome: per draft the manifest as stored or what is wrong with that draft.

    ``bodies`` are the stored bodies by record id.
    """

    outcomes: tuple[Manifest | BadDraft, ...]
    bodies: dict[str, BytesLike] = field(default_factory=dict)


class Store:
    """An open mirror, for writing. State: lock, index, appender, runs, a failure."""

    def __init__(self, root: Path, *, files: bool, segment_bytes: int, now: datetime) -> None:
        """Take the lock, make the mirror where there is none, and recover what a crash left.

        Raises LockHeld, NotAMirror, NewerFormat, DamageFound, ReadOnly, DiskFull, StoreFailed.
        """
        self.root = root.absolute()
        self.notes: tuple[str, ...] = ()
        self._segment_bytes = segment_bytes
        self._now = now
        self._failed: ArchiveError | None = None
        self._appender: Appender | None = None
        self._runs: dict[str, Row] = {}
        layout.may_make(self.root)
        with os_errors(f"making {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(self.root, now)
        self._lock.take()
        try:
            layout.make(self.root)
            self._index = self._open_index()
        except BaseException:
            self._lock.release()
            raise
        try:
            self._resume = self._recover()
            self._records = Records(self.root, self._index)
            self._tree = self._open_tree() if files else None
        except BaseException:
            self._index.close()
            self._lock.release()
            raise

    def _open_index(self) -> Index:
        missing = not (self.root / FILE_NAME).exists()
        if not missing or not has_segments(self.root):
            try:
                return Index.to_write(self.root)
            except IndexUnusable as error:
                self.notes += (str(error).rpartition(":")[0],)
        else:
            self.notes += (f"{FILE_NAME} is missing beside segments",)
        self.notes += rebuild(self.root).sentences()
        return Index.to_write(self.root)

    def _recover(self) -> dict[str, int]:
        done = recover(self.root, self._index)
        self.notes += done.notes
        return done.resume

    def _open_tree(self) -> Tree:
        tree = Tree(self.root / layout.FILES)
        tree.open()
        owed = write_owed(self._index, tree, self._records.body)
        if owed:
            self.notes += (f"wrote {owed} plain files that an earlier run owed",)
        return tree

    def begin_run(self, command: str, scopes: tuple[str, ...], now: datetime) -> RunInfo:
        """Note the start of a run. New segments bear its start in their names."""
        earlier = all_runs(self._index)
        taken = {run.id for run in earlier}
        started = now
        while started.strftime(_STAMP) in taken:
            started += timedelta(microseconds=1)
        same = next((run for run in earlier if set(run.scopes) == set(scopes)), None)
        since = None
        if same is not None and not same.finished:
            since = same.continues_since or same.started_at
        info = RunInfo(id=started.strftime(_STAMP), started_at=started, continues_since=since)
        row = {
            "id": info.id,
            "command": command,
            "scopes": to_json(scopes),
            "started_at": to_micros(started),
            "continues_since": None if since is None else to_micros(since),
            "finished_at": None,
            "finished": False,
            "summary": "{}",
        }
        self._index.replace("runs", [row])
        self._runs[info.id] = row
        self._now = started
        return info

    def finish_run(
        self, run: RunInfo, summary: Mapping[str, object], *, finished: bool, now: datetime
    ) -> None:
        """Note a run's end; not ``finished``, the next one over the same scopes continues it."""
        ended = {"finished_at": to_micros(now), "finished": finished, "summary": to_json(summary)}
        self._index.replace("runs", [{**self._runs[run.id], **ended}])

    def commit(self, drafts: Sequence[Draft], notes: Notes) -> Committed:
        """Store a batch: safe and visible on return, or an ArchiveError and none of it is."""
        if self._failed is not None:
            raise self._failed
        outcomes, groups = self._build(drafts)
        places = self._append(groups)
        lengths = self._sync() if groups else {}
        rows = tuple(rows_of(g.manifest, place) for g, place in zip(groups, places, strict=True))
        batch = Batch(
            rows=rows,
            segments={name: (name.partition("/")[0], end) for name, end in lengths.items()},
            entries=tuple(_entry_row(entry) for entry in notes.entries),
            validators=_validator_rows(notes, rows),
            names=tuple(_name_row(alias, notes.at) for alias in notes.aliases),
            memory=tuple(
                {"site": site, "key": key, "value": value} for site, key, value in notes.memory
            ),
        )
        try:
            self._index.apply(batch)
        except ArchiveError as error:
            # Safe but not visible: to append behind that would let the index lie of its length.
            self._failed = error if groups else None
            raise
        bodies = {key: body for group in groups for key, body in group.bodies.items()}
        return Committed(outcomes=tuple(outcomes), bodies=bodies)

    def _build(self, drafts: Sequence[Draft]) -> tuple[list[Manifest | BadDraft], list[Group]]:
        shown = {
            (one.url, one.format) for draft in drafts for one in draft.manifest.representations
        }
        files = file_names(self._index, shown)
        names = Names(held=partial(held_paths, self._index))
        names.expect(shown - files.keys())
        builder = Builder(standings(self._index, drafts), names, files)
        outcomes: list[Manifest | BadDraft] = []
        groups = []
        for draft in drafts:
            try:
                group = builder.build(draft)
            except BadDraft as error:
                outcomes.append(error)
            else:
                outcomes.append(group.manifest)
                groups.append(group)
        return outcomes, groups

    def _append(self, groups: Sequence[Group]) -> list[Place]:
        by_site: dict[str, list[Group]] = {}
        for group in groups:
            by_site.setdefault(group.manifest.site, []).append(group)
        places = {}
        for site, some in by_site.items():
            put = self._writing().append(site, [group.blob for group in some])
            for group, at in zip(some, put, strict=True):
                places[group.id] = Place(
                    id=group.id, segment=at.segment, offset=at.offset, length=at.length
                )
        return [places[group.id] for group in groups]

    def _sync(self) -> dict[str, int]:
        try:
            return self._writing().sync()
        except StoreFailed as error:
            self._failed = error
            raise

    def _writing(self) -> Appender:
        if self._appender is None:
            self._appender = Appender(
                LocalSegments(self.root),
                started_at=self._now,
                resume=self._resume,
                segment_bytes=self._segment_bytes,
            )
        return self._appender

    def write_files(self, bodies: Mapping[str, BytesLike]) -> None:
        """Write what the tree is owed; ``bodies`` spares reading back what is at hand."""
        if self._tree is not None:
            write_owed(
                self._index, self._tree, lambda key: bodies.get(key) or self._records.body(key)
            )

    def close(self) -> None:
        """Close everything and release the lock, whatever fails on the way."""
        try:
            if self._appender is not None:
                self._appender.close()
            if self._tree is not None:
                self._tree.close()
        finally:
            self._records.close()
            self._index.close()
            self._lock.release()


def _entry_row(entry: EntryState) -> Row:
    verified = entry.verified_at
    return {
        **structs.asdict(entry),
        "checked_at": to_micros(entry.checked_at),
        "verified_at": None if verified is None else to_micros(verified),
    }


def _validator_rows(notes: Notes, rows: Sequence[Rows]) -> tuple[Values, ...]:
    """Return those of a run's validators that no manifest of the batch says as well."""
    told = {values[:-1] for one in rows for values in one.validators}
    noted = (
        validator_values(one.url, one.etag, one.last_modified, one.digest, notes.at)
        for one in notes.validators
    )
    return tuple([values for values in noted if values[:-1] not in told])


def _name_row(alias: tuple[str, str, str], at: datetime) -> Values:
    site, url, slug = alias
    return (site, url, slug, True, to_micros(at))
