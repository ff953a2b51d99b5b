"""URLs in one normal form, and the few questions slugline asks of them.

The only module of ``crawler`` that takes a URL apart. Parsing follows the WHATWG URL Standard
(what browsers do), by ada; on top of it the percent-encoding normal form of RFC 3986 section
6.2.2, so that equal URLs are equal strings. ``normalise`` is the gate: it takes any text
and answers a URL or None; everything else here expects what came out of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from ada_url import URL

from storage.files import is_device

#: Characters. Twice what sitemaps.org allows a ``loc``, since a letter outside ASCII takes up to
#: nine; half of what RFC 9110 section 4.1 asks servers to bear. Longer ones are traps.
MAX_URL: Final = 4096
#: Characters of input that are looked at: room for a fragment, which is dropped.
MAX_INPUT: Final = 4 * MAX_URL
#: Characters of a site's name: one directory name on every system is at most 255 bytes.
MAX_SITE_NAME: Final = 120

_PORTS: Final = {"http:": "80", "https:": "443"}
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
#: Parameters that say who sent a reader, never what is read.
_TRACKING: Final = re.compile(
    r"utm_[^=]*|mtm_[^=]*|pk_(?:campaign|kwd|keyword|source|medium|content|cid)"
    r"|at_(?:medium|campaign|custom[0-9]+|link_[a-z]+|bbc_team|ptr_name|format)"
    r"|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|srsltid|msclkid|y(?:s|c)?clid|twclid|ttclid"
    r"|li_fat_id|igsh|igshid|mc_cid|mc_eid|mkt_tok|_hsenc|_hsmi|__hs(?:fp|sc|tc)|hsctatracking"
    r"|vero_id|oly_anon_id|oly_enc_id|_openstat|wickedid|rb_clickid|_ga|_gl|_ke|s_cid"
    r"|__twitter_impression|ss_email_id|ml_subscriber(?:_hash)?|bsft_(?:eid|uid|clkid)",
    re.IGNORECASE,
)
#: The mark comes first and what stands before it second: to a plain character `re` jumps.
_QUERY_IN_TEXT: Final = re.compile(r"\?(?<=[^\s?]\?)[^\s#<>\"')\]]+")
#: Escapes that stay as they are: upper case, and of no unreserved character.
_NORMAL_ESCAPE: Final = r"%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF])"
#: Most URLs that come here are in normal form already, and ada takes ten times as long to say so.
#: Only characters that no parser touches: what doesn't match is not wrong, it is ada's.
_NORMAL: Final = re.compile(
    r"(https?://[^/?#@\\\s]{1,261}+)"
    rf"(/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]++|{_NORMAL_ESCAPE})*+)"
    rf"(\?(?:[A-Za-z0-9._~!$&()*+,;=:@/?-]++|{_NORMAL_ESCAPE})++)?+"
)
#: What may undo the beginning of a path: dot segments, also escaped or behind what parsers drop.
_UNDONE: Final = re.compile(r"/\.|[%\\\s]")
#: Where the host of a URL has begun, at the latest: behind ``https://``.
_AUTHORITY: Final = len("https://")
#: Origins, bases and URLs whose parsing is remembered: pages name few hosts, a hostile one names
#: many; a URL in hand is asked for its origin, its scope and its host some ten times in a row.
_REMEMBERED: Final = 1024
#: Characters of a URL that is remembered to be in normal form: each format of an article repeats
#: the article's own URL and the other formats'.
_SHORT: Final = 512


class UrlError(ValueError):
    """Text that is no absolute http or https URL was given where one was promised."""


class _Parts(NamedTuple):
    """What a URL is made of, by the names and forms of the URL Standard; ``port`` "" if default."""

    protocol: str
    host: str
    hostname: str
    port: str
    pathname: str
    search: str


def normalise(url: str, base: str | None = None) -> str | None:
    """Return the normal form of ``url``, resolved against ``base`` when it is given.

    Absolute, http or https, no fragment, no empty query, no default port, no dot segments, the
    host in lower case and IDNA's ASCII, escapes in upper case and only where needed. None: no
    such URL, one with user information (credentials go nowhere), or one longer than MAX_URL.
    Idempotent.
    """
    if len(url) > MAX_INPUT or (base is not None and len(base) > MAX_INPUT):
        return None
    if (home := _home(base)) is not None:
        rooted = url[:1] == "/" and url[1:2] != "/"
        text = home + url if rooted else url
        if len(text) <= MAX_URL and (_is_normal if len(text) <= _SHORT else _looks_normal)(text):
            return text
    try:
        parsed = URL(url, base)
    except ValueError:
        return None
    if parsed.protocol not in _PORTS or parsed.username or parsed.password or not parsed.hostname:
        return None
    path = _ESCAPE.sub(_normal_escape, parsed.pathname)
    query = _ESCAPE.sub(_normal_escape, parsed.search)
    normal = f"{parsed.protocol}//{parsed.host}{path}{query}"
    return normal if len(normal) <= MAX_URL else None


def origin(url: str) -> str:
    """Return ``https://host[:port]`` of a URL (RFC 6454). Raises UrlError."""
    end = url.find("/", _AUTHORITY)
    if 0 < end <= MAX_URL and _front(url[:end]) is not None:
        return url[:end]
    parsed = _parse(url)
    return f"{parsed.protocol}//{parsed.host}"


def host_key(url: str) -> str:
    """Return ``host:port`` of a URL, the scheme's port where none is written. Raises UrlError."""
    end = url.find("/", _AUTHORITY)
    front = _front(url[:end]) if 0 < end <= MAX_URL else None
    parsed = front or _parse(url)
    return f"{parsed.hostname}:{parsed.port or _PORTS[parsed.protocol]}"


def page_path(url: str) -> str:
    """Return the path of a URL, "/" for a host's front page. Raises UrlError."""
    return _parse(url).pathname


def in_scope(url: str, scope: str) -> bool:
    """Tell whether ``url`` lies under ``scope``: the same origin, and a prefix of whole segments.

    A trailing slash of the scope changes nothing. A scope with a query holds that one page.
    Raises UrlError.
    """
    start = _start(scope)
    # What is in normal form and begins as the scope does is in it: most of what is asked about.
    if start and url.startswith(start) and not _UNDONE.search(url):
        return True
    one, whole = _parse(url), _whole(scope)
    if one.host != whole.host or one.protocol != whole.protocol:
        return False
    if whole.search:
        return (one.pathname, one.search) == (whole.pathname, whole.search)
    prefix = whole.pathname
    return one.pathname.startswith(prefix) or f"{one.pathname}/" == prefix


def page_key(url: str) -> str:
    """Return what two URLs share when only their scheme or a leading ``www.`` differ.

    Raises UrlError.
    """
    parsed = _parse(url)
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.hostname.removeprefix('www.')}{port}{parsed.pathname}{parsed.search}"


def same_page(a: str, b: str) -> bool:
    """Tell whether two URLs are equal but for their scheme or a leading ``www.``."""
    return a == b or page_key(a) == page_key(b)


def strip_tracking(url: str) -> str:
    """Return ``url`` without known tracking parameters; all else stays as it is written.

    Takes relative URLs too. For comparing words and naming, never for fetching.
    """
    front, mark, fragment = url.partition("#")
    path, asked, query = front.partition("?")
    return path + _kept(asked + query) + mark + fragment


def strip_tracking_in(text: str) -> str:
    """Return ``text`` (prose, Markdown or HTML) with tracking parameters gone from its URLs.

    Linear in the text's length.
    """
    return _QUERY_IN_TEXT.sub(lambda found: _kept(found[0]), text)


def site_name(scope: str, *, distinct: bool = False) -> str:
    """Return the label of a site: one directory name that is safe on every system.

    ``example.org``, ``127.0.0.1+8080``, ``example.org~news``. Names in mixed case (one file on some
    systems) and long ones end in ``~`` and 8 hex of the scope's SHA-256; ``distinct``
    asks for that, where another scope has the plain name (http and https share it).
    Raises UrlError.
    """
    parsed = _parse(scope)
    # A name that opens with a dot is hidden on Unix, one with a dash an option to every command.
    host = re.sub(r"^[.-]|[^a-z0-9._\[\]-]", _escaped, parsed.hostname.replace(":", "-"))
    port = f"+{parsed.port}" if parsed.port else ""
    path = parsed.pathname.strip("/").replace("~", "%7E").replace("/", "~")
    query = f"@{parsed.search[1:]}" if parsed.search else ""
    rest = re.sub(r"[^A-Za-z0-9._~@=&;,+%-]", _escaped, path + query)
    name = host + port + (f"~{rest}" if rest else "")
    plain = _ESCAPE.sub("", name)
    unfit = plain != plain.lower() or name.endswith(".")
    if distinct or unfit or len(name) > MAX_SITE_NAME:
        name = f"{name[:MAX_SITE_NAME]}~{sha256(scope.encode()).hexdigest()[:8]}"
    # With any ending a device's name stays one on Windows: its first letter is escaped.
    return f"%{ord(name[0]):02X}{name[1:]}" if is_device(name) else name


@lru_cache(_REMEMBERED)
def _parse(url: str) -> _Parts:
    parts = _normal_parts(url)
    if parts is not None:
        return parts
    try:
        parsed = URL(url)
    except ValueError:
        raise UrlError(f"{url[:MAX_URL]!r} is no URL") from None
    if parsed.protocol not in _PORTS:
        raise UrlError(f"{url[:MAX_URL]!r} is no http or https URL")
    return _parts(parsed)


@lru_cache(_REMEMBERED)
def _whole(scope: str) -> _Parts:
    """Take a scope apart; its path ends in a slash unless it is one page, by its query."""
    parts = _parse(scope)
    if parts.search:
        return parts
    return parts._replace(pathname=parts.pathname.rstrip("/") + "/")


@lru_cache(_REMEMBERED)
def _start(scope: str) -> str:
    """Return what the URLs in a scope begin with, "" where the scope is one page."""
    whole = _whole(scope)
    return "" if whole.search else f"{whole.protocol}//{whole.host}{whole.pathname}"


def _normal_parts(url: str) -> _Parts | None:
    """Take a URL apart that is plainly in normal form; None where only ada can tell."""
    found = _in_normal_form(url)
    front = _front(found[1]) if found is not None else None
    if found is None or front is None:
        return None
    path, query = found.group(2, 3)
    return _Parts(front.protocol, front.host, front.hostname, front.port, path, query or "")


def _in_normal_form(url: str) -> re.Match[str] | None:
    """Match a URL that is plainly in normal form, its origin first; None: only ada can tell."""
    found = _NORMAL.fullmatch(url)
    if found is None or _front(found[1]) is None:
        return None
    # A segment that begins with a dot may be one that a parser resolves.
    return None if "/." in url and "/." in found[2] else found


def _looks_normal(url: str) -> bool:
    return _in_normal_form(url) is not None


_is_normal = lru_cache(_REMEMBERED)(_looks_normal)


@lru_cache(_REMEMBERED)
def _front(text: str) -> _Parts | None:
    """Take ``https://host[:port]`` apart; None where that is not its normal form."""
    try:
        parts = _parts(URL(text))
    except ValueError:
        return None
    normal = parts.protocol in _PORTS and f"{parts.protocol}//{parts.host}" == text
    return parts if normal and parts.hostname else None


def _parts(parsed: URL) -> _Parts:
    return _Parts(
        parsed.protocol,
        parsed.host,
        parsed.hostname,
        parsed.port,
        parsed.pathname,
        parsed.search,
    )


@lru_cache(_REMEMBERED)
def _home(base: str | None) -> str | None:
    """Return the origin of a base in normal form, "" where there is none; None: only ada knows."""
    if base is None:
        return ""
    found = _in_normal_form(base) if len(base) <= MAX_URL else None
    return found[1] if found is not None else None


def _normal_escape(found: re.Match[str]) -> str:
    """RFC 3986 section 6.2.2; a ``%`` that starts no escape is made one (section 2.4)."""
    if found[1] is None:
        return "%25"
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def _kept(query: str) -> str:
    """Drop tracking parameters from ``?a=b&c=d``, ``&amp;`` allowed; nothing left is nothing."""
    if not query:
        return query
    parts = query[1:].split("&")
    kept = [
        part
        for part in parts
        if not _TRACKING.fullmatch(part.removeprefix("amp;").partition("=")[0])
    ]
    if len(kept) == len(parts):
        return query
    return "?" + "&".join(kept).removeprefix("amp;") if kept else ""
