"""Words for the full-text index, both ways: an article's on their way in, a person's as a question.

Pure. SQLite's tokenizer cuts words at everything that is no letter and no number, folds case and
takes accents off (``unicode61 remove_diacritics 2``). Chinese, Japanese and Korean put no spaces
between words: there each character is kept as a word, and words are found as phrases. Whatever a
person types is a question that FTS5 can read, never its syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2s
from typing import TypeAlias
from unicodedata import normalize

from msgspec import Struct

#: Characters of a question that are looked at: a paragraph, pasted.
MOST_CHARACTERS = 1_000
#: Words and phrases of a question: a sentence. What comes after them is not looked for.
MOST_ITEMS = 16
#: Characters of one text that are indexed: some books.
MOST_TEXT = 4_000_000

#: Characters of a topic, an entity or a language that count: a longer one is none.
_MOST_VALUE = 200

#: The columns that words are looked for in, as FTS5 writes them.
WORD_COLUMNS = "title summary names body links"

#: What a snippet's marks are: no text that is indexed holds them.
MARK, MARK_END = "\x02", "\x03"
#: Between the characters of a text without spaces: it separates words and is never shown.
_BETWEEN = "\x1f"

#: Pieces of a text in order, each with whether it is what was looked for.
Snippet: TypeAlias = tuple[tuple[str, bool], ...]

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSPACED = re.compile(
    "(?<=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff])(?=\\w)|"
    "(?<=\\w)(?=[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff])"
)
_HAS_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_QUOTES = str.maketrans(dict.fromkeys("\u201c\u201d\u201e\u201f\uff02", '"'))
_ITEM = re.compile(r'(?P<out>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?(?P<star>\*?)|(?P<word>[^\s"]+))')
_LETTER = re.compile(r"[^\W_]")
#: A beginning of fewer letters is most of the dictionary: it is looked for as the word it is.
_LONG_BEGINNING = re.compile(r"[^\W_]{2}\Z")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\(([^()\s]*)\)")
#: What of Markdown is no word: marks of headings, quotes and lists, emphasis, escapes.
_MARKUP = re.compile(
    rf"(?m)^[ \t]{{0,8}}(?:#{{1,6}}|>|[-*+])(?=[ \t{MARK}])|[*`|]+|(?<!\w)_+|_+(?!\w)|\\(?=[\W_])"
)
_SPACE = re.compile(r"\s+")


def match_of(words: str, marks: Sequence[str] = (), *, columns: str = WORD_COLUMNS) -> str:
    """Return the MATCH for what a person typed; "" where that holds no word to look for.

    All words have to be there; ``"these in a row"``, ``begin*``, and ``-this`` must not be there.
    ``marks``: what ``mark`` makes of the values that articles are narrowed down by; ``columns``:
    where the words that are wanted have to be.
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for item in items(words):
        quoted = f'"{item.text}"{"*" if item.begins else ""}'
        (unwanted if item.out else wanted).append(quoted)
    if not wanted:
        return ""
    parts = [f"{{{columns}}} : ({' '.join(wanted)})", *(f'marks : "{each}"' for each in marks)]
    match = " AND ".join(parts)
    return f"({match}) NOT {{{WORD_COLUMNS}}} : ({' OR '.join(unwanted)})" if unwanted else match


class Item(Struct, frozen=True, kw_only=True):
    """A word or phrase of a question: ``out``, it must not be there; ``begins``, a beginning."""

    text: str
    out: bool
    begins: bool


def items(words: str) -> Iterator[Item]:
    """Give each word and phrase of a question, as texts are indexed."""
    text = _CONTROL.sub(" ", words[:MOST_CHARACTERS]).translate(_QUOTES)
    found = 0
    for item in _ITEM.finditer(text):
        said = item["phrase"] if item["word"] is None else item["word"]
        begins = bool(item["star"]) or (item["word"] or "").endswith("*")
        said = said.rstrip("*")
        if not _LETTER.search(said):
            continue
        begins = begins and _LONG_BEGINNING.search(said) is not None
        yield Item(text=indexed(said), out=bool(item["out"]), begins=begins)
        found += 1
        if found == MOST_ITEMS:
            return


@lru_cache(maxsize=4_096)
def _mark(kind: str, value: str) -> str:
    folded = normalize("NFC", value).casefold().encode("utf-8", "replace")
    return kind[0] + blake2s(folded, digest_size=8, person=kind.encode()[:8]).hexdigest()


def mark(kind: str, value: str) -> str:
    """Return one word that stands for a value of a kind, whatever its case, and for no other.

    A longer value than any topic's is cut.
    """
    return _mark(kind, value[:_MOST_VALUE])


def indexed(text: str | None) -> str:
    """Return a text as it is indexed: composed (NFC), without control characters."""
    if not text:
        return ""
    text = _CONTROL.sub(" ", text[:MOST_TEXT])
    if text.isascii():
        return text
    text = normalize("NFC", text)
    return _UNSPACED.sub(_BETWEEN, text) if _HAS_UNSPACED.search(text) else text


def without_links(markdown: str | None) -> tuple[str, str]:
    """Return Markdown with its links' words alone, and the links' targets."""
    if not markdown or "](" not in markdown:
        return markdown or "", ""
    targets = []
    # a picture in a link is a link in a link: once more, and no oftener
    for _ in range(2):
        targets += [target for _, target in _LINK.findall(markdown)]
        markdown = _LINK.sub(r"\1", markdown)
    return markdown, " ".join(targets)


def snippet_of(marked: str) -> Snippet:
    """Return a marked piece of a text as it is shown: on one line, without Markdown's marks."""
    text = _MARKUP.sub("", marked)
    text = _SPACE.sub(" ", text.replace(_BETWEEN, "")).strip()
    return tuple(_pieces(text.split(MARK)))


def _pieces(parts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    for part in parts:
        found, ended, rest = part.partition(MARK_END)
        if ended and found:
            yield found, True
        plain = rest if ended else found
        if plain:
            yield plain, False
