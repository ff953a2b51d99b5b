"""A config.toml for one site, written from a look at it, with the reason beside each line. Pure.

What a setting means, and all the others, stand in the project's own config.toml. Words of a site
go into comments only as one clean line, into values only as TOML strings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from pydantic import ValidationError

from crawler.config.settings import Defaults, SiteTable
from crawler.looks import ArticleLook, Look
from crawler.progress.wording import clean, count
from crawler.urls import origin, site_name

#: What a site is read by where nothing says otherwise.
_DEFAULTS = Defaults()


def starter(look: Look) -> str:
    """Return the text of a config.toml for the site at ``look``."""
    return "\n".join(_lines(look)) + "\n"


def _lines(look: Look) -> Iterator[str]:
    scope = look.final_url
    yield f"# Settings for {clean(scope)}, written by `slugline init` from a look at it."
    yield "# `slugline sync --config FILE` goes by them; with --check it says what it would do."
    yield "# A line that begins with # is off: it shows the default, or what you may want instead."
    yield ""
    yield "[[site]]"
    yield f"url = {_text(scope)} # the scope: everything under it"
    if look.what == "article":
        yield f"# It is one article. All of its host: url = {_text(f'{origin(scope)}/')}"
    if (label := _label(scope)) is not None:
        yield f"# name = {_text(label)} # its folder and label"
    yield ""
    yield from _found(look)
    yield ""
    yield from _pace(look)
    yield ""
    yield from _formats(look.article)
    yield ""
    yield "# Only URLs that match one of these, and none of those; `*` stands for anything."
    yield "# include = []"
    yield "# exclude = []"
    yield ""
    yield "# Every article is read again within so many days, whatever its date says: it is the"
    yield "# longest that an edit nobody announced stays unseen."
    yield f"# verify_within = {_DEFAULTS.verify_within} # days"
    yield ""
    yield "# An article that answers 404 twice, so long apart, is gone; nothing kept is removed."
    yield f"# gone_after = {_DEFAULTS.gone_after:g} # hours"
    yield ""
    yield "# When it is due, as crontab writes it: checked here; cron or a timer starts the runs."
    yield '# schedule = "*/15 * * * *" # cron line'
    yield from _original(look.article)


def _found(look: Look) -> Iterator[str]:
    if not look.sources:
        yield "# No list of articles was found: they are looked for by links alone."
    for each in look.sources:
        dated = f", {each.dated:,} with a date" if each.kind == "sitemap" else ""
        entries = count(each.entries, "entry", "entries")
        yield f"# Found: the {each.kind} {clean(each.url)} ({entries}{dated})."
    sitemaps = [each for each in look.sources if each.kind == "sitemap"]
    if sitemaps and all(each.dated == each.entries for each in sitemaps):
        yield "# Every article has a date there: where the articles state the same one themselves,"
        yield "# what has not changed costs no request."
    elif not _has_validators(look.article):
        yield "# Neither dates nor ETags: each run asks for every article once."
    else:
        yield "# Its pages have ETags or dates: what has not changed comes without a body."
    yield "# Where articles are looked for; without links, what no list names is not found."
    yield f"# discovery = {json.dumps(list(_DEFAULTS.discovery))} # names"


def _pace(look: Look) -> Iterator[str]:
    delay = look.robots.crawl_delay
    if delay:
        rate = min(_DEFAULTS.rate, math.floor(1000 / delay) / 1000) or 0.001
        yield f"# Its robots.txt asks for {delay:g} seconds between requests."
        yield f"rate = {rate:g} # requests/s"
        return
    yield "# Most requests a second; what robots.txt and Retry-After ask for is obeyed in any case."
    yield f"# rate = {_DEFAULTS.rate:g} # requests/s"


def _formats(article: ArticleLook | None) -> Iterator[str]:
    if article is None:
        yield "# No article was seen on the first look. Empty keeps every format that is declared."
        yield "# formats = []"
        return
    had = [clean(each.format) for each in article.formats if not each.why]
    yield f"# Seen of {clean(article.url)}: {', '.join(had) or 'nothing'}."
    for each in article.formats:
        if each.why:
            yield f"# Declared, but not to be had: {clean(each.format)} ({clean(each.why)})."
    for saying in article.disagreements:
        yield f"# Its formats disagree on {saying.field}: see `slugline inspect`."
    yield "# Empty keeps every format that is declared: what was not kept can't be had again."
    yield f"# formats = {json.dumps(had)}"


def _original(article: ArticleLook | None) -> Iterator[str]:
    if article is None or article.canonical_source is None:
        return
    yield ""
    yield f"# Its articles name originals on other hosts: {clean(article.canonical_source)}."
    yield "# They are captured too, each at most every 30 days; false leaves them out."
    yield "# follow_canonical = true"


def _has_validators(article: ArticleLook | None) -> bool:
    return article is not None and any(each.etag or each.last_modified for each in article.formats)


def _label(scope: str) -> str | None:
    """Return the name that a site gets by itself, if it may also be written down as one."""
    try:
        return SiteTable(url=scope, name=site_name(scope)).name
    except ValidationError:
        return None


def _text(value: str) -> str:
    """Write a TOML basic string: JSON's escapes are its own."""
    return json.dumps(value).replace("\x7f", "\\u007f")
