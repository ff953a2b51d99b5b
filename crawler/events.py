"""What happens during a run, as one stream of values.

Progress, plain lines, counters, the run log and the tests all read this stream and nothing
else; whoever makes an event passes the moment in, so that no reader needs a clock.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class RunStarted(Struct, frozen=True, kw_only=True, tag="run-started"):
    """A run begins; ``continues`` says it goes on where an unfinished one stopped."""

    at: datetime
    run: str
    command: str
    scopes: tuple[str, ...]
    continues: bool = False


class SiteStarted(Struct, frozen=True, kw_only=True, tag="site-started"):
    """A site's turn begins, at ``rate`` requests a second (0: no limit) to its host."""

    at: datetime
    site: str
    scope: str
    rate: float


class Discovered(Struct, frozen=True, kw_only=True, tag="discovered"):
    """A discovery source was read: ``new`` entry URLs of ``count`` it names were not known."""

    at: datetime
    site: str
    source: str
    url: str
    count: int
    new: int


class Requested(Struct, frozen=True, kw_only=True, tag="requested"):
    """One request and what came of it, retries and redirects included: ``status`` 0 for no answer.

    ``size`` is the body's, in bytes as received.
    """

    at: datetime
    url: str
    status: int
    size: int


class Began(Struct, frozen=True, kw_only=True, tag="began"):
    """A worker took an entry up."""

    at: datetime
    site: str
    url: str


class Stored(Struct, frozen=True, kw_only=True, tag="stored", omit_defaults=True):
    """A snapshot is durable and visible; ``known`` where no format is missing but as before."""

    at: datetime
    site: str
    slug: str
    url: str
    updated_at: datetime
    revision: int
    reason: str
    state: str
    formats: tuple[str, ...]
    missing: dict[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    known: bool = False


class Happened(Struct, frozen=True, kw_only=True, tag="happened"):
    """An event that is no snapshot was stored: gone-seen, moved, slug-assigned."""

    at: datetime
    site: str
    slug: str
    url: str
    event: str


class Unchanged(Struct, frozen=True, kw_only=True, tag="unchanged"):
    """An article was looked at, or decided without a request, and is as it was."""

    at: datetime
    site: str
    slug: str
    url: str


class Passed(Struct, frozen=True, kw_only=True, tag="passed"):
    """An entry that is no article, or that was skipped, with the reason in words."""

    at: datetime
    site: str
    url: str
    verdict: str
    why: str


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """An entry or document could not be had; ``known`` where it failed in an earlier run too."""

    at: datetime
    site: str
    url: str
    reason: str
    known: bool = False


class Waiting(Struct, frozen=True, kw_only=True, tag="waiting"):
    """A host is left alone for ``seconds``, and why."""

    at: datetime
    host: str
    seconds: float
    why: str


class Note(Struct, frozen=True, kw_only=True, tag="note"):
    """A sentence the operator should read once; ``trouble`` where even a quiet run says it."""

    at: datetime
    message: str
    site: str = ""
    trouble: bool = False


class ErrorLine(Struct, frozen=True, kw_only=True):
    """One failure of the summary."""

    url: str
    reason: str


class Summary(Struct, frozen=True, kw_only=True):
    """What a run did, in the order and under the names of the contract."""

    run: str
    sites: int = 0
    articles: int = 0
    requests: int = 0
    bytes: int = 0
    snapshots: int = 0
    unchanged: int = 0
    silent_edits: int = 0
    torn: int = 0
    partial: int = 0
    gone: int = 0
    failed: int = 0
    seconds: float = 0.0
    verify_bound_days: int = 30
    errors: tuple[ErrorLine, ...] = ()


class RunFinished(Struct, frozen=True, kw_only=True, tag="run-finished"):
    """The run is over; ``interrupted`` where it was stopped with work left."""

    at: datetime
    summary: Summary
    interrupted: bool = False


Event = (
    RunStarted
    | SiteStarted
    | Discovered
    | Requested
    | Began
    | Stored
    | Happened
    | Unchanged
    | Passed
    | Failed
    | Waiting
    | Note
    | RunFinished
)
