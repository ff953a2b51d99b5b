"""A URL as web archives sort it: the host turned round, what means nothing folded away. Pure.

The Sort-friendly URI Reordering Transform, as the indexes of the tools in use have it (no standard
says it whole; the tests compare with the surt package): no scheme, no leading "www.", lower case,
one form of percent-encoding, no double and no last slash, query parameters in order.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes, urlsplit

_WWW = re.compile(r"^www\d*\.")
_SLASHES = re.compile(r"//+")
_PORTS = {"http": 80, "https": 443}
#: What stands for itself: everything visible but what would change its meaning.
_PLAIN = "!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
#: Layers of percent-encoding taken off: deeper ones are no publisher's.
_LAYERS = 8


def surt(url: str) -> str:
    """Return the key of a normalised http or https URL; any other text is its own key."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    if parts.scheme not in _PORTS or not parts.hostname:
        return url
    host = parts.hostname
    if ":" not in host:
        host = ",".join(reversed(_WWW.sub("", host).split(".")))
    where = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    path = _SLASHES.sub("/", _one_form(parts.path)).rstrip("/") or "/"
    pairs = sorted(_one_form(parts.query).split("&"), key=lambda pair: pair.partition("="))
    query = "&".join(pairs)
    return f"{host}{where}){path}?{query}" if query else f"{host}{where}){path}"


def _one_form(text: str) -> str:
    """Take off every layer of percent-encoding, and put one on; lower case."""
    plain = text.encode("utf-8", "surrogateescape")
    for _ in range(_LAYERS):
        bare = unquote_to_bytes(plain)
        if bare == plain:
            break
        plain = bare
    return quote(plain, safe=_PLAIN).lower()
