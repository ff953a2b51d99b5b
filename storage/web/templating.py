"""The templates, compiled once: everything in them is escaped, unless it is markup of our own.

What a site wrote may hold control characters, which HTML does not allow: they are shown as U+FFFD.
Links lead to our own pages (paths.py), or to http and https URLs.
"""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from storage.index.rows import SnapshotRow
from storage.search.fulltext import MOST_RANKED
from storage.search.words import Snippet
from storage.times import format_utc
from storage.web import paths
from storage.web.answer import Answer
from storage.web.resourcesync import list_path
from storage.wording import count, size, told

#: C0 but tab, line feed and carriage return; DEL and C1; bidirectional controls, which would let a
#: title turn the words beside it around.
_CONTROLS = dict.fromkeys(
    [*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F),
     *range(0x2066, 0x206A)],
    "\ufffd",
)  # fmt: skip
_WEB = re.compile(r"https?://", re.IGNORECASE)


@cache
def environment() -> Environment:
    """Return the environment with every filter that a template may use."""
    found = Environment(
        loader=PackageLoader("storage.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
        auto_reload=False,
    )
    found.filters |= {
        "moment": moment,
        "marked": marked,
        "listed": ", ".join,
        "day": _day,
        "size": size,
        "count": count,
        "edition": edition,
        "exact": format_utc,
        "original": original,
        "key": paths.row_key,
        "told": told,
        "number": lambda value: f"{value:,}",
    }
    found.globals |= {
        "most_ranked": MOST_RANKED,
        "site_path": paths.site_path,
        "article_path": paths.article_path,
        "snapshot_path": paths.snapshot_path,
        "format_path": paths.format_path,
        "compare_path": paths.compare_path,
        "feed_path": paths.feed_path,
        "list_path": list_path,
        "timemap_path": paths.timemap_path,
        "timegate_path": paths.timegate_path,
        "memento_path": paths.memento_path,
    }
    return found


def page(
    template: str,
    *,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
    **values: object,
) -> Answer:
    """Return a template filled in, as a page of ours."""
    text = environment().get_template(template).render(**values)
    # A lone surrogate has no UTF-8 form.
    return Answer(body=text.encode("utf-8", "replace"), status=status, headers=headers)


def _clean(value: object) -> object:
    if value is None:
        return ""
    # what is printable has none of them, which is quicker to see
    return value.translate(_CONTROLS) if type(value) is str and not value.isprintable() else value


def moment(value: datetime | None) -> Markup:
    """Show a moment to the minute, in UTC, with the exact one for machines."""
    if value is None:
        return Markup("")
    exact = format_utc(value)
    shown = f"{exact[:10]} {exact[11:16]}"
    return Markup(f'<time datetime="{exact}" title="{exact}">{shown}</time>')  # noqa: S704  - digits


def marked(snippet: Snippet) -> Markup:
    """Show a piece of a text with what was looked for in it marked."""
    shown = "".join(
        f"<mark>{html.escape(text)}</mark>" if found else html.escape(text)
        for text, found in snippet
    )
    return Markup(_clean(shown))  # noqa: S704  - all of it is escaped


def edition(row: SnapshotRow) -> str:
    """Name a snapshot in few characters: its date to the minute, and its revision after the first.

    Two of one minute read the same: it is a name for people, and a link or an option has the key.
    """
    revision = f" r{row.revision}" if row.revision else ""
    return f"{row.updated_at.astimezone(UTC):%Y-%m-%d %H:%M}{revision}"


def _day(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%d}"


def original(url: str | None, words: str | None = None) -> Markup:
    """Show a URL of another server: as a link where a browser would ask a web server for it."""
    if not url:
        return Markup("")
    shown = escape((words or url).translate(_CONTROLS))
    if not _WEB.match(url):
        return shown
    target = escape(url.translate(_CONTROLS))
    away = 'class="away" rel="noreferrer noopener nofollow"'
    return Markup(f'<a {away} href="{target}">{shown}</a>')  # noqa: S704  - both are escaped
