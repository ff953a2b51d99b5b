"""What a client is told that gets no page: a short answer of ours, in the form its route speaks."""

from __future__ import annotations

import logging
import sys
from functools import cache
from http import HTTPStatus

from aiohttp import web

from storage.web import templating
from storage.web.answer import Answer, json_answer
from storage.web.request import Refused
from storage.web.routes import Route

#: Characters of a line on stderr.
_MOST_LINE = 1_000


def refusal(route: Route | None, refused: Refused) -> Answer:
    """Return the answer for a refused request; ``route`` None: no route was found."""
    form = route.errors if route else "page"
    headers: tuple[tuple[str, str], ...] = ()
    if refused.retry:
        headers = (("Retry-After", str(refused.retry)),)
    if refused.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = (("Allow", "GET, HEAD"),)
    if form == "json":
        return json_answer({"error": str(refused)}, refused.status, headers)
    if form == "text":
        return Answer(
            body=f"{refused}\n".encode("utf-8", "replace"),
            content_type="text/plain; charset=utf-8",
            status=refused.status,
            headers=headers,
        )
    return templating.page(
        "error.html",
        status=refused.status,
        headers=headers,
        phrase=HTTPStatus(refused.status).phrase,
        sentence=str(refused),
    )


def complain(request: web.BaseRequest, error: BaseException) -> None:
    """Say on stderr what went wrong inside, in one line that no client can break."""
    what = f"{request.method} {request.path}: {type(error).__name__}: {error}"
    sys.stderr.write(f"slugline: {_printable(what)}\n")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:_MOST_LINE])


class _OneLine(logging.Formatter):
    """What aiohttp itself has to say, in one line and without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        what = f"{record.getMessage()}{f': {error!r}' if error else ''}"
        return f"slugline: {_printable(what)}"


@cache
def complaints() -> logging.Logger:
    """Return the logger for aiohttp's own errors: stderr, a line each."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logger = logging.Logger("slugline.serve", logging.WARNING)  # noqa: LOG001  - no one else's
    logger.addHandler(handler)
    return logger
