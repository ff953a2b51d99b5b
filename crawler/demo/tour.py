"""What ``slugline demo`` shows: mirror, two edits, mirror again, the history, the differences.

Everything it says comes out of the mirror that it made, by the same doors that the commands use.
"""

from __future__ import annotations

import asyncio
import io
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from crawler.conductor import mirror
from crawler.config.settings import Settings
from crawler.demo.newsroom import Newsroom
from crawler.demo.rendering import NAME
from crawler.demo.server import NewsroomServer
from crawler.events import Summary
from crawler.progress.drawing import RichProgress
from crawler.progress.reporters import Quiet, Reporter
from crawler.progress.wording import clean, count, duration
from crawler.request import MirrorRequest
from storage.archive import Archive, Body, SnapshotRow
from storage.diff import Side, compare, side_name
from storage.errors import os_errors
from storage.times import format_utc

#: Stories: enough for two listing pages, few enough to be read in a second.
STORIES = 12
#: Connections to our own server: as many as a browser opens.
CONNECTIONS = 6
#: Which stories are edited, by their place.
OPENLY, SILENTLY = 3, 7
#: Kinds of diff lines and their colours.
_COLOURS = {"+": "green", "-": "red", "@": "cyan", "\\": "dim"}


async def show_around(into: Path | None, console: Console) -> int:
    """Give the tour on ``console``, with the mirror in ``into``; return the exit code."""
    if into is not None and await asyncio.to_thread(_occupied, into):
        console.print(Text(f"{into} is not empty: name a folder that is new or empty"))
        return 2
    made = into is None or not await asyncio.to_thread(into.exists)
    root = into or Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="slugline-demo-"))
    try:
        failed, edited = await _mirrored(root, console)
    except asyncio.CancelledError:
        # Half a tour is nothing to look at, and would be in the next one's way.
        await asyncio.to_thread(_clear, root, whole=made)
        raise
    await asyncio.to_thread(_tell, root, *edited, console)
    return 1 if failed else 0


async def _mirrored(root: Path, console: Console) -> tuple[bool, tuple[str, str]]:
    """Mirror the newsroom, twice; return whether anything failed, and the URLs edited."""
    async with NewsroomServer(lambda base: Newsroom.create(base, STORIES)) as server:
        _say(
            console,
            f"{NAME} opens at {server.base}: {STORIES} stories, each as HTML, Markdown, plain "
            "text and JSON-LD. Only this machine can see it.",
        )
        first = await _mirror(server.base, root, console)
        edited = _edit(server)
        _say(
            console,
            "Now the newsroom edits two stories: one openly, with a new date; in the other it "
            "changes the headline and keeps the date, so that nobody notices.",
        )
        second = await _mirror(server.base, root, console)
    return bool(first.failed or second.failed or first.partial or second.partial), edited


def _clear(folder: Path, *, whole: bool) -> None:
    """Remove what is in a folder of ours, and with ``whole`` the folder. Raises ArchiveError."""
    if not folder.exists():
        return
    with os_errors(f"removing {folder}"):
        for each in list(folder.iterdir()):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        if whole:
            folder.rmdir()


def _occupied(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _edit(server: NewsroomServer) -> tuple[str, str]:
    """Edit one story openly and one silently; return their URLs."""
    open_one, silent_one = (server.newsroom.records[place] for place in (OPENLY, SILENTLY))
    server.newsroom = server.newsroom.edit(open_one.slug).edit_silently(
        silent_one.slug, title=f"Critics doubt it as {silent_one.title}"
    )
    return open_one.url, silent_one.url


async def _mirror(base: str, root: Path, console: Console) -> Summary:
    url = f"{base}/"
    _type(console, f"slugline mirror {url} --into {shlex.quote(str(root))} --rate 0")
    settings = Settings(rate=0, concurrency=CONNECTIONS)
    request = MirrorRequest(urls=(url,), into=root, settings=settings)
    unsaid = io.StringIO()  # the newsroom's own tricks are no trouble of the reader's
    reporter: Reporter = RichProgress() if sys.stderr.isatty() else Quiet(unsaid)
    try:
        summary = await mirror(request, reporter, asyncio.Event())
    finally:
        reporter.close()
    if summary.failed or summary.partial:
        sys.stderr.write(unsaid.getvalue())
    kept = f"{count(summary.snapshots, 'new snapshot')}, {summary.unchanged} unchanged"
    asked = f"{count(summary.requests, 'request')} in {duration(summary.seconds)}"
    console.print(Text(f"  {kept}, with {asked}\n", style="bold"))
    return summary


def _tell(root: Path, openly: str, silently: str, console: Console) -> None:
    with Archive.open(root) as archive:
        _say(console, "Two snapshots of the story that was edited openly:")
        open_slug = _story(archive, openly, console)
        _say(console, "And of the other: the date stands still, the revision counts.")
        silent_slug = _story(archive, silently, console)
    where = f"--mirror {shlex.quote(str(root))}"
    _say(console, "The newsroom is closed, the mirror is yours. Type next:")
    for command in (
        f"slugline list {where}",
        f"slugline log {silent_slug} {where}",
        f"slugline show {silent_slug} --format markdown {where}",
        f"slugline diff {open_slug} {where}",
        f"slugline export jsonl - {where}",
    ):
        _type(console, command)
    console.print(Text(f"\nPlain files of every format: {root / 'files'}"), soft_wrap=True)


def _story(archive: Archive, url: str, console: Console) -> str:
    """Show the history and the last difference of the story at ``url``; return its slug."""
    site, slug = archive.find(url)
    rows = archive.history(site, slug)
    _type(console, f"slugline log {slug}")
    for line in _history(rows):
        _show(console, line)
    if len(rows) > 1:
        _type(console, f"slugline diff {slug}")
        for line in _difference(archive, rows[-2], rows[-1]):
            _show(console, clean(line), _COLOURS.get(line[:1], ""))
    console.print()
    return slug


def _history(rows: list[SnapshotRow]) -> list[str]:
    """Write a line a snapshot, in the columns of ``slugline log``."""
    lines = [f"{'UPDATED':30}  {'WHY':11}  {'OBSERVED':20}  FORMATS"]
    for row in rows:
        key = f"{format_utc(row.updated_at)}.r{row.revision}"
        observed = format_utc(row.observed_at.replace(microsecond=0))
        lines.append(f"{key:30}  {row.reason:11}  {observed}  {' '.join(row.formats)}")
    return lines


def _difference(archive: Archive, old: SnapshotRow, new: SnapshotRow) -> tuple[str, ...]:
    """Compare the Markdown of two snapshots, changed lines only."""
    sides = []
    for row in (old, new):
        manifest = archive.manifest(row, text=False)
        body: Body = archive.body(manifest, "markdown")
        name = side_name(manifest, "markdown")
        sides.append(Side(name=name, body=body.decoded, content_type="text/markdown"))
    return compare(sides[0], sides[1], context=0).lines


def _say(console: Console, sentence: str) -> None:
    console.print(Text(sentence))


def _show(console: Console, line: str, style: str = "") -> None:
    """Show one line of a result, cut where the terminal ends."""
    console.print(Text(f"  {line}", style=style), no_wrap=True, overflow="ellipsis")


def _type(console: Console, command: str) -> None:
    """Show a command as typed; never wrapped, so that it can be copied."""
    console.print(Text(f"  $ {command}", style="cyan"), soft_wrap=True)
