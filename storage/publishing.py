"""From safe to visible: what is spooled becomes objects, then rows, while more is being stored.

For the writer's one thread, which uploads nothing itself but at the end: one lot of batches at a
time is on its way, in a thread of its own that touches no state of these, and the next ones gather
behind it. So a slow place stops nobody before the spool is as large as it may be. In a folder
nothing waits, and each batch is a lot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import sleep

from storage.codings import BytesLike
from storage.errors import ArchiveError, SegmentsAway, SegmentsRefused, SiteHeld, StoreFailed
from storage.groups import Group
from storage.index.index import Batch, Index
from storage.index.standing import Article, Standing
from storage.layout import SPOOL
from storage.notes import Notes, SpooledNotes
from storage.pending import Pending
from storage.segments.kinds import Segments, Wait

#: Bytes of groups that wait whose bodies are kept, for plain files: the next are read back.
_AT_HAND = 16 << 20
#: Tries after which a place is believed that says no, and not that it can't now: half a minute in
#: all, in which a key that was just given is known everywhere.
_REFUSALS = 5


class _Lot:
    """Batches that become visible together.

    State: they, the last one's number, the sites held for them, the upload.
    """

    def __init__(self) -> None:
        self.pending = Pending(_AT_HAND)
        self.last = 0
        self.sites: set[str] = set()
        self.holding = ExitStack()
        self.upload: Future[None] | None = None

    def let_go(self) -> None:
        """Let others have its sites."""
        self.holding.close()
        self.sites.clear()


class Publisher:
    """State: the lot that gathers, the one on its way, tries in vain, bytes of open segments.

    ``failed``: why nothing more may be stored; ``stored`` and ``landed``: how many batches
    were taken in, and how many of them wait no more; ``away``: tries in vain since one arrived.
    """

    def __init__(
        self, root: Path, index: Index, segments: Segments, seal: Callable[[], None]
    ) -> None:
        """``seal`` ends the segments that are being written, where each is written once."""
        self.failed: ArchiveError | None = None
        self.stored = self.landed = self.away = 0
        self._index = index
        self._segments = segments
        self._seal = seal
        self._spool = root / SPOOL
        self._notes = SpooledNotes(root)
        self._gathering = _Lot()
        self._sent: _Lot | None = None
        self._open_bytes = 0
        self._pool = ThreadPoolExecutor(1, "slugline-publish")

    @property
    def wait(self) -> Wait:
        """How long what is safe may wait to be visible."""
        return self._segments.wait

    @property
    def waits(self) -> bool:
        """Tell whether something is safe that is not visible yet."""
        return self._sent is not None or bool(self._gathering.pending)

    @property
    def upload(self) -> Future[None] | None:
        """What is on its way now: ``land`` takes in how it ended."""
        # asked by the loop's thread too, while the writer's takes in what is sent
        sent = self._sent
        return None if sent is None else sent.upload

    # what waits, for what is built on it

    def standings(self, stored: Mapping[Article, Standing]) -> Mapping[Article, Standing]:
        """Return what articles' next manifests are numbered by, the index having ``stored``."""
        for one in self._waiting():
            stored = one.standings(stored)
        return stored

    def files(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return the names under files/ that URLs and formats were given, by both."""
        found: dict[tuple[str, str], str] = {}
        for one in self._waiting():
            found |= one.files(wanted)
        return found

    def held(self, paths: Collection[str]) -> dict[str, bool]:
        """Return which of some folded paths under files/ are in use: True for a folder."""
        found: dict[str, bool] = {}
        for one in self._waiting():
            found |= one.held(paths)
        return found

    def _waiting(self) -> list[Pending]:
        sent = [] if self._sent is None else [self._sent.pending]
        return [*sent, self._gathering.pending]

    # taking in

    def hold(self, sites: set[str]) -> dict[str, BytesLike]:
        """Until what is stored next is visible, let nobody else number what is of these sites.

        Whoever has to wait for another writer makes visible first what it holds sites for, and so
        lets go of them: no two wait for each other. The bodies of that are returned. Where the
        place is away, it is tried as often as elsewhere. Raises SegmentsAway, StoreFailed.
        """
        bodies: dict[str, BytesLike] = {}
        while not self._has(sites):
            try:
                bodies |= self.publish()
            except SegmentsAway as error:
                self._missed(error)
                sleep(self.pause)
            else:
                self._gathering.let_go()
        return bodies

    def _has(self, sites: set[str]) -> bool:
        """Hold what is not held yet; False where another has it, and might wait for this one."""
        lot = self._gathering
        if new := sites - lot.sites:
            holds = self.waits or bool(lot.sites)
            try:
                lot.holding.enter_context(self._index.holding(new, at_once=holds))
            except SiteHeld:
                return False
            lot.sites |= new
        return True

    def add(self, batch: Batch, groups: Sequence[Group], notes: Notes) -> dict[str, BytesLike]:
        """Take in a batch that is safe; return the bodies that are visible now.

        What waits is no less safe where publishing it, or what waited before, fails: whoever stores
        or waits next is told. Where nothing waits, that is raised here.
        """
        self.stored += 1
        self._gathering.last = self.stored
        self._gathering.pending.add(batch, groups)
        if not self.wait.bytes:
            return self.publish()
        try:
            self._notes.keep(notes)
        except ArchiveError as error:
            # Its groups are safe: it is not for a later batch to be numbered behind them.
            self.failed = error
            raise
        self._open_bytes += sum(len(group.blob) for group in groups)
        try:
            return self._go_on()
        except ArchiveError as error:
            self.failed = self.failed or error
            return {}

    def _go_on(self) -> dict[str, BytesLike]:
        """Send what is enough to be sent, and make visible what has arrived."""
        if self._open_bytes >= self.wait.bytes:
            self._end_segments()
        bodies = self.land()
        if self._sent is None and self._gathering.pending.bytes >= self.wait.bytes:
            bodies |= self.try_to_publish()
        if self._bytes > self.wait.most:
            bodies |= self._make_room()
        return bodies

    @property
    def _bytes(self) -> int:
        return sum(one.bytes for one in self._waiting())

    def _end_segments(self) -> None:
        self._seal()
        self._open_bytes = 0

    def _make_room(self) -> dict[str, BytesLike]:
        """Wait for the end of what is on its way: the spool is as large as it may be."""
        self.try_to_publish()
        if self.upload is not None:
            self.upload.exception()
        return self.land()

    # sending

    def try_to_publish(self) -> dict[str, BytesLike]:
        """Send what waits, where nothing is on its way; return the bodies that are visible now.

        Raises SegmentsAway where its place was away for longer than it may be, and what storing
        failed with before: whoever waits for what was left then would wait for ever.
        """
        if not self.wait.bytes:
            return self.publish()
        if self.failed is not None:
            raise self.failed
        bodies = self.land()
        self._take_off()
        if self._sent is not None and self._sent.upload is None:
            names = self._sent.pending.segments()
            self._sent.upload = self._pool.submit(self._segments.publish, names)
        return bodies

    def _take_off(self) -> None:
        if self._sent is None and self._gathering.pending:
            self._end_segments()
            if self.wait.bytes:
                self._notes.set_aside()
            self._sent, self._gathering = self._gathering, _Lot()

    def land(self) -> dict[str, BytesLike]:
        """Make visible what was on its way, where it has arrived; return its bodies.

        Raises SegmentsAway where that failed too often, and any other ArchiveError at once.
        """
        if self._sent is None or self._sent.upload is None or not self._sent.upload.done():
            return {}
        error = self._sent.upload.exception()
        self._sent.upload = None
        if error is None:
            return self._show(self._sent)
        if not isinstance(error, SegmentsAway):
            self._broke(error)
            raise error
        self._missed(self._told(error))
        return {}

    def _missed(self, error: SegmentsAway) -> None:
        """Count a try in vain; raises it where it was one too many."""
        self.away += 1
        tries = self.wait.tries
        if isinstance(error, SegmentsRefused):
            tries = min(tries, _REFUSALS)
        if self.away > tries or self._bytes > self.wait.most:
            self.failed = error
            raise error

    def _broke(self, error: BaseException) -> None:
        """Have nothing more stored: what waits would fail again, and so would what comes behind."""
        why = f"uploading failed: {type(error).__name__}: {error}"
        self.failed = error if isinstance(error, ArchiveError) else StoreFailed(why)

    @property
    def pause(self) -> float:
        """Seconds until it is tried again, by how often that was in vain."""
        return 0.0 if not self.away else min(2.0 ** (self.away - 1), self.wait.seconds)

    def publish(self) -> dict[str, BytesLike]:
        """Make all that is safe visible, and return the bodies of it that are at hand.

        Raises SegmentsAway: it waits on, and the next run goes on with it. Where storing failed
        before, what is spooled may be more than what is safe: that is raised again, and left to
        the next run's recovery, which cuts it back.
        """
        if self.failed is not None:
            raise self.failed
        bodies: dict[str, BytesLike] = {}
        while self.waits:
            self._take_off()
            if self._sent is not None:
                bodies |= self._finish(self._sent)
        return bodies

    def _finish(self, lot: _Lot) -> dict[str, BytesLike]:
        """Have a lot arrive, once more where what was on its way did not."""
        upload, lot.upload = lot.upload, None
        if upload is None or upload.exception() is not None:
            try:
                self._segments.publish(lot.pending.segments())
            except SegmentsAway as error:
                raise self._told(error) from error
            except ArchiveError as error:
                self._broke(error)
                raise
        return self._show(lot)

    def _told(self, error: SegmentsAway) -> SegmentsAway:
        waits = f"Nothing is lost: what was stored waits in {self._spool} for the next run"
        return type(error)(error.url, f"{error.why}. {waits}")

    def _show(self, lot: _Lot) -> dict[str, BytesLike]:
        self.away = 0
        self._sent = None
        names = lot.pending.segments()
        apply = self._index.apply_behind if self._segments.shared else self._index.apply
        try:
            apply(lot.pending.batch())
        except ArchiveError as error:
            if names:
                # Safe but not visible. What is stored or shown behind that would let the index lie
                # of a segment's length, and the next run take another writer's hand for what
                # stands there: all of it waits in order for that run's recovery.
                self.failed = error
                self._gathering.let_go()
                self._gathering = _Lot()
            raise
        finally:
            self.landed = lot.last
            lot.let_go()
        self._segments.settled(names)
        if self.wait.bytes:
            self._notes.clear_aside()
        return lot.pending.bodies

    def close(self) -> None:
        """Let go of all sites; what is on its way arrives, or is the next run's."""
        self._pool.shutdown()
        for lot in filter(None, (self._sent, self._gathering)):
            lot.let_go()
