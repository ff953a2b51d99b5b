"""A route: an address, the function that answers, and what a client may know of it beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from storage.web.answer import HTML, Answer
from storage.web.reading import ThreadArchive
from storage.web.request import Request

Answering: TypeAlias = Callable[[ThreadArchive, Request], Answer]


class Route(Struct, frozen=True, kw_only=True):
    """One address, with parts in braces; ``{url}`` at its end takes all that follows, a query too.

    ``query``: the parameters it reads; ``needs``: those of them, and header fields, without which
    it refuses; ``gives``: the media types of its answers, none: whatever was archived;
    ``redirects``: it may answer 302, ``statuses``: these too; ``errors``: in which form it refuses.
    ``heavy`` answers may take a second, and few are made at once.
    """

    path: str
    answer: Answering
    about: str
    query: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    gives: tuple[str, ...] = (HTML,)
    redirects: bool = False
    errors: Literal["page", "json", "text"] = "page"
    heavy: bool = False
    statuses: tuple[int, ...] = ()
