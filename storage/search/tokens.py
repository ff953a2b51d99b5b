"""Words for PostgreSQL's text search, both ways, and snippets: what FTS5 does for SQLite. Pure.

PostgreSQL's own parser knows hosts, paths and numbers, and keeps accents: so it is given words that
were cut and folded here as SQLite's ``unicode61 remove_diacritics 2`` does it, and both find alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from unicodedata import normalize

from storage.search.words import MARK, MARK_END, Item, items

_WORD = re.compile(r"[^\W_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
#: Bytes of a word: PostgreSQL leaves out one of 2,048 and more.
_MOST_WORD = 1_000
#: Characters of a snippet that are looked through for its words: some books' first chapters.
_MOST_LOOKED = 400_000


def tokens(text: str, most: int) -> str:
    """Return the folded words of a text, ``most`` bytes of them, with spaces between."""
    found: list[str] = []
    size = 0
    for word in _folded_words(text):
        size += len(word.encode()) + 1
        if size > most:
            break
        found.append(word)
    return " ".join(found)


def _folded_words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text):
        # A letter may unfold into several characters, and lose marks that are none.
        yield from _WORD.findall(fold(word)[:_MOST_WORD])


@lru_cache(maxsize=8_192)
def fold(word: str) -> str:
    """Return a word without its case and its accents."""
    if word.isascii():
        return word.lower()
    return normalize("NFC", _ACCENTS.sub("", normalize("NFD", word))).casefold()


def tsquery(words: str, *, titles: bool = False) -> str:
    """Return the tsquery for what a person typed; "" where that holds no word to look for.

    ``titles``: only words of weight A are looked at.
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for item in items(words):
        said = _phrase(item, "A" if titles and not item.out else "")
        if said:
            (unwanted if item.out else wanted).append(said)
    if not wanted:
        return ""
    without = [f"!({' | '.join(unwanted)})"] if unwanted else []
    return " & ".join(wanted + without)


def _phrase(item: Item, weight: str) -> str:
    found = list(_folded_words(item.text))
    if not found:
        return ""
    labels = [weight] * len(found)
    if item.begins:
        labels[-1] = f"*{weight}"
    # Letters and digits alone: nothing of tsquery's syntax can be among them.
    both = zip(found, labels, strict=True)
    return f"({' <-> '.join(f'{word}:{label}' if label else word for word, label in both)})"


def marked(text: str, words: str, most: int) -> str:
    """Return the piece of a text of ``most`` words that has most of what was asked for, marked."""
    text = text[:_MOST_LOOKED]
    spans = [(found.start(), found.end()) for found in _WORD.finditer(text)]
    hits = _hits([fold(text[start:end]) for start, end in spans], words)
    first = _best(hits, len(spans), most)
    last = min(first + most, len(spans))
    if not spans:
        return text
    begin = 0 if first == 0 else spans[first][0]
    end = len(text) if last == len(spans) else spans[last - 1][1]
    out = ["…" if begin else ""]
    at = begin
    for number in range(first, last):
        start, stop = spans[number]
        out.append(text[at:start])
        out.append(f"{MARK}{text[start:stop]}{MARK_END}" if number in hits else text[start:stop])
        at = stop
    out += [text[at:end], "…" if end < len(text) else ""]
    return "".join(out)


def _hits(folded: Sequence[str], words: str) -> set[int]:
    """Return which words of a text are what was asked for: phrases as a whole."""
    found: set[int] = set()
    for item in items(words):
        phrase = list(_folded_words(item.text))
        if item.out or not phrase:
            continue
        for at in range(len(folded) - len(phrase) + 1):
            if _is_phrase(folded[at : at + len(phrase)], phrase, begins=item.begins):
                found.update(range(at, at + len(phrase)))
    return found


def _is_phrase(folded: Sequence[str], phrase: Sequence[str], *, begins: bool) -> bool:
    *others, last = phrase
    if list(folded[:-1]) != others:
        return False
    return folded[-1].startswith(last) if begins else folded[-1] == last


def _best(hits: Iterable[int], count: int, most: int) -> int:
    """Return the word with which the piece begins that has the most hits: the first of such."""
    ordered = sorted(hits)
    best, first = 0, 0
    for place, hit in enumerate(ordered):
        inside = sum(1 for other in ordered[place : place + most] if other < hit + most)
        if inside > best:
            best, first = inside, hit
    # Some words before the first hit, where there are any.
    return max(0, min(first - most // 6, count - most))
