"""An article as another mirror lists it: its formats, with their hashes. Values only."""

from __future__ import annotations

from msgspec import Struct


class Resource(Struct, frozen=True, kw_only=True):
    """One ``url`` or ``sitemap`` of a document; empty is what it does not say.

    ``digest`` is SHA-256 in hex, ``via`` where its publisher has it, ``at`` when it changed, as
    written. ``slug``, ``updated_at`` and ``format`` are a slugline's own words.
    """

    url: str
    capability: str = ""
    change: str = ""
    at: str = ""
    digest: str = ""
    type: str = ""
    via: str = ""
    slug: str = ""
    updated_at: str = ""
    format: str = ""


class Listed(Struct, frozen=True, kw_only=True):
    """An article as another mirror lists it: its formats there, the one that stands for it first.

    ``gone``: it had these, and has none any more. A format without a ``digest`` is believed as it
    comes.
    """

    slug: str
    updated_at: str = ""
    formats: tuple[Resource, ...]
    gone: bool = False

    @property
    def url(self) -> str:
        """Where the article is on that mirror."""
        return self.formats[0].url
