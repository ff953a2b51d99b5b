"""Names: of the plain files under ``files/``, and of articles inside WARC records.

A file's name is a function of its URL and format, made so that it can be
opened on Linux, macOS and Windows alike and never points outside its folder, whatever
a site calls its pages. ``Names`` then sees to it that no two are one file: compared as a
file system might (NFC, case folded), and as file against folder. A name is chosen once and
stored in the manifest. ``urn`` writes RFC 8141. Nothing here touches a disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from itertools import count, islice
from pathlib import PurePosixPath
from typing import Final
from unicodedata import combining, normalize
from urllib.parse import quote, unquote_to_bytes, urlsplit

from ada_url import URL

#: Bytes of one name. File systems take 255; the rest is for ``~`` and a digest, or a suffix.
MAX_NAME: Final = 200
#: Bytes of a whole name. macOS opens paths up to 1,024; the rest is for where the mirror stands.
MAX_PATH: Final = 700
#: Bytes of one name that is stored: the least that file systems in use allow.
MAX_STORED_NAME: Final = 255
#: Hex digits of SHA-256 that tell names apart.
HASH_DIGITS: Final = 8
#: The same, where eight were not enough: 128 bits, and MAX_NAME with them is still a name.
MAX_MARK: Final = 32

_SUFFIXES: Final = {
    "html": (".html", ".htm", ".xhtml"),
    "markdown": (".md", ".markdown"),
    "text": (".txt",),
    "jsonld": (".jsonld", ".json"),
    "json": (".json",),
}
#: Device names on Windows, with any suffix: Microsoft, "Naming Files, Paths, and Namespaces".
_DEVICES: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ .].*)?",
    re.IGNORECASE | re.DOTALL,
)
#: A name that nothing below could object to, but for devices: nearly all of them, and quickly told.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_~](?:[A-Za-z0-9_~.+-]*[A-Za-z0-9_~+-])?")
#: The same of a whole path, but that a device may be among its names.
_PLAIN_PATH: Final = re.compile(rf"{_PLAIN.pattern}(?:/{_PLAIN.pattern})*")
#: A path none of whose names begins with a dot, or is empty.
_NO_DOTS: Final = re.compile(r"[^/.\\\0][^/\\\0]*(?:/[^/.\\\0][^/\\\0]*)*")
#: URLs that are their own names: a host and a port that no reader of URLs rewrites, folders and a
#: last part that need not be read one by one. Looked at first, for nearly every one is so; and the
#: beginning, up to the last slash, once for all that share it.
_PLAIN_FOLDER: Final = re.compile(
    r"https?://(?![^/]*xn--)"
    r"((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?"
    r"|(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!/|:)|(?=[/:]))){4})"
    r"(?::(?!80/|443/)([1-9][0-9]{1,3}))?"
    r"(/(?:[A-Za-z0-9_~](?:[A-Za-z0-9_~.+-]*[A-Za-z0-9_~+-])?/)*)"
)
_MAY_BE_DEVICE: Final = re.compile(
    r"/(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?![^./:])", re.IGNORECASE
)
_PLAIN_LEAF: Final = re.compile(
    rf"(?!(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[.:]|\Z))(?:{_PLAIN.pattern})?"
)
#: What stands in a URN as it is (RFC 3986 section 2.3), and begins with no dot.
_UNQUOTED: Final = re.compile(r"[A-Za-z0-9_~+-][A-Za-z0-9_.~+-]*")
#: Characters of a URL that is looked at so, and remembered: with any suffix it is below MAX_NAME.
_SHORT: Final = 160
#: Names that are looked at where it is not known which one was chosen: more are never needed.
_LIKELY: Final = 8
#: What some system gives a meaning to in a name; ``%`` so that an escape is one.
_UNSAFE: Final = frozenset('<>:"/\\|?*%')


def file_name(url: str, format: str) -> str:
    """Return where a representation's bytes lie under ``files/``: ``host[+port]/path``.

    ``url`` is an absolute http or https URL, else ValueError. The answer is a relative POSIX path
    of safe names in NFC, at most MAX_PATH bytes. Two URLs may get one name: see Names.
    """
    if len(url) + len(format) <= _SHORT:
        return _short_name(url, format)
    return any_name(url, format)


@lru_cache(maxsize=2_048)  # several rooms ask for each name of a batch
def _short_name(url: str, format: str) -> str:
    border = url.rfind("/") + 1
    folder, last = _plain_folder(url[:border]), url[border:]
    if not folder or not _PLAIN_LEAF.fullmatch(last):
        return any_name(url, format)
    suffixes = suffixes_of(format)
    leaf = last or f"index{suffixes[0]}"
    added = "" if leaf.lower().endswith(suffixes) else suffixes[0]
    return f"{folder}{leaf}{added}"


@lru_cache(maxsize=256)
def _plain_folder(beginning: str) -> str:
    """Return what stands for a URL's beginning in its name; nothing where it is not plain."""
    plain = _PLAIN_FOLDER.fullmatch(beginning)
    if plain is None or _MAY_BE_DEVICE.search(beginning):
        return ""
    host, port, path = plain.groups()
    return f"{host}+{port}{path}" if port else f"{host}{path}"


def any_name(url: str, format: str) -> str:
    """Return what ``file_name`` does, by its rules alone and no short cut."""
    parsed = URL(url)
    host = _safe(parsed.hostname.replace(":", "-"), url)
    port = f"+{parsed.port}" if parsed.port else ""
    *folders, last = [_decoded(part) for part in parsed.pathname[1:].split("/")]
    suffixes = suffixes_of(format)
    leaf = last or f"index{suffixes[0]}"
    if parsed.search:
        leaf += f"@{_decoded(parsed.search[1:])}"
    added = "" if leaf.lower().endswith(suffixes) else suffixes[0]
    names = [host + port, *(_safe(name, url) for name in folders), _safe(leaf + added, url)]
    return "/".join(_shortened(names, url))


def suffixes_of(format: str) -> tuple[str, ...]:
    """Return the suffixes that fit a format, the one to add first: ``.md``, ``.markdown``."""
    if format in _SUFFIXES:
        return _SUFFIXES[format]
    plain = re.sub(r"[^a-z0-9]", "", format.lower())[:16]
    return (f".{plain or 'bin'}",)


def is_safe(name: str) -> bool:
    """Tell whether ``name`` may be joined to a folder: relative, inside it, on every system."""
    if len(name) <= MAX_NAME and _PLAIN_PATH.fullmatch(name):
        return not _MAY_BE_DEVICE.search(f"/{name}") or all(map(_is_safe_part, name.split("/")))
    return len(name) <= 2 * MAX_PATH and all(map(_is_safe_part, name.split("/")))


def is_inside(name: str) -> bool:
    """Tell whether a stored ``name``, joined to a folder, stays inside it on POSIX and Windows.

    Less than ``is_safe``, and the same for every version of Unicode: what fails it nobody honest
    has written.
    """
    if _NO_DOTS.fullmatch(name):
        return True
    parts = name.split("/")
    return not (set(parts) & {"", ".", ".."} or "\0" in name or "\\" in name)


def is_device(name: str) -> bool:
    """Tell whether Windows takes ``name``, with any suffix, for a device (``CON``, ``nul.txt``)."""
    return _DEVICES.fullmatch(name) is not None


def urn(site: str, slug: str) -> str:
    """Return the URN of an article: one line of ASCII, with exactly one ``/`` (RFC 8141)."""
    return f"urn:slugline:{_quoted(site)}/{_quoted(slug)}"


#: Which of some folded paths are in use: mapped to True for a folder, False for a file.
Held = Callable[[Collection[str]], Mapping[str, bool]]


def likely_names(url: str) -> list[str]:
    """Return names that a representation at ``url`` may have been given, whatever its format is."""
    suffix = PurePosixPath(urlsplit(url).path).suffix.lstrip(".")
    try:
        liked = {file_name(url, name) for name in (*_SUFFIXES, suffix or "bin")}
    except ValueError:
        return []
    return [each for name in sorted(liked) for each in islice(_candidates(name, url), _LIKELY)]


class Names:
    """Every file name in use, and the choice of the next one.

    ``taken`` are names that manifests hold already; unsafe ones among them, which no reader may
    write, do not count. ``held`` is asked for the paths that ``taken`` leaves out.
    """

    def __init__(self, taken: Iterable[str] = (), held: Held | None = None) -> None:
        # Mutable: whether a folded path is a folder, a file, or (None) free; what a URL and format
        # would like; and what was chosen.
        self._paths: dict[str, bool | None] = {}
        self._held = held
        self._liked: dict[tuple[str, str], str] = {}
        self._chosen: dict[tuple[str, str], str] = {}
        for name in taken:
            if is_file_name(name):
                self._take(name)

    def expect(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Ask in one go for what `choose` will want to know of these URLs and formats."""
        for url, name in wanted:
            # What is no URL is refused where it is chosen for.
            with suppress(ValueError):
                self._liked[url, name] = file_name(url, name)
        self._ask(path for name in self._liked.values() for path in folded_paths(name))

    def choose(
        self,
        url: str,
        format: str,
        previous: str | None = None,
    ) -> str:
        """Return the name for a representation, the same each time it is asked for.

        ``previous``, the name that an earlier snapshot gave to this URL and format, is kept
        if it is safe. Otherwise the URL's own name, or with ``~`` and 8 hex of its
        SHA-256 where that one is taken. Raises ValueError for what is no URL.
        """
        if previous and is_file_name(previous):
            self._take(previous)
            self._chosen[url, format] = previous
            return previous
        name = self._chosen.get((url, format))
        if name is None:
            liked = self._liked.get((url, format)) or file_name(url, format)
            name = next(free for free in _candidates(liked, url) if self._is_free(free))
            self._take(name)
            self._chosen[url, format] = name
        return name

    def _take(self, name: str) -> None:
        file, *folders = folded_paths(name)
        self._paths[file] = False
        for folder in folders:
            self._paths[folder] = True

    def _is_free(self, name: str) -> bool:
        file, *folders = folded_paths(name)
        self._ask((file, *folders))
        return self._paths[file] is None and all(self._paths[each] is not False for each in folders)

    def _ask(self, paths: Iterable[str]) -> None:
        unknown = {path for path in paths if path not in self._paths}
        if unknown:
            found = self._held(unknown) if self._held else {}
            self._paths.update({path: found.get(path) for path in unknown})


@lru_cache(maxsize=2_048)  # several rooms ask for each name of a batch
def folded_paths(name: str) -> tuple[str, ...]:
    """Return a name as file systems may compare it, then each folder above it."""
    key = folded(name)
    return (key, *folders_above(key))


def is_file_name(name: str) -> bool:
    """Tell whether ``name`` is a safe one of a file in a host's folder."""
    return _is_file_name(name) if len(name) <= MAX_PATH else "/" in name and is_safe(name)


@lru_cache(maxsize=2_048)
def _is_file_name(name: str) -> bool:
    return "/" in name and is_safe(name)


def _candidates(name: str, url: str) -> Iterator[str]:
    """Give a URL's names, ``name`` first; there is always a next one, of a longer digest.

    Where a file stands in a folder's place, the loser's folder is renamed, so each name on
    the way is tried with the digest, the last one first.
    """
    yield name
    digest = sha256(url.encode()).hexdigest()
    parts = name.split("/")
    for length in range(HASH_DIGITS, MAX_MARK + 1, HASH_DIGITS):
        mark = "~" + digest[:length]
        for at in range(len(parts) - 1, 0, -1):
            yield "/".join((*parts[:at], _marked(parts[at], mark), *parts[at + 1 :]))
    # Only an archive made to vex gets here; under a folder of our own everything is free.
    for number in count(1):
        mark = f"~{digest[:HASH_DIGITS]}{number}"
        yield "/".join((parts[0], _marked(parts[1], mark), *parts[2:]))


def _marked(name: str, mark: str) -> str:
    """Put ``mark`` before a name's suffix: ``a.html`` to ``a~12ab34cd.html``."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}{mark}{dot}{suffix}" if stem else name + mark


@lru_cache(maxsize=1_024)  # hosts and folders come again and again
def _is_safe_part(part: str) -> bool:
    plain = part.replace("%", "")
    size = len(part.encode(errors="surrogatepass"))
    return 0 < size <= MAX_STORED_NAME and part.isprintable() and _escaped(plain) == plain


def folders_above(key: str) -> Iterator[str]:
    """Give the folders that a folded name stands in, the outermost first."""
    at = key.find("/")
    while at >= 0:
        yield key[:at]
        at = key.find("/", at + 1)


def folded(name: str) -> str:
    """Reduce a name to what a file system may compare: canonical caseless form (Unicode 3.13)."""
    if name.isascii():
        return name.lower()
    return normalize("NFC", normalize("NFD", name).casefold())


def _decoded(part: str) -> str:
    """Undo percent-encoding where it is UTF-8, in NFC; other bytes stay escaped."""
    text = unquote_to_bytes(part).decode(errors="surrogateescape")
    return normalize("NFC", text)


def _safe(name: str, url: str) -> str:
    """Make one name safe on every system and at most MAX_NAME bytes long."""
    escaped = _escaped(name) or "%2F"
    if len(escaped.encode()) <= MAX_NAME:
        return escaped
    stem, dot, suffix = escaped.rpartition(".")
    if not stem or len(suffix) > HASH_DIGITS or "%" in suffix:
        stem, dot, suffix = escaped, "", ""
    mark = "~" + sha256(url.encode()).hexdigest()[:HASH_DIGITS]
    room = MAX_NAME - len(mark) - len((dot + suffix).encode())
    return _cut(stem, room) + mark + dot + suffix


def _cut(name: str, room: int) -> str:
    """Keep at most ``room`` bytes of an escaped name, whole characters and escapes only."""
    short = name.encode()[:room].decode(errors="ignore")
    at = short.rfind("%", -2) if "%" in short[-2:] else -1
    return short[:at] if at >= 0 else short


def _escaped(name: str) -> str:
    """Escape what no name may hold: control, invisible and reserved characters, dots at ends.

    A leading dot is escaped as well: a mirrored ``.git`` must not become one; and a leading
    hyphen, which commands take for an option.
    """
    if _PLAIN.fullmatch(name) and not is_device(name):
        return name
    parts: list[str] = []
    for c in name:
        # An accent after an escape would join its last letter: the name would not be NFC.
        joins = combining(c) != 0 and (not parts or len(parts[-1]) > 1)
        unsafe = joins or c in _UNSAFE or not c.isprintable()
        parts.append(_hex(c) if unsafe else c)
    text = "".join(parts)
    if text.startswith((".", " ", "-")) or is_device(text):
        text = _hex(text[0]) + text[1:]
    if text.endswith((".", " ")):
        text = text[:-1] + _hex(text[-1])
    return text


def _hex(character: str) -> str:
    raw = character.encode(errors="surrogateescape")
    return "".join(f"%{byte:02X}" for byte in raw)


def _shortened(names: list[str], url: str) -> list[str]:
    """Drop folders from the middle of a path that is past MAX_PATH; a digest stands for them."""
    if sum(len(name.encode()) + 1 for name in names) <= MAX_PATH:
        return names
    room = MAX_PATH - len(names[0].encode()) - len(names[-1].encode()) - HASH_DIGITS - 4
    kept = [names[0]]
    for name in names[1:-1]:
        room -= len(name.encode()) + 1
        if room < 0:
            break
        kept.append(name)
    return [*kept, "~" + sha256(url.encode()).hexdigest()[:HASH_DIGITS], names[-1]]


def _quoted(text: str) -> str:
    if _UNQUOTED.fullmatch(text):
        return text
    # A URI's reader may drop dot segments (RFC 3986 section 5.2.4).
    if text in (".", ".."):
        return text.replace(".", "%2E")
    return quote(text, safe="+", errors="surrogatepass")
