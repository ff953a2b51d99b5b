"""A small newsroom in four formats: what it publishes, and how it changes.

A value: every operation returns a new newsroom, and ``page`` answers for any path with the bytes a
server would send. No clock, no network, no files: the demo, the tests' server and the static sites
behind nginx are all made of this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote

from msgspec import Struct
from msgspec.structs import replace

from crawler.demo import pages, rendering
from crawler.demo.stories import SUFFIXES, placed, write_story
from storage.model import Record

#: An open edit without a date of its own comes so long after the last one: two hours and a bit, so
#: that the new date differs in every unit down to the microsecond.
LATER = timedelta(hours=2, minutes=7, seconds=3, microseconds=141_593)


class Page(Struct, frozen=True, kw_only=True):
    """What the newsroom answers for one path; ``location`` only with a redirect.

    ``canonical`` is the article's URL on the alternates that cannot say it themselves.
    """

    status: int = 200
    media_type: str = "text/html"
    body: bytes = b""
    modified_at: datetime | None = None
    location: str = ""
    canonical: str = ""


class Story(Struct, frozen=True, kw_only=True):
    """A story as it is now, its editions before (oldest first), and the status it answers."""

    record: Record
    earlier: tuple[Record, ...] = ()
    status: int = 200


@dataclass(frozen=True)
class Newsroom:
    """The stories by slug, in the order they were written, and where moved ones went."""

    base: str
    stories: Mapping[str, Story]
    moves: Mapping[str, str] = field(default_factory=dict)
    seed: int = 1
    sources: str = ""
    written: int = 0

    @classmethod
    def create(cls, base: str, count: int, *, seed: int = 1, sources: str = "") -> Newsroom:
        """Write ``count`` stories for a newsroom at the origin ``base`` (no trailing slash).

        ``sources``: the origin that every third story names as its canonical source.
        """
        records = (write_story(base, number, seed, sources) for number in range(count))
        stories = {record.slug: Story(record=record) for record in records}
        return cls(base, stories, seed=seed, sources=sources, written=count)

    @classmethod
    def of(cls, base: str, records: tuple[Record, ...]) -> Newsroom:
        """Publish ``records`` as they stand: their URLs must be ``base``/news/SLUG."""
        return cls(base, {record.slug: Story(record=record) for record in records})

    # reading

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The records of the stories that are there, in the order they were written."""
        return tuple(s.record for s in self.stories.values() if s.status == HTTPStatus.OK)

    def record(self, slug: str) -> Record:
        """Return the story called ``slug`` as it is now; raises KeyError."""
        return self.stories[slug].record

    def page(self, path: str) -> Page:
        """Answer ``path`` (as in the request: percent-encoded, no query) as a server would."""
        if path.startswith("/news/") and not path.endswith("/"):
            return self._article(unquote(path.removeprefix("/news/")))
        made = self._site.get(path)
        return made if made is not None else _not_found()

    def paths(self) -> Iterator[str]:
        """Every path that answers 200, articles first."""
        for record in self.records:
            for name in record.alternates:
                yield f"/news/{quote(record.slug, safe='')}{SUFFIXES[name]}"
        yield from self._site

    def _article(self, name: str) -> Page:
        for format_name, suffix in sorted(SUFFIXES.items(), key=lambda item: -len(item[1])):
            if not name.endswith(suffix):
                continue
            slug = name.removesuffix(suffix)
            if slug in self.moves:
                target = self.moves[slug]
                return Page(status=301, location=self.record(target).url + suffix)
            story = self.stories.get(slug)
            if story is not None:
                return self._representation(story, format_name)
        return _not_found()

    def _representation(self, story: Story, name: str) -> Page:
        record = story.record
        if story.status != HTTPStatus.OK:
            return _not_found(story.status)
        if name not in record.alternates:
            return _not_found()
        return Page(
            media_type=rendering.MEDIA_TYPES[name],
            body=rendering.render(record, name, self.base, self._beside(record.slug)),
            modified_at=record.updated_at,
            canonical=record.url if name != "html" else "",
        )

    def _beside(self, slug: str) -> tuple[Record, ...]:
        """Return the next stories after ``slug``, around the end: its page calls them related."""
        at, count = self._places[slug], len(self.records)
        steps = range(1, min(pages.RELATED, count - 1) + 1)
        return tuple(self.records[(at + step) % count] for step in steps)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {record.slug: place for place, record in enumerate(self.records)}

    @cached_property
    def _site(self) -> dict[str, Page]:
        """All that is no article, by path."""
        return {
            path: Page(media_type=made.media_type, body=made.text.encode(), modified_at=made.at)
            for path, made in pages.site_pages(self.base, self.records).items()
        }

    # editing

    def edit(self, slug: str, *, at: datetime | None = None, **words: Any) -> Newsroom:
        """Edit openly: ``words`` are new fields (without any, a correction), dated ``at``."""
        record = self.record(slug)
        dated = {"updated_at": at or _date(record) + LATER}
        return self._published(slug, replace(record, **(words or _corrected(record)), **dated))

    def edit_silently(self, slug: str, **words: Any) -> Newsroom:
        """Edit and keep the date: what a reader cannot see."""
        record = self.record(slug)
        return self._published(slug, replace(record, **(words or _corrected(record))))

    def touch(self, slug: str, *, at: datetime | None = None) -> Newsroom:
        """Give the story a new date and change no word."""
        record = self.record(slug)
        return self._published(slug, replace(record, updated_at=at or _date(record) + LATER))

    def revert(self, slug: str, *, at: datetime | None = None) -> Newsroom:
        """Bring the previous edition's words back, dated ``at``, or silently without it.

        Raises ValueError where there is no previous edition.
        """
        story = self.stories[slug]
        if not story.earlier:
            raise ValueError(f"{slug} has no earlier edition")
        dated = at or story.record.updated_at
        return self._published(slug, replace(story.earlier[-1], updated_at=dated))

    def delete(self, slug: str, *, status: int = 404) -> Newsroom:
        """Take the story down: its paths answer ``status`` and no page names it."""
        return self._with(slug, Story(record=self.record(slug), status=status))

    def restore(self, slug: str) -> Newsroom:
        """Put a deleted story back."""
        return self._with(slug, replace(self.stories[slug], status=HTTPStatus.OK))

    def move(self, slug: str, to: str) -> Newsroom:
        """Rename the story to the slug ``to``: the old URLs redirect there for good (301)."""
        story = self.stories[slug]
        record = placed(replace(story.record, slug=to), self.base)
        stories = {
            (to if name == slug else name): (
                replace(story, record=record) if name == slug else kept
            )
            for name, kept in self.stories.items()
        }
        moves = {old: to if target == slug else target for old, target in self.moves.items()}
        return replaced(self, stories=stories, moves=moves | {slug: to})

    def add(self, record: Record | None = None) -> Newsroom:
        """Publish ``record``, or the next story of this newsroom's own."""
        if record is None:
            record = write_story(self.base, self.written, self.seed, self.sources)
        more = replaced(self, written=self.written + 1)
        return more._with(record.slug, Story(record=record))  # noqa: SLF001  - the same class

    def drop_format(self, slug: str, name: str) -> Newsroom:
        """Publish the story without the format ``name``: neither served nor named."""
        record = self.record(slug)
        kept = {other: url for other, url in record.alternates.items() if other != name}
        return self._with(
            slug, replace(self.stories[slug], record=replace(record, alternates=kept))
        )

    def restore_format(self, slug: str, name: str) -> Newsroom:
        """Publish the story in the format ``name`` again."""
        story = self.stories[slug]
        names = [known for known in SUFFIXES if known == name or known in story.record.alternates]
        record = placed(replace(story.record, alternates=dict.fromkeys(names, "")), self.base)
        return self._with(slug, replace(story, record=record))

    def _published(self, slug: str, record: Record) -> Newsroom:
        story = self.stories[slug]
        edition = replace(story, record=record, earlier=(*story.earlier, story.record))
        return self._with(slug, edition)

    def _with(self, slug: str, story: Story) -> Newsroom:
        return replaced(self, stories={**self.stories, slug: story})


def _not_found(status: int = 404) -> Page:
    return Page(status=status, body=b"<!doctype html><title>Not here</title><p>Not here.</p>\n")


def _date(record: Record) -> datetime:
    if record.updated_at is None:
        raise ValueError(f"{record.slug} has no updated_at to count from: give a date")
    return record.updated_at


def _corrected(record: Record) -> dict[str, Any]:
    """Correct a figure, in a paragraph more: what an edit without words of its own does."""
    body = record.body_md or ""
    number = body.count("**Correction") + 1
    note = f"**Correction {number}**: an earlier version of this story gave a wrong figure."
    return {"body_md": f"{note}\n\n{body}"}
