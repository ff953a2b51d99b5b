"""The newsroom's writers: made-up stories, the same for the same number and seed.

Each story is a value in the seed's shape. Everything random comes from one generator seeded by
(seed, number), so that article 1,200 can be written without the 1,199 before it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from storage.model import Record

#: When the first story was published: long past on any clock, so that every key is plausible.
FIRST = datetime(2025, 3, 3, 6, 12, 40, tzinfo=UTC)
#: Between two stories: a desk of a dozen people; 2,000 stories fill seven weeks.
PACE = timedelta(minutes=37)
#: The longest a story is worked on after it is published, in microseconds: ten hours.
LONGEST_EDIT = 36_000_000_000
#: A slug's length in characters, cut at a word: a command with one in it fits a terminal's line.
SLUG_LENGTH = 44
SUFFIXES = {"html": "", "markdown": ".md", "text": ".txt", "jsonld": ".jsonld"}

DESKS = {
    "harbour": "the port",
    "transport": "the tram network",
    "energy": "the heat grid",
    "schools": "the school board",
    "culture": "the museum quarter",
    "health": "the district hospital",
    "housing": "the housing office",
    "science": "the institute",
}
_PLACES = (
    "Aldmouth", "Brennau", "Castrelo", "Dünhafen", "Elmsby", "Fjordvik",
    "Gravelin", "Hollowford", "Île-Saint-Maur", "Jarrowmere", "Kestrel Bay", "Lindqvist",
)  # fmt: skip
_PEOPLE = (
    "Amara Osei", "Benoît Lacroix", "Chiara Fontana", "Dag Åkesson", "Elif Demir",
    "Fionnuala Burke", "Grzegorz Zieliński", "Hana Kovářová", "Ines Duarte", "Jonas Weiß",
)  # fmt: skip
_BODIES = (
    "Harbour & Quays Authority", "Northline Trams", "Cooperative Heat Union", "Audit Chamber",
    "Friends of the Old Town", "Tidewater Institute", "Meridian R&D", "Citizens' Assembly",
)  # fmt: skip
_ACTS = (
    ("opens", "a second site for {thing}"),
    ("delays", "its plan for {thing}"),
    ("votes to rebuild", "{thing} from the ground up"),
    ("publishes", "the full accounts of {thing}"),
    ("hands over", "the keys to {thing}"),
    ("counts", "the cost of {thing}"),
    ("asks residents", "what {thing} should become"),
    ("tests", "a quieter way to run {thing}"),
)
_TURNS = (
    "after a winter of repairs",
    "as prices settle",
    "and promises “no surprises”",
    "while the council looks on",
    "before the summer timetable",
    "in spite of a narrow vote",
    "at half the price it feared",
    "with help from across the border",
)
_SENTENCES = (
    "{who} said the work had taken {n} months longer than the first plan allowed.",
    "The council had set aside {n} million for it, and spent *less than half* of that.",
    "Nobody at {body} would say when the next step is due.",
    "Residents of {place} have asked for the same since {year}, most of them in writing.",
    "“We counted twice,” {who} told the meeting, “and the sum was the same.”",
    "A [report by {body}](https://example.org/reports/{n}) names {n} places where it could fail.",
    "It is **not a pilot**: {thing} will be in use every day from then on.",
    "Of {n} people asked in {place}, two in three were in favour & the rest undecided.",
    "The figures are public, in a table called `{desk}-{year}`, for anyone to check.",
    "Temperatures below -5 °C had stopped the first attempt; the second took <48 hours.",
    "{who} called it “a quiet success”, which is more than {body} had hoped for.",
    "In {place}, where a like scheme began in {year}, the number fell by {n} per cent.",
    "Until then, the old building stays open on weekdays, and its café on Sundays too.",
    "The [minutes of the meeting](https://example.org/minutes/{year}/{n}?page=2) run to {n} pages.",
    "What it means for rents is disputed: {body} expects no change, tenants expect some.",
    "Two members left the room before the vote; neither gave a reason.",
)
_HEADINGS = ("What was decided", "What it costs", "How it came about", "What comes next")
_POINTS = (
    "work begins in the week after Easter",
    "the first {n} metres are done by hand",
    "{body} reports every quarter",
    "{who} answers questions on the site, Tuesdays at 10:30",
    "nothing changes for those who live in {place}",
)


class _Pen(Struct, frozen=True):
    """One story's choices: its random numbers, fixed words, people and bodies.

    ``unused`` alone changes: sentences, in the order in which they come.
    """

    rng: Random
    words: dict[str, str]
    people: list[str]
    bodies: list[str]
    unused: list[str]

    def fill(self, sentence: str) -> str:
        return sentence.format(
            who=self.rng.choice(self.people),
            body=self.rng.choice(self.bodies),
            n=self.rng.randint(3, 97),
            year=self.rng.randint(1987, 2024),
            **self.words,
        )

    def paragraph(self) -> str:
        """Three to five sentences that the story does not have yet, as long as there are any."""
        count = self.rng.randint(3, 5)
        if len(self.unused) < count:
            self.unused.extend(self.rng.sample(_SENTENCES, len(_SENTENCES)))
        chosen = [self.unused.pop(0) for _ in range(count)]
        return " ".join(self.fill(sentence) for sentence in chosen)

    def section(self, heading: str) -> list[str]:
        parts = [f"### {heading}", *(self.paragraph() for _ in range(self.rng.randint(1, 3)))]
        extra = self.rng.choice(("none", "list", "quote"))
        if extra == "list":
            points = self.rng.sample(_POINTS, 3)
            parts.append("\n".join("- " + self.fill(point) for point in points))
        if extra == "quote":
            parts.append("> " + self.fill("{who}: it is done when it is done."))
        return parts

    def body(self) -> str:
        parts = ["#### In short", self.paragraph()]
        for heading in _HEADINGS[: self.rng.randint(2, len(_HEADINGS))]:
            parts += self.section(heading)
        return "\n\n".join(parts)


def write_story(base: str, number: int, seed: int = 1, sources: str = "") -> Record:
    """Write story ``number`` (from 0) for the newsroom at ``base``.

    ``sources`` is the origin of another publisher: every third story then names one there as its
    canonical source.
    """
    rng = Random(f"{seed}:{number}")  # noqa: S311  - made-up news needs no secrecy
    desk = rng.choice(tuple(DESKS))
    place, thing, (verb, rest) = rng.choice(_PLACES), DESKS[desk], rng.choice(_ACTS)
    title = f"{place} {verb} {rest.format(thing=thing)} {rng.choice(_TURNS)}"
    words = {"place": place, "thing": thing, "desk": desk}
    pen = _Pen(rng, words, rng.sample(_PEOPLE, 2), rng.sample(_BODIES, 2), [])
    body = pen.body()
    published = FIRST + number * PACE + timedelta(seconds=rng.randrange(1200))
    slug = slug_of(title, number)
    others = [name for name in DESKS if name != desk]
    record = Record(
        slug=slug,
        title=title,
        summary=f"{place}: {pen.fill(rng.choice(_SENTENCES))}",
        body_md=body,
        url="",
        canonical_source=f"{sources}/stories/{slug}" if sources and number % 3 == 1 else None,
        published_at=published,
        updated_at=published + timedelta(microseconds=rng.randrange(1, LONGEST_EDIT)),
        lang="en-GB" if number % 4 == 3 else "en",  # noqa: PLR2004  - the fourth of four
        topics=(desk, *rng.sample(others, rng.randrange(3))),
        entities=tuple(name for name in (place, *pen.people, *pen.bodies) if name in body),
        alternates=dict.fromkeys(SUFFIXES, ""),
    )
    return placed(record, base)


def slug_of(title: str, number: int) -> str:
    """Make the title ASCII words joined by hyphens, ended by the story's number."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))
    if len(words) > SLUG_LENGTH:
        words = words[:SLUG_LENGTH].rpartition("-")[0]
    return f"{words}-{number + 1}"


def placed(record: Record, base: str) -> Record:
    """Return ``record`` with its URL and alternates as they are on the newsroom at ``base``."""
    url = f"{base}/news/{quote(record.slug, safe='')}"
    alternates = {name: url + SUFFIXES[name] for name in record.alternates}
    return replace(record, url=url, alternates=alternates)


def author_of(record: Record) -> str:
    """Name who signs the story, whatever it is called: told by the pages, not by the record."""
    return Random(str(record.published_at)).choice(_PEOPLE)  # noqa: S311  - made-up news needs no secrecy
