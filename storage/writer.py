"""The writer: what the crawler hands its drafts to. An async shell around one thread.

Everything that decides or blocks is storage.store's, in a thread of its own, one batch at a time.
A batch closes at 64 drafts, at 16 MiB, or 250 ms after its first, whichever comes first. Where
segments go to a bucket, several batches become visible together, seconds after they are safe. A
second thread reads, so that questions never wait for a sync.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from msgspec import Struct

from storage.archive import Archive
from storage.codings import BytesLike
from storage.errors import ArchiveError, BadDraft, SegmentsAway, StoreFailed
from storage.model import Draft, EntryState, Manifest, Validator
from storage.notes import Notes
from storage.segments.appending import SEGMENT_BYTES
from storage.segments.recovery import BATCH
from storage.store import RunInfo, Store

__all__ = ["RunInfo", "Writer"]

P = ParamSpec("P")
T = TypeVar("T")

#: Drafts in a batch: past it, a sync costs less a draft than building the records.
BATCH_DRAFTS = BATCH
#: Bytes of bodies in a batch: its records are made in memory, beside the bodies.
BATCH_BYTES = 16 << 20
#: Seconds that a batch stays open for more.
BATCH_SECONDS = 0.25


def now_utc() -> datetime:
    """Read the system's clock."""
    return datetime.now(UTC)


class _Open(Struct):
    """The batch that is being gathered; ``size`` is that of its bodies, in bytes."""

    size: int = 0
    drafts: list[Draft] = []
    futures: list[asyncio.Future[Manifest]] = []
    entries: list[EntryState] = []
    validators: list[Validator] = []
    memory: list[tuple[str, str, str]] = []


class Writer:
    """``async with Writer(root) as writer``: the mirror's one writer, from lock to release.

    Entering raises LockHeld, NotAMirror, NewerFormat, DamageFound, ReadOnly, DiskFull. State: the
    open batch with its timer, the batches under way, the timer of what is safe and not visible yet,
    the upload that is watched, and the first failure nobody awaited.
    """

    def __init__(
        self,
        root: Path,
        *,
        files: bool = True,
        segment_bytes: int = SEGMENT_BYTES,
        clock: Callable[[], datetime] = now_utc,
        index: str | None = None,
        segments: str | None = None,
    ) -> None:
        """``files``: keep the tree of plain files; ``segment_bytes``: where a segment closes.

        ``index`` and ``segments``: the URLs of what is not in the folder, as in layout.make.
        """
        self.root = root.absolute()
        self.notes: tuple[str, ...] = ()
        self._files = files
        self._segment_bytes = segment_bytes
        self._clock = clock
        self._places = (index, segments)
        self._store: Store | None = None
        self._archive: Archive | None = None
        self._run: RunInfo | None = None
        self._open = _Open()
        self._timer: asyncio.TimerHandle | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._showing: asyncio.TimerHandle | None = None
        self._watched: Future[None] | None = None
        self._failure: Exception | None = None
        self._writing = ThreadPoolExecutor(1, "slugline-writer")
        self._reading = ThreadPoolExecutor(1, "slugline-reader")

    async def __aenter__(self) -> Self:
        try:
            self._store = await self._write(self._open_store)
        except BaseException:
            self._writing.shutdown(wait=False)
            self._reading.shutdown(wait=False)
            raise
        self.notes = self._store.notes
        return self

    def _open_store(self) -> Store:
        return Store(
            self.root,
            files=self._files,
            segment_bytes=self._segment_bytes,
            now=self._clock(),
            index=self._places[0],
            segments=self._places[1],
        )

    async def begin_run(self, command: str, scopes: tuple[str, ...], now: datetime) -> RunInfo:
        """Start a run over ``scopes``; the RunInfo says whether it continues an unfinished one."""
        self._run = await self._write(self._opened.begin_run, command, scopes, now)
        return self._run

    async def finish_run(
        self, summary: Mapping[str, object], finished: bool, run: RunInfo | None = None
    ) -> None:
        """Store what is left and note the end of ``run``, the last begun where none is named.

        Not ``finished``: the next one over the same scopes continues it.
        """
        await self.flush(patient=finished)
        run, now = run or self._run, self._clock()
        if run is not None:
            store = self._opened
            await self._write(lambda: store.finish_run(run, summary, finished=finished, now=now))

    def submit(self, draft: Draft) -> asyncio.Future[Manifest]:
        """Put a draft into the open batch; the future gives the manifest as stored.

        It resolves once the snapshot is durable, and visible where segments are files: ``flush``
        waits for that. It raises BadDraft (this draft only), DiskFull, ReadOnly or StoreFailed (the
        whole batch; nothing of it is visible, as Store.commit says).
        """
        future: asyncio.Future[Manifest] = asyncio.get_running_loop().create_future()
        self._open.drafts.append(draft)
        self._open.size += sum(len(payload.body) for payload in draft.payloads)
        self._open.futures.append(future)
        self._gathered()
        return future

    async def commit(self, draft: Draft) -> Manifest:
        """Submit a draft and wait; raises as its future does. Cancelling does not take it back."""
        return await asyncio.shield(self.submit(draft))

    def note_entry(self, entry: EntryState) -> None:
        """Remember an entry's state with the next batch.

        Called right before ``submit`` it is in the same transaction as that snapshot.
        """
        self._open.entries.append(entry)
        self._gathered()

    def note_validators(self, validators: Iterable[Validator]) -> None:
        """Remember validators with the next batch."""
        self._open.validators.extend(validators)
        self._gathered()

    def remember(self, site: str, key: str, value: str) -> None:
        """Keep ``value`` (JSON text) under ``key`` for the site's later runs, with the next batch.

        Empty, it is forgotten. Operational: a reindex from segments alone loses it.
        """
        self._open.memory.append((site, key, value))
        self._gathered()

    def close_batch(self) -> None:
        """Store what was handed over without waiting for more of it."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        batch, self._open = self._open, _Open()
        task = asyncio.get_running_loop().create_task(self._store_batch(batch))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def flush(self, *, patient: bool = True) -> None:
        """Wait until all that was handed over is durable, visible and in ``files/``.

        Where the segments' place is away, wait for it as long as what is safe may, while others
        store more; not ``patient``, raise SegmentsAway at the first try in vain.
        Raises the first failure of notes or files; those of drafts are their futures'.
        """
        self.close_batch()
        # not those that begin meanwhile: of several runs one may end while the others go on
        if under_way := set(self._under_way):
            await asyncio.wait(under_way)
        self._stop_waiting()
        if patient:
            await self._wait_to_show(self._opened.stored)
        else:
            await self._show(self._opened.publish)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def flush_until(self, stop: asyncio.Event) -> None:
        """Flush, patient until ``stop`` is set: then try once more, and raise SegmentsAway."""
        stopping = asyncio.ensure_future(stop.wait())
        flushing = asyncio.ensure_future(self.flush())
        try:
            await asyncio.wait({stopping, flushing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            cut_off = flushing.cancel()
        if cut_off:
            await asyncio.wait({flushing})
            await self._flush_at_last()
        else:
            flushing.result()

    async def _flush_at_last(self) -> None:
        """Flush, and have nothing try again where that was in vain. Raises SegmentsAway."""
        try:
            await self.flush(patient=False)
        except SegmentsAway as error:
            self._opened.give_up(error)
            raise

    async def read(
        self, function: Callable[Concatenate[Archive, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``function`` with the archive in the reader's thread; raises what it raises."""
        loop = asyncio.get_running_loop()

        def call() -> T:
            if self._archive is None:
                self._archive = Archive.open(self.root)
            return function(self._archive, *args, **kwargs)

        return await loop.run_in_executor(self._reading, call)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Store what was handed over, close, and release the lock."""
        closing = asyncio.ensure_future(self._close())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise
        except ArchiveError:
            # What ended the run says more than what it left undone.
            if kind is None:
                raise

    async def _close(self) -> None:
        try:
            await self._flush_at_last()
        finally:
            self._stop_waiting()
            if self._archive is not None:
                await asyncio.get_running_loop().run_in_executor(self._reading, self._archive.close)
            self._reading.shutdown()
            try:
                await self._write(self._opened.close)
            finally:
                self._writing.shutdown()

    @property
    def _opened(self) -> Store:
        if self._store is None:
            raise StoreFailed("the writer is not open")
        return self._store

    async def _write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writing, lambda: function(*args, **kwargs))

    def _gathered(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(BATCH_SECONDS, self.close_batch)
        if len(self._open.drafts) >= BATCH_DRAFTS or self._open.size >= BATCH_BYTES:
            self.close_batch()

    async def _store_batch(self, batch: _Open) -> None:
        notes = Notes(
            at=self._clock(),
            entries=tuple(batch.entries),
            validators=tuple(batch.validators),
            memory=tuple(batch.memory),
        )
        try:
            done = await self._write(self._opened.commit, batch.drafts, notes)
        except Exception as error:  # noqa: BLE001  - it goes to every future of the batch
            self._fail(batch, error)
            return
        for future, outcome in zip(batch.futures, done.outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, BadDraft):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        await self._write_files(done.bodies)
        self._show_later()

    async def _wait_to_show(self, number: int) -> None:
        """Wait until so many batches wait no more, trying again and again."""
        store = self._opened
        while store.landed < number:
            await self._show(store.try_to_publish)
            if (upload := store.upload) is not None:
                await _end_of(upload)
                await self._show(store.land)
            if pause := store.pause:
                await asyncio.sleep(pause)

    def _show_later(self) -> None:
        self._watch()
        if self._showing is None and self._opened.waits:
            loop = asyncio.get_running_loop()
            seconds = self._opened.wait.seconds
            self._showing = loop.call_later(seconds, self._time_to_show)

    def _watch(self) -> None:
        """Have what is on its way be taken in as soon as it has arrived."""
        upload = self._opened.upload
        if upload is not None and upload is not self._watched:
            self._watched = upload
            loop = asyncio.get_running_loop()
            upload.add_done_callback(lambda ended: loop.call_soon_threadsafe(self._arrived, ended))

    def _arrived(self, ended: Future[None]) -> None:
        # Whoever waited for all of it, at a run's end, has taken it in.
        if self._opened.upload is ended:
            self._show_soon(self._opened.land)

    def _stop_waiting(self) -> None:
        if self._showing is not None:
            self._showing.cancel()
            self._showing = None

    def _time_to_show(self) -> None:
        self._showing = None
        self._show_soon(self._opened.try_to_publish)

    def _show_soon(self, publish: Callable[[], dict[str, BytesLike]]) -> None:
        task = asyncio.get_running_loop().create_task(self._show_or_wait(publish))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _show_or_wait(self, publish: Callable[[], dict[str, BytesLike]]) -> None:
        try:
            await self._show(publish)
        except Exception as error:  # noqa: BLE001  - raised by the next flush
            self._failure = self._failure or error
        else:
            self._show_later()

    async def _show(self, publish: Callable[[], dict[str, BytesLike]]) -> None:
        """Make visible what is safe, and write its files."""
        bodies = await self._write(publish)
        if bodies:
            await self._write_files(bodies)

    async def _write_files(self, bodies: Mapping[str, BytesLike]) -> None:
        try:
            await self._write(self._opened.write_files, bodies)
        except Exception as error:  # noqa: BLE001  - raised by the next flush
            self._failure = self._failure or error

    def _fail(self, batch: _Open, error: Exception) -> None:
        for future in batch.futures:
            if not future.done():
                future.set_exception(error)
        if not batch.futures:
            self._failure = self._failure or error


async def _end_of(upload: Future[None]) -> None:
    """Wait until it has ended, however it did; an end of waiting does not end it."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    upload.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
    await ended.wait()
