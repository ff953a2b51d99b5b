"""What a client is told that gets no page: a short answer of ours, in the form its route speaks."""

from __future__ import annotations

import logging
from functools import cache
from http import HTTPStatus

from storage.web import templating
from storage.web.answer import Answer, json_answer
from storage.web.request import Refusal
from storage.web.route import Route

#: Characters of what a client asked, and of what went wrong, on stderr.
_MOST_LINE = 1_000
#: Seconds until the same is said again.
_AGAIN_SECONDS = 60.0
#: Things that went wrong of which it is remembered when they were said.
_MOST_SAID = 200


def refusal(route: Route | None, refused: Refusal) -> Answer:
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


class Complaints:
    """What went wrong inside, for stderr: the same once a while. State: what was said, and when."""

    def __init__(self) -> None:
        #: By what went wrong: when it was said, and how often it was not said since.
        self._said: dict[str, tuple[float, int]] = {}

    def line(self, asked: str, error: BaseException, now: float) -> str:
        """Return one line that no client can break, "" where the same was said lately.

        ``asked``: what a client asked for; ``now`` in seconds of any clock that goes forward.
        """
        what = _printable(f"{type(error).__name__}: {error}")
        said, silent = self._said.pop(what, (now - _AGAIN_SECONDS, 0))
        if now - said < _AGAIN_SECONDS:
            self._said[what] = said, silent + 1
            return ""
        self._said[what] = now, 0
        if len(self._said) > _MOST_SAID:
            del self._said[next(iter(self._said))]
        more = f" ({silent:,} times more since it was last said)" if silent else ""
        return f"slugline: {_printable(asked)}: {what}{more}"


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
