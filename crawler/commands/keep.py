"""reindex: what makes an archive's index again."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from crawler.commands.failures import guarded
from crawler.commands.options import DEFAULT_MIRROR, AsJson, MirrorDir
from crawler.commands.output import json_line


@guarded
def reindex(*, mirror: MirrorDir = DEFAULT_MIRROR, as_json: AsJson = False) -> None:
    """Make a mirror's index again from its segments, after it was lost or damaged.

    Examples:
      rm news/index.sqlite* && slugline reindex --mirror news
    """
    from storage.reindex import reindex as make_again

    report = make_again(mirror, datetime.now(UTC))
    if as_json:
        json_line(report)
        return
    for sentence in report.sentences():
        typer.echo(sentence)
