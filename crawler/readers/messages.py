"""What a run and its reading processes say to each other: values only.

An order is answered once, by its number; so is a question of a child. What is said of one place on
the wire bears that place's number. All of it is data: nothing that is read here is executed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from crawler.article.format_set import Known
from crawler.declared import Declared
from crawler.events import Requested
from crawler.facts import Facts
from crawler.frontier import Entry
from crawler.robots_cache import RobotsEntry
from crawler.transport.faults import Kind
from crawler.transport.resolve import Resolve
from storage.model import ContentDigest, Finding, Manifest, Representation, Site, Validator

Pairs = tuple[tuple[str, str], ...]


class _Said(Struct, frozen=True, array_like=True):
    """A message: short on the wire, told from others by a number."""


# answers and what is made of them


class SentPayload(_Said, frozen=True):
    """A Payload. Where ``spooled``, its body is the next file that was handed over beside it."""

    role: str
    url: str
    status: int
    reason: str
    headers: Pairs
    body: bytes
    fetched_at: datetime
    not_modified: bool
    spooled: bool


class SentEvidence(_Said, frozen=True):
    """Proofs, as a process that reads sends them."""

    payloads: tuple[SentPayload, ...] = ()
    redacted: tuple[str, ...] = ()
    private: bool = False


class SentCopy(_Said, frozen=True, tag=1):
    """A Copy."""

    facts: Facts
    representation: Representation
    payloads: tuple[SentPayload, ...]
    validator: Validator
    answered: bool
    usage: dict[str, str]
    redacted: tuple[str, ...]
    private: bool


class SentReading(_Said, frozen=True, tag=2):
    """A Reading but for its entry, which the run has; ``words`` where they will be looked at."""

    url: str
    copies: dict[str, SentCopy]
    alternates: dict[str, str]
    missing: dict[str, str]
    withdrawn: frozenset[str]
    claims: dict[str, str]
    canonical_source: str | None
    aliases: frozenset[str]
    findings: tuple[Finding, ...]
    content: dict[str, ContentDigest]
    words: str | None


class SentPage(_Said, frozen=True, tag=3):
    """A NoArticle but for its entry."""

    url: str
    facts: Facts
    why: str
    redirected: SentEvidence


class SentFailure(_Said, frozen=True, tag=4):
    """A CopyFailed."""

    url: str
    why: str
    status: int
    disallowed: bool
    evidence: SentEvidence


class SentResting(_Said, frozen=True, tag=5):
    """A HostResting."""

    url: str
    host: str
    until: datetime | None
    sentence: str


class Step(_Said, frozen=True):
    """One format that was asked for on the way, and what came of it."""

    format: str
    url: str
    accept: str
    result: SentCopy | SentFailure | SentResting


class HandedBack(_Said, frozen=True, tag=6):
    """An article that needs what only the run knows; ``steps`` were made already."""

    steps: tuple[Step, ...]


class Broke(_Said, frozen=True, tag=7):
    """A fault of ours: the run must end as it would have by its own."""

    trace: str


Outcome = SentCopy | SentReading | SentPage | SentFailure | SentResting | HandedBack | Broke

# from the run to a child


class Setup(_Said, frozen=True, tag=20):
    """The first message: how to fetch. ``plain`` are FetchSettings' numbers and texts by name."""

    plain: dict[str, Any]
    resolve: tuple[Resolve, ...]
    allow_address: tuple[str, ...]
    ca_bundle: str | None
    proxies: dict[str, str]
    headers: dict[str, Pairs]
    named: tuple[str, ...]
    max_body: int
    ignore_robots: bool


class SiteSetup(_Said, frozen=True, tag=21):
    """How to read one site's articles; said again where something of it changed.

    ``near`` are the sites of its origin. ``held`` and ``page_way`` are what looking for undeclared
    twins gave, None where the run does not know yet.
    """

    number: int
    site: Site
    near: tuple[Site, ...]
    formats: frozenset[str]
    most_bytes: int
    probe: bool
    torn_retries: int
    held: dict[str, str] | None
    page_way: str | None


class ReadOrder(_Said, frozen=True, tag=22):
    """Read the article at ``entry``."""

    number: int
    site: int
    entry: Entry
    known: Known


class CopyOrder(_Said, frozen=True, tag=23):
    """Fetch one format, as Copyist.copy does."""

    number: int
    declared: Declared
    previous: Manifest | None
    validators: dict[str, Validator]
    fresh: bool
    accept: str


class Cancel(_Said, frozen=True, tag=24):
    """Nobody waits for an order any more."""

    number: int


class Go(_Said, frozen=True, tag=25):
    """A place on the wire is given, at ``started`` (monotonic seconds, one clock a machine)."""

    number: int
    started: float


class Lend(_Said, frozen=True, tag=26):
    """One place more to a host may be used without asking, until they are recalled.

    ``whole``: these are all that there will be.
    """

    host: str
    whole: bool


class Recall(_Said, frozen=True, tag=27):
    """Give the places to a host back: those in use when they are free."""

    host: str


class Answer(_Said, frozen=True, tag=28):
    """The answer to a question; ``resting`` where a host's turn is over."""

    number: int
    yes: bool = False
    resting: SentResting | None = None
    rules: RobotsEntry | None = None


class StoredBody(_Said, frozen=True, tag=29):
    """The answer to AskStored."""

    number: int
    representation: Representation
    status: int
    reason: str
    headers: Pairs
    stored: bytes
    decoded: bytes


ToChild = (
    Setup | SiteSetup | ReadOrder | CopyOrder | Cancel | Go | Lend | Recall | Answer | StoredBody
)

# from a child to the run


class Here(_Said, frozen=True, tag=39):
    """The first message: which process this is."""

    pid: int


class Done(_Said, frozen=True, tag=40):
    """What came of an order."""

    number: int
    outcome: Outcome


class Exchanged(_Said, frozen=True, tag=41):
    """One request was made; ``lent``: in a place that was lent."""

    request: Requested
    lent: bool


class Enter(_Said, frozen=True, tag=42):
    """A place on the wire to ``host`` is wanted, under a number of the child's; answered by Go."""

    number: int
    host: str
    url: str


class Sent(_Said, frozen=True, tag=43):
    """The request went out ``at`` that monotonic second, in the place of that number."""

    number: int
    at: float


class Answered(_Said, frozen=True, tag=44):
    """The server answered: Slot.answered. ``number`` 0: in a lent place, since ``started``."""

    number: int
    host: str
    started: float
    status: int
    asked: str | None
    seconds: float


class Failed(_Said, frozen=True, tag=45):
    """No answer came: Slot.failed."""

    number: int
    host: str
    started: float
    kind: Kind
    sentence: str


class Left(_Said, frozen=True, tag=46):
    """The place of that number is free again."""

    number: int


class Returned(_Said, frozen=True, tag=47):
    """Lent places come back."""

    host: str
    places: int


class AskEnded(_Said, frozen=True, tag=48):
    """Is the host's turn over? Answered with ``resting``."""

    number: int
    host: str
    url: str


class AskRetry(_Said, frozen=True, tag=49):
    """May one more retry be made? It is taken from the host's budget. Answered with ``yes``."""

    number: int
    host: str


class AskRules(_Said, frozen=True, tag=50):
    """What does robots.txt say for ``url``? Answered with ``rules`` or ``resting``."""

    number: int
    url: str


class AskStored(_Said, frozen=True, tag=51):
    """What is stored of a format of the order's article? Answered by StoredBody."""

    number: int
    order: int
    format: str


Question = Enter | AskEnded | AskRetry | AskRules | AskStored
ToRun = (
    Here
    | Done
    | Exchanged
    | Enter
    | Sent
    | Answered
    | Failed
    | Left
    | Returned
    | AskEnded
    | AskRetry
    | AskRules
    | AskStored
)
