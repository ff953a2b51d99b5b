"""The store as the one writer thread sees it: open, commit, close, all of it blocking.

In this order: append a batch, sync once, publish the segment, then one index transaction. What is
synced is safe, what is indexed is visible. In a folder both come with each batch; what goes to a
bucket may wait, several batches together. Files and their watermark come after that. Whatever
fails before the sync is cut back; where the index fails after it, nothing is written any
more, and the next run's recovery indexes what is safe.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, field, structs

from storage import layout
from storage.archive import has_segments
from storage.burials import heed
from storage.codings import BytesLike
from storage.errors import (
    BadDraft,
    IndexUnusable,
    SegmentsAway,
    StoreFailed,
    making,
    os_errors,
)
from storage.files import Names
from storage.groups import Builder, Group
from storage.index.deriving import rows_of
from storage.index.index import Index
from storage.index.opening import is_there
from storage.index.remembered import newest_run
from storage.index.rows import Place, Row, to_json, to_micros
from storage.index.standing import file_names, held_paths, standings
from storage.lock import WriterLock
from storage.model import Draft, Manifest
from storage.notes import Notes, batch_of
from storage.plain_files import Tree, mark_of_folder, write_owed
from storage.publishing import Publisher
from storage.records import Records
from storage.recovery import recover
from storage.reindex import rebuild
from storage.runlog import path_of
from storage.segments.appending import Appender
from storage.segments.kinds import Wait
from storage.segments.names import stamp_of
from storage.segments.opening import open_segments
from storage.wording import count


class RunInfo(Struct, frozen=True, kw_only=True):
    """A run: ``id`` names its log too; ``continues_since`` is where the unfinished work began.

    That is the start of the first of the unfinished runs over the same scopes that this one goes
    on with; None where it starts afresh.
    """

    id: str
    started_at: datetime
    continues_since: datetime | None


class Committed(Struct, frozen=True, kw_only=True):
    """A batch's outcome: per draft the manifest as stored or what is wrong with that draft.

    ``bodies`` are stored bodies that are visible now, by record id.
    """

    outcomes: tuple[Manifest | BadDraft, ...]
    bodies: dict[str, BytesLike] = field(default_factory=dict)


class Store:
    """An open mirror, for writing.

    State: lock, index, appender, runs, and the publisher of what is safe.
    """

    def __init__(
        self,
        root: Path,
        *,
        files: bool,
        segment_bytes: int,
        now: datetime,
        index: str | None = None,
        segments: str | None = None,
    ) -> None:
        """Take the lock, make the mirror where there is none, and recover what a crash left.

        ``index`` and ``segments``: as in layout.make. Raises BadPlace, LockHeld, NotAMirror,
        UnusablePlace, NewerFormat, DamageFound, ReadOnly, DiskFull, StoreFailed.
        """
        self.root = root.absolute()
        self.notes: tuple[str, ...] = ()
        self._segment_bytes = segment_bytes
        self._now = now
        self._appender: Appender | None = None
        self._runs: dict[str, Row] = {}
        layout.may_make(self.root)
        with os_errors(f"making {self.root}"), making(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(self.root, now)
        self._lock.take()
        try:
            layout.make(self.root, index, segments)
            self._index = self._open_index()
        except BaseException:
            self._lock.release()
            raise
        try:
            self._resume = self._recover()
            self._segments = open_segments(self.root)
            self._publisher = Publisher(self.root, self._index, self._segments, self._seal)
            self._records = Records(self.root, self._index)
            self.notes += self._heed()
            self._tree = self._open_tree() if files else None
        except BaseException:
            self._index.close()
            self._lock.release()
            raise

    def _open_index(self) -> Index:
        # Looked at twice: another worker may have made it meanwhile, and stored something since.
        if is_there(self.root) or not has_segments(self.root) or is_there(self.root):
            try:
                return Index.to_write(self.root)
            except IndexUnusable as error:
                self.notes += (str(error).rpartition(":")[0],)
        else:
            self.notes += ("the index is missing beside segments",)
        self.notes += rebuild(self.root).sentences()
        return Index.to_write(self.root)

    def _recover(self) -> dict[str, int]:
        done = recover(self.root, self._index)
        self.notes += done.notes
        return done.resume

    def _heed(self) -> tuple[str, ...]:
        """Take out what other machines forgot; say so in sentences."""
        return heed(self.root, self._index, [path_of(self.root, run) for run in self._runs])

    def _open_tree(self) -> Tree:
        tree = Tree(self.root / layout.FILES, mark=mark_of_folder(self.root))
        tree.open()
        owed = write_owed(self._index, tree, self._records.body)
        if owed:
            self.notes += (f"wrote {count(owed, 'plain file')} that an earlier run owed",)
        return tree

    def begin_run(self, command: str, scopes: tuple[str, ...], now: datetime) -> RunInfo:
        """Note the start of a run. New segments bear its start in their names."""
        if self._heed() and self._tree is not None:
            self._tree.look_again()
        same = newest_run(self._index, scopes)
        since = None
        if same is not None and not same.finished:
            since = same.continues_since or same.started_at
        info = RunInfo(id=stamp_of(now), started_at=now, continues_since=since)
        while not self._index.add("runs", row := _run_row(info, command, scopes)):
            # Another run, of whichever process, began in the same microsecond.
            started = info.started_at + timedelta(microseconds=1)
            info = structs.replace(info, id=stamp_of(started), started_at=started)
        self._runs[info.id] = row
        self._now = info.started_at
        return info

    def finish_run(
        self, run: RunInfo, summary: Mapping[str, object], *, finished: bool, now: datetime
    ) -> None:
        """Note a run's end; not ``finished``, the next one over the same scopes continues it."""
        ended = {"finished_at": to_micros(now), "finished": finished, "summary": to_json(summary)}
        self._index.replace("runs", [{**self._runs[run.id], **ended}])

    def commit(self, drafts: Sequence[Draft], notes: Notes) -> Committed:
        """Store a batch: it is safe on return, and visible but where ``waits`` says that it waits.

        What fails while it waits is raised by what comes next. Raises ArchiveError: nothing of it
        is visible; what of it is safe all the same, the next run's recovery indexes.
        """
        if self._publisher.failed is not None:
            raise self._publisher.failed
        bodies = self._publisher.hold({draft.manifest.site for draft in drafts})
        outcomes, groups = self._build(drafts)
        places = self._append(groups)
        lengths = self._sync() if groups else {}
        rows = tuple(rows_of(g.manifest, place) for g, place in zip(groups, places, strict=True))
        bodies |= self._publisher.add(batch_of(notes, rows, lengths), groups, notes)
        return Committed(outcomes=tuple(outcomes), bodies=bodies)

    # from safe to visible

    @property
    def wait(self) -> Wait:
        """How long what is safe may wait to be visible."""
        return self._publisher.wait

    @property
    def waits(self) -> bool:
        """Tell whether something is safe that is not visible yet."""
        return self._publisher.waits

    @property
    def stored(self) -> int:
        """How many batches were stored."""
        return self._publisher.stored

    @property
    def landed(self) -> int:
        """How many of them do not wait any more to be visible."""
        return self._publisher.landed

    @property
    def pause(self) -> float:
        """Seconds until what waits is tried again, by how often that was in vain."""
        return self._publisher.pause

    @property
    def upload(self) -> Future[None] | None:
        """What is on its way to be visible now: ``land`` takes in how it ended."""
        return self._publisher.upload

    def try_to_publish(self) -> dict[str, BytesLike]:
        """Send what waits, where nothing is on its way; return the bodies that are visible now.

        Raises SegmentsAway where the segments' place was away for longer than it may be.
        """
        return self._publisher.try_to_publish()

    def land(self) -> dict[str, BytesLike]:
        """Make visible what was on its way, where it has arrived; return its bodies."""
        return self._publisher.land()

    def publish(self) -> dict[str, BytesLike]:
        """Make all that is safe visible, and return the bodies of it that are at hand.

        Raises SegmentsAway: it waits on, and the next run goes on with it.
        """
        return self._publisher.publish()

    def give_up(self, away: SegmentsAway) -> None:
        """Store and try no more: each try of a place that does not answer takes half a minute."""
        self._publisher.failed = self._publisher.failed or away

    def _seal(self) -> None:
        if self._appender is not None:
            self._appender.seal()

    def _build(self, drafts: Sequence[Draft]) -> tuple[list[Manifest | BadDraft], list[Group]]:
        shown = {
            (one.url, one.format) for draft in drafts for one in draft.manifest.representations
        }
        files = self._publisher.files(shown) | file_names(self._index, shown)
        names = Names(held=self._held_paths)
        names.expect(shown - files.keys())
        known = self._publisher.standings(standings(self._index, drafts))
        builder = Builder(known, names, files)
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

    def _held_paths(self, paths: Collection[str]) -> dict[str, bool]:
        return self._publisher.held(paths) | held_paths(self._index, paths)

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
            self._publisher.failed = error
            raise

    def _writing(self) -> Appender:
        if self._appender is None:
            self._appender = self._segments.appender(
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
        """Make visible what is safe, close everything and release the lock, whatever fails."""
        try:
            if self._publisher.waits and self._publisher.failed is None:
                self.write_files(self.publish())
        finally:
            self._close()

    def _close(self) -> None:
        try:
            if self._appender is not None:
                self._appender.close()
            if self._tree is not None:
                self._tree.close()
        finally:
            self._publisher.close()
            self._records.close()
            self._index.close()
            self._lock.release()


def _run_row(info: RunInfo, command: str, scopes: tuple[str, ...]) -> Row:
    since = info.continues_since
    return {
        "id": info.id,
        "command": command,
        "scopes": to_json(scopes),
        "started_at": to_micros(info.started_at),
        "continues_since": None if since is None else to_micros(since),
        "finished_at": None,
        "finished": False,
        "summary": "{}",
    }
