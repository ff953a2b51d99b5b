"""Settings: config.toml read once into one frozen object, all its errors reported together.

``config.toml`` has five tables, each a model below: ``[defaults]`` (what a site may set for
itself), ``[fetch]``, ``[limits]``, ``[store]`` and ``[cluster]``; and a ``[[site]]`` table a site,
whose keys go over ``[defaults]``. ``Settings`` is the first four in one flat value: what a run
reads. Every setting stands here with its default, unit and meaning, and in config.toml with the
reason.
TOML has no null: an empty string means "not set" where a setting may be left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)

from crawler.config.errors import ConfigError, Problem, problems_of
from crawler.config.schedule import problem_of
from crawler.discovery.table import WAYS
from crawler.transport.resolve import Resolve, parse_resolve
from crawler.urls import normalise, site_name
from storage.files import is_device

KIB, MIB, GIB = 2**10, 2**20, 2**30


def _secret(value: object, info: ValidationInfo) -> object:
    """Read ``{ env = "NAME" }`` from the environment that the caller handed in."""
    if not isinstance(value, Mapping):
        return value
    if set(value) != {"env"} or not isinstance(value["env"], str):
        raise ValueError('must be a text or { env = "NAME" }')
    environment: Mapping[str, str] = (info.context or {}).get("environment", {})
    name = value["env"]
    if name not in environment:
        raise ValueError(f"the environment variable {name} is not set")
    return environment[name]


def _one_line(value: SecretStr) -> SecretStr:
    """RFC 9110 section 5.5: no line break or null in a field value."""
    if any(char in value.get_secret_value() for char in "\r\n\0"):
        raise ValueError("must be one line, without control characters")
    return value


def _field_value(value: str) -> str:
    if not re.fullmatch(r"[\x20-\x7e]{0,200}", value):
        raise ValueError("must be one line of at most 200 ASCII characters")
    return value


def _nothing(value: object) -> object:
    return None if value == "" else value


def _readable(value: Path) -> Path:
    try:
        with value.open("rb"):
            return value
    except OSError as error:
        raise ValueError(f"must be a readable file ({error.strerror})") from error


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError("must be an absolute URL that begins with http:// or https://")
    return value


def _scope(value: str) -> str:
    if "@" in urlsplit(_http_url(value)).netloc:
        raise ValueError("must hold no name or password: use headers")
    url = normalise(value)
    if url is None:
        raise ValueError("must be a valid URL")
    return url


def _label(value: str) -> str:
    """Take a site's name: it is a folder's, on every system."""
    fits = re.fullmatch(r"[a-z0-9][a-z0-9._+~-]{0,99}", value) and not value.endswith(".")
    if not fits or is_device(value):
        raise ValueError(
            "must be small letters, digits and . _ + ~ -, at most 100: it is a folder's"
        )
    return value


def _schedule(value: str) -> str:
    if value and (problem := problem_of(value)):
        raise ValueError(problem)
    return value


def _network(value: object) -> object:
    """Read a block; a bare number is none, though ip_network would take it for one."""
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    try:
        return ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError as error:
        raise ValueError("must be an address or a CIDR block such as 10.0.0.0/8") from error


def _resolve(value: object) -> object:
    return parse_resolve(value) if isinstance(value, str) else value


def _format_name(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9+._-]{0,63}", value):
        raise ValueError("must be a format's name: html, markdown, text, jsonld, json, pdf …")
    return value


def _way(value: str) -> str:
    if value not in WAYS:
        raise ValueError(f"must be one of: {', '.join(WAYS)}")
    return value


#: Fields that HTTP's framing and slugline's own conditional requests are made of: given by hand,
#: they would spoil what is stored.
_OURS = frozenset(
    {
        *("host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"),
        *("expect", "range", "if-range", "if-match", "if-none-match"),
        *("if-modified-since", "if-unmodified-since"),
    }
)


def _header_name(value: str) -> str:
    """RFC 9110 section 5.1: a field name is a token."""
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", value):
        raise ValueError("must have a header's name: letters, digits and hyphens")
    if value.lower() in _OURS:
        raise ValueError("must leave this header to slugline: it frames or conditions a request")
    return value


def _distinct_headers(value: dict[str, SecretStr]) -> dict[str, SecretStr]:
    if len({name.lower() for name in value}) < len(value):
        raise ValueError("names a header twice (case does not count)")
    return value


Line = Annotated[str, AfterValidator(_field_value)]
Name = Annotated[str, AfterValidator(_format_name)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
Secret = Annotated[SecretStr, BeforeValidator(_secret), AfterValidator(_one_line)]
Way = Annotated[str, AfterValidator(_way)]
Scope = Annotated[str, AfterValidator(_scope)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
Mapped = Annotated[Resolve, BeforeValidator(_resolve)]
Glob = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


def setting(default: Any, unit: str, meaning: str, **rules: Any) -> Any:
    """Declare a setting: its default, its unit (or "" where there is none), what it means."""
    return Field(default=default, description=meaning, json_schema_extra={"unit": unit}, **rules)


def number(default: float, unit: str, meaning: str, least: float, most: float) -> Any:
    """Declare a number with its bounds, both inclusive; a text or a boolean is refused."""
    return setting(default, unit, meaning, ge=least, le=most, strict=True)


class _Table(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True
    )


class Defaults(_Table):
    """``[defaults]``: how a site is read; each ``[[site]]`` may say otherwise."""

    rate: float = number(2.0, "requests/s", "most requests a host; 0 is no limit", 0, 1000)
    concurrency: int = number(2, "connections", "open at once to a host", 1, 256)
    formats: tuple[Name, ...] = setting((), "names", "formats to keep; empty is all declared")
    include: tuple[Glob, ...] = setting((), "globs", "only URLs that match one; empty is all")
    exclude: tuple[Glob, ...] = setting((), "globs", "no URL that matches one")
    probe: bool = setting(True, "", "try .md, .txt, .jsonld where nothing is declared", strict=True)
    follow_canonical: bool = setting(True, "", "capture the original on its own host", strict=True)
    canonical_every: int = number(30, "days", "least time between two captures of it", 1, 3650)
    verify_within: int = number(30, "days", "every article is read again within", 1, 3650)
    gone_after: float = number(24, "hours", "between two 404s that make an article gone", 0, 8760)
    torn_retries: int = number(3, "times", "stale formats are fetched again", 0, 10)
    keep: Literal["content", "bytes"] = setting("content", "", "store on changed words, or bytes")
    discovery: tuple[Way, ...] = setting(
        ("sitemap", "feed", "llms-txt", "links"), "names", "where articles are looked for"
    )
    schedule: Annotated[str, AfterValidator(_schedule)] = setting(
        "", "cron line", "when the site is due, for whoever starts the runs"
    )
    max_articles: int = number(10**6, "articles", "taken up in one run", 1, 10**9)
    max_requests: int = number(0, "requests", "begun in one run; 0 is no limit", 0, 10**9)
    max_seconds: float = number(0, "seconds", "of one run; 0 is no limit", 0, 10**7)
    proxy: Annotated[HttpUrl | None, BeforeValidator(_nothing)] = setting(
        None, "URL", "HTTP proxy for this site; empty is none", repr=False
    )
    headers: Annotated[dict[HeaderName, Secret], AfterValidator(_distinct_headers)] = setting(
        {}, "", 'sent to this site\'s own host only: text or { env = "NAME" }'
    )


class FetchTable(_Table):
    """``[fetch]``: how requests are made."""

    contact: Line = setting("", "", "URL or address in the User-Agent")
    encodings: Line = setting("gzip", "", "Accept-Encoding as sent")
    connections: int = number(256, "connections", "open at once in all", 1, 4096)
    workers: int = number(16, "articles", "in hand at once", 1, 1024)
    processes: int = number(1, "processes", "that read articles side by side", 1, 64)
    connect_timeout: float = number(10, "seconds", "to connect and agree on TLS", 0.1, 600)
    read_timeout: float = number(30, "seconds", "without one byte", 0.1, 600)
    total_timeout: float = number(300, "seconds", "one request in all", 0.1, 86400)
    min_transfer_rate: int = number(1 * KIB, "bytes/s", "slower bodies are given up", 0, GIB)
    attempts: int = number(4, "requests", "most for one URL, the first included", 1, 20)
    retry_budget: int = number(
        20, "requests", "retries a host and run may have in any case", 0, 10**6
    )
    retry_share: float = number(0.1, "share", "retries more, of the host's requests", 0, 1)
    retry_after_cap: float = number(300, "seconds", "longer waits end the host's turn", 0, 86400)
    max_crawl_delay: float = number(30, "seconds", "obeyed of robots.txt's Crawl-delay", 0, 86400)
    max_delay: float = number(60, "seconds", "between requests to a host in trouble", 0, 86400)
    strikes: int = number(5, "answers", "429, 503 or no connection in a row end a turn", 1, 1000)
    grace: float = number(10, "seconds", "to finish articles in hand when stopped", 0, 3600)
    ca_bundle: Annotated[
        Annotated[Path, AfterValidator(_readable)] | None, BeforeValidator(_nothing)
    ] = setting(None, "file", "certificate authorities (PEM) instead of the system's")
    resolve: tuple[Mapped, ...] = setting((), "HOST:PORT:ADDR[:PORT]", "addresses to use for hosts")
    allow_address: tuple[Network, ...] = setting((), "CIDR", "private networks links may lead to")


class LimitsTable(_Table):
    """``[limits]``: bounds on what a site may make us do; past one, a named error."""

    max_body: int = number(64 * MIB, "bytes", "one body, decoded", KIB, 16 * GIB)
    max_document_set: int = number(80 * MIB, "bytes", "an article's bodies, decoded", KIB, 64 * GIB)
    max_header: int = number(64 * KIB, "bytes", "all header fields of an answer", KIB, 16 * MIB)
    max_redirects: int = number(5, "hops", "followed for one URL", 0, 20)
    max_sitemaps: int = number(1000, "documents", "sitemaps read of a site in a run", 1, 10**6)
    sitemap_depth: int = number(3, "levels", "sitemap indexes inside each other", 1, 20)
    links_per_page: int = number(5000, "links", "taken from one page", 1, 10**6)
    pending_links: int = number(10**5, "links", "of pages that wait, of one site", 1, 10**8)
    max_frontier: int = number(128 * MIB, "bytes", "URLs known of a site in a run", MIB, 64 * GIB)
    page_depth: int = number(5, "links", "pages that are no article, from the scope", 0, 100)


class StoreTable(_Table):
    """``[store]``: what is written."""

    mirror: str = setting("mirror", "folder", "where the mirror is kept", min_length=1)
    files: bool = setting(True, "", "also write plain files under files/", strict=True)
    segment_bytes: int = number(GIB, "bytes", "a segment closes at this size", MIB, 1024 * GIB)
    index: str = setting("", "URL", "PostgreSQL that holds the index; empty is the mirror's folder")
    segments: str = setting("", "URL", "bucket that holds the segments; empty is the folder")


class ClusterTable(_Table):
    """``[cluster]``: what `slugline worker` shares with others."""

    queue: str = setting("", "URL", "PostgreSQL that holds the queue; empty is the index's")


class SiteTable(Defaults):
    """``[[site]]``: one site, with what differs from ``[defaults]``."""

    url: Scope
    name: Annotated[str, AfterValidator(_label)] | None = None

    @property
    def label(self) -> str:
        """The name it goes by: its own, else made of its URL."""
        return self.name or site_name(self.url)


class Settings(Defaults, FetchTable, LimitsTable, StoreTable):
    """All that a run reads, flat and frozen."""

    def changed(self, **values: Any) -> Self:
        """Return these settings with ``values`` over them; raises ConfigError as a file would."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self).model_validate(kept | values)
        except ValidationError as error:
            raise ConfigError(problems_of(error, type(self))) from None


class Config(_Table):
    """A whole config.toml."""

    defaults: Defaults = Defaults()
    fetch: FetchTable = FetchTable()
    limits: LimitsTable = LimitsTable()
    store: StoreTable = StoreTable()
    cluster: ClusterTable = ClusterTable()
    site: tuple[SiteTable, ...] = ()

    def settings(self, site: SiteTable | None = None) -> Settings:
        """Return what a run over ``site`` reads; without one, what ``[defaults]`` say."""
        values: dict[str, Any] = {}
        for table in (self.defaults, self.fetch, self.limits, self.store):
            values |= {name: getattr(table, name) for name in type(table).model_fields}
        if site is not None:
            own = site.model_fields_set & set(Defaults.model_fields)
            values |= {name: getattr(site, name) for name in own}
        return Settings.model_construct(**values)

    def site_of(self, url: str) -> SiteTable | None:
        """Return the site table whose URL is the longest prefix of ``url`` at path segments."""
        owners = [site for site in self.site if f"{url}/".startswith(f"{site.url.rstrip('/')}/")]
        return max(owners, key=lambda site: len(site.url), default=None)


#: Bytes of a config.toml: ten thousand sites have room, and no device is read without end.
MAX_CONFIG = 4 * 2**20


def parse_config(text: str, environment: Mapping[str, str], name: str = "config.toml") -> Config:
    """Read ``text``, a config.toml; header values named by ``env`` come from ``environment``.

    ``name`` stands in messages. Raises ConfigError with every problem found.
    """
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, ValueError) else "tables or lists nest too deep"
        raise ConfigError((Problem(path="", shown="", allowed=told),), name) from None
    try:
        return Config.model_validate(raw, context={"environment": environment})
    except ValidationError as error:
        raise ConfigError(problems_of(error, Config), name) from None


def load_config(path: Path, environment: Mapping[str, str]) -> Config:
    """Read the file at ``path``; raises ConfigError, also where it cannot be read."""
    try:
        with path.open("rb") as file:
            read = file.read(MAX_CONFIG + 1)
        text = read.decode("utf-8")
        why = f"it has more than {MAX_CONFIG:,} bytes" if len(read) > MAX_CONFIG else ""
    except OSError as error:
        why = error.strerror or str(error)
    except UnicodeDecodeError:
        why = "it is not UTF-8 text"
    if why:
        problem = Problem(path="", shown="", allowed=f"cannot be read: {why}")
        raise ConfigError((problem,), str(path))
    return parse_config(text, environment, str(path))


def mirror_folder(config: Config, path: Path) -> Path:
    """Return where ``config``, read from ``path``, keeps its mirror: relative to its own folder."""
    return path.parent / Path(config.store.mirror).expanduser()
