"""The one style sheet, from the package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from storage.web.answer import Answer
from storage.web.reading import ThreadArchive
from storage.web.request import Request

CSS = "text/css; charset=utf-8"


@cache
def _sheet() -> bytes:
    return files("storage.web").joinpath("static/style.css").read_bytes()


def css(_reading: ThreadArchive, _request: Request) -> Answer:
    """Return the style sheet."""
    return Answer(
        body=_sheet(),
        content_type=CSS,
        headers=(("Cache-Control", "public, max-age=3600"),),
    )
