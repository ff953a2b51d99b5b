"""robots.txt: what a site lets this crawler read (RFC 9309).

Protego matches paths (section 2.2.2). What is ours: the meaning of each HTTP status (section
2.3.1), the bytes (2.3, 2.5), and which group is whose (2.2.1): Protego is given only the groups
of ``*`` and of this crawler. So a product token is compared whole and in any case, records that
are no rules never end a group (2.2.4), and a file of 30,000 agents costs no more than one.
Pure: bytes in, a value out, no exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

#: Bytes of a robots.txt that are read; section 2.5 asks for at least 500 KiB, others stop there.
MAX_BYTES = 500 * 1024
#: Wildcard rules in one file. Each costs about 0.3 µs an URL; the largest files seen hold 3,000.
MAX_WILDCARD_RULES = 10_000
#: ``Sitemap`` lines that are kept; large newsrooms name some 200.
MAX_SITEMAPS = 1_000

#: Characters of a Crawl-delay line that are read: no honest number of seconds needs more.
_MAX_DELAY = 40
_TOKEN = re.compile(r"[A-Za-z_-]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_LAST_LINE_END = re.compile(rb"[\r\n][^\r\n]*\Z")
_UNDECODED = re.compile("[\udc80-\udcff]")
_DIRECTIVE = re.compile(
    r"\s*(?P<word>user[- ]?agent|allow|dis+al+ow|diasllow|disallaw|crawl[- ]delay|sitemaps?"
    r"|site-map)(?:\s*:|\s)(?P<value>.*)",
    re.IGNORECASE | re.DOTALL,
)
_KINDS = (("u", "User-agent"), ("a", "Allow"), ("c", "Crawl-delay"), ("s", "Sitemap"))
#: Characters at which ``str.splitlines`` ends a line and section 2.2 doesn't, escaped.
_NOT_LINE_ENDS = {
    ord(c): "".join(f"%{octet:02X}" for octet in c.encode())
    for c in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
}


@dataclass(frozen=True, slots=True)
class Robots:
    """What one origin's robots.txt says to one agent.

    ``crawl_delay`` is in seconds, as asked for; ``sitemaps`` are as written, perhaps relative;
    ``reason`` is a sentence that says where the verdicts come from.
    """

    reason: str
    crawl_delay: float | None = None
    sitemaps: tuple[str, ...] = ()
    agent: str = "*"
    rules: Protego | None = None
    refuses_all: bool = False

    @classmethod
    def parse(cls, body: bytes, agent: str) -> Robots:
        """Read a file for the product token that opens ``agent`` (``slugline/1.0`` will do)."""
        token = _token(agent)
        lines = tuple(_own_lines(_text(body), token))
        if sum("*" in line.partition(":")[2] for line in lines) > MAX_WILDCARD_RULES:
            return cls.disallow_all(
                f"robots.txt holds more than {MAX_WILDCARD_RULES:,} wildcard rules"
            )
        rules = Protego.parse("\n".join(lines))
        return cls(
            reason="robots.txt",
            crawl_delay=rules.crawl_delay(token),
            sitemaps=tuple(dict.fromkeys(rules.sitemaps))[:MAX_SITEMAPS],
            agent=token,
            rules=rules,
        )

    @classmethod
    def allow_all(cls, reason: str = "no robots.txt") -> Robots:
        """Return the verdict where there is nothing to obey."""
        return cls(reason=reason)

    @classmethod
    def disallow_all(cls, reason: str) -> Robots:
        """Return the verdict where the rules can't be known, ``reason`` saying why."""
        return cls(reason=reason, refuses_all=True)

    def allowed(self, url: str) -> bool:
        """Whether the absolute ``url`` may be read; robots.txt itself always may."""
        try:
            if self.refuses_all:
                return urlsplit(url).path == "/robots.txt"
            return self.rules is None or self.rules.can_fetch(url, self.agent)
        except ValueError:
            # urlsplit raises on a broken host; what is no URL can't be allowed
            return False


def from_answer(status: int | None, body: bytes, agent: str, why: str = "") -> Robots:
    """Judge an answer to ``GET /robots.txt`` by section 2.3.1.

    ``status`` is that of the last redirect followed, ``body`` its content decoded; None: none
    came that can be read, and ``why`` says what was wrong.
    """
    if status is None:
        cause = f": {why}" if why else ""
        return Robots.disallow_all(f"robots.txt could not be read{cause}")
    if 200 <= status < 300:  # noqa: PLR2004  - RFC 9110's class of success
        return Robots.parse(body, agent)
    if 300 <= status < 400:  # noqa: PLR2004  - a redirect that the bound left unfollowed
        return Robots.allow_all("robots.txt redirects too often")
    if 400 <= status < 500 and status != 429:  # noqa: PLR2004  - 429 asks to come back later
        return Robots.allow_all(f"no robots.txt (status {status})")
    return Robots.disallow_all(f"robots.txt was answered with status {status}")


def _token(agent: str) -> str:
    match = _TOKEN.match(agent.strip())
    return match[0].lower() if match else "*"


def _text(body: bytes) -> str:
    """Decode the first 500 KiB of whole lines; octets that are no UTF-8 become escapes."""
    if len(body) > MAX_BYTES:
        # half a rule would forbid (or allow) far more than the whole one
        body = _LAST_LINE_END.sub(b"", body[:MAX_BYTES])
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    text = body.decode("utf-8-sig", "surrogateescape")
    return _UNDECODED.sub(lambda m: f"%{ord(m[0]) - 0xDC00:02X}", text)


def _directives(text: str) -> Iterator[tuple[str, str]]:
    """Yield every known line as (what it is, its value), comments and misspellings undone."""
    for line in _LINE_END.split(text.translate(_NOT_LINE_ENDS)):
        match = _DIRECTIVE.match(line.partition("#")[0])
        if match:
            word = match["word"].lower()
            kind = next((known for prefix, known in _KINDS if word.startswith(prefix)), "Disallow")
            yield kind, match["value"].strip()


def _own_lines(text: str, token: str) -> Iterator[str]:
    """Yield what concerns ``token``, agents renamed, a group's delay behind all its agents."""
    held: list[str] = []
    among_agents = ours = False
    for kind, value in _directives(text):
        line = f"{kind}: {value}"
        if kind == "User-agent":
            name = _group(value, token)
            ours = name is not None or (among_agents and ours)
            held = held if among_agents else []
            among_agents = True
            if name:
                yield f"User-agent: {name}"
        elif kind == "Sitemap":
            yield line
        elif kind == "Crawl-delay" and among_agents:
            held.append(line[:_MAX_DELAY])
        elif ours:
            yield from held
            yield line
            held, among_agents = [], False
        else:
            held, among_agents = [], False
    if ours:
        yield from held


def _group(name: str, token: str) -> str | None:
    """Whose group a ``User-agent`` value opens: this token's, everybody's (``*``), or neither."""
    name = name.strip()
    if name.split(maxsplit=1)[:1] == ["*"]:
        return "*"
    match = _TOKEN.match(name)
    return token if match and match[0].lower() == token else None
