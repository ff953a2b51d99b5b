"""Two texts side by side, word by word. Pure, and bounded however unlike the texts are.

Lines are compared first, then the words of the lines that differ, by Myers' algorithm ("An O(ND)
Difference Algorithm and Its Variations", 1986). Its time goes by the number of differences, so that
number is bounded: past it, the part in question is shown as replaced, which is true as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

#: Differing lines that are told apart at once: half a million steps, some tenths of a second.
MOST_LINES_CHANGED = 700
#: The same for the words of one passage.
MOST_WORDS_CHANGED = 400
#: Steps in all of one comparison, as squares of differences: a second of work at the very worst.
MOST_WORK = 1_500_000
#: Unchanged lines that are shown around a change.
CONTEXT = 3

#: A word with the space after it, or one other character: CJK text has a word a character.
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[\w'\u2019-]+|\s+|[^\w\s]")

Mark: TypeAlias = Literal["same", "changed"]
Span: TypeAlias = tuple[Mark, str]
#: Where sequences agree or differ: start and end in the old one, start and end in the new one.
Block: TypeAlias = tuple[bool, int, int, int, int]


class Line(Struct, frozen=True):
    """A line of one side, with its number from 1, in spans that stand in both or only here."""

    number: int
    spans: tuple[Span, ...]


class Row(Struct, frozen=True):
    """Two lines beside each other, or one and nothing; ``skipped``: unchanged lines left out."""

    kind: Literal["same", "changed", "skipped"]
    old: Line | None = None
    new: Line | None = None
    skipped: int = 0


class Comparison(Struct, frozen=True):
    """Rows to show, and how many words only the old or only the new text has."""

    rows: tuple[Row, ...]
    taken: int
    added: int


class _Budget:
    """Work that may still be done. State: the number."""

    def __init__(self, work: int) -> None:
        self.left = work

    def most(self, wanted: int) -> int:
        """Return how many differences may be looked for now."""
        return min(wanted, int(max(self.left, 0) ** 0.5))


def compare(old: str, new: str, *, context: int | None = CONTEXT) -> Comparison:
    """Compare two texts; ``context``: unchanged lines around a change, None: all of them."""
    a, b = old.splitlines(), new.splitlines()
    budget = _Budget(MOST_WORK)
    rows: list[Row] = []
    taken = added = 0
    for same, i, i_end, j, j_end in _blocks(a, b, MOST_LINES_CHANGED, budget):
        if same:
            rows += (
                Row(
                    "same",
                    Line(i + n + 1, (("same", a[i + n]),)),
                    Line(j + n + 1, (("same", b[j + n]),)),
                )
                for n in range(i_end - i)
            )
            continue
        found, less, more = _passage(a[i:i_end], b[j:j_end], i, j, budget)
        rows += found
        taken += less
        added += more
    shown = rows if context is None else list(_folded(rows, context))
    return Comparison(tuple(shown), taken, added)


def changed_words(old: str, new: str) -> tuple[int, int]:
    """Return how many words were taken and added, whatever their order: quick, for many texts."""
    # Most lines, then most words, are as many on both sides: those go first, all at once.
    less, more = _unlike(old.split("\n"), new.split("\n"))
    less, more = _unlike(" ".join(less.elements()).split(), " ".join(more.elements()).split())
    return less.total(), more.total()


def _unlike(old: Sequence[str], new: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
    """Return what only the old one has, and what only the new one has, and how often."""
    before, after = Counter(old), Counter(new)
    less = {one: number - after[one] for one, number in before.items() - after.items()}
    more = {one: number - before[one] for one, number in after.items() - before.items()}
    return +Counter(less), +Counter(more)


def _passage(
    old: Sequence[str], new: Sequence[str], i: int, j: int, budget: _Budget
) -> tuple[list[Row], int, int]:
    """Compare lines that differ, as one run of words; ``i`` and ``j`` are lines before them."""
    a, b = _words_of(old), _words_of(new)
    left: list[Span] = []
    right: list[Span] = []
    taken = added = 0
    for same, k, k_end, m, m_end in _blocks(a, b, MOST_WORDS_CHANGED, budget):
        mark: Mark = "same" if same else "changed"
        left += ((mark, word) for word in a[k:k_end])
        right += ((mark, word) for word in b[m:m_end])
        if not same:
            taken += _number(a[k:k_end])
            added += _number(b[m:m_end])
    olds = [Line(i + n + 1, spans) for n, spans in enumerate(_lines(left))] if old else []
    news = [Line(j + n + 1, spans) for n, spans in enumerate(_lines(right))] if new else []
    rows = []
    for n in range(max(len(olds), len(news))):
        one = olds[n] if n < len(olds) else None
        other = news[n] if n < len(news) else None
        rows.append(Row("changed", one, other))
    return rows, taken, added


def _number(words: Sequence[str]) -> int:
    """Return how many of them are words: punctuation and space is none."""
    return sum(any(map(str.isalnum, word)) for word in words)


def _words_of(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    for number, line in enumerate(lines):
        if number:
            found.append("\n")
        found += _WORDS.findall(line)
    return found


def _lines(spans: Sequence[Span]) -> Iterator[tuple[Span, ...]]:
    """Give the spans of each line, neighbours of one mark joined."""
    line: list[tuple[Mark, list[str]]] = []
    for mark, word in spans:
        if word == "\n":
            yield tuple((each, "".join(words)) for each, words in line)
            line = []
        elif line and line[-1][0] == mark:
            line[-1][1].append(word)
        else:
            line.append((mark, [word]))
    yield tuple((each, "".join(words)) for each, words in line)


def _folded(rows: Sequence[Row], context: int) -> Iterator[Row]:
    """Leave out unchanged rows that are further than ``context`` from a change."""
    near: set[int] = set()
    for number, row in enumerate(rows):
        if row.kind == "changed":
            near.update(range(number - context, number + context + 1))
    skipped = 0
    for number, row in enumerate(rows):
        if number not in near:
            skipped += 1
            continue
        if skipped:
            yield Row("skipped", skipped=skipped)
            skipped = 0
        yield row
    if skipped:
        yield Row("skipped", skipped=skipped)


def _blocks(a: Sequence[str], b: Sequence[str], most: int, budget: _Budget) -> list[Block]:
    """Return where two sequences agree and differ, in order, with no gap."""
    start = 0
    end = min(len(a), len(b))
    while start < end and a[start] == b[start]:
        start += 1
    tail = 0
    while tail < end - start and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    middle_a, middle_b = a[start : len(a) - tail], b[start : len(b) - tail]
    found: list[Block] = [(True, 0, start, 0, start)] if start else []
    found += (
        (same, i + start, i_end + start, j + start, j_end + start)
        for same, i, i_end, j, j_end in _myers(middle_a, middle_b, most, budget)
    )
    if tail:
        found.append((True, len(a) - tail, len(a), len(b) - tail, len(b)))
    return found


def _myers(a: Sequence[str], b: Sequence[str], most: int, budget: _Budget) -> list[Block]:
    """Return the blocks of two sequences that begin and end with a difference."""
    if not a or not b:
        return [(False, 0, len(a), 0, len(b))] if a or b else []
    reached = _reached(a, b, budget.most(most))
    budget.left -= len(reached) ** 2
    if not reached or reached[-1].get(len(a) - len(b), -1) < len(a):
        return [(False, 0, len(a), 0, len(b))]
    return _joined(_walked_back(a, b, reached), len(a), len(b))


def _reached(a: Sequence[str], b: Sequence[str], most: int) -> list[dict[int, int]]:
    """Return, by number of differences, how far each diagonal gets into ``a``."""
    trace: list[dict[int, int]] = []
    best = {1: 0}
    size_a, size_b = len(a), len(b)
    for differences in range(most + 1):
        now: dict[int, int] = {}
        for diagonal in range(-differences, differences + 1, 2):
            less, more = best.get(diagonal - 1, -1), best.get(diagonal + 1, -1)
            x = (
                more
                if diagonal == -differences or (diagonal != differences and less < more)
                else less + 1
            )
            y = x - diagonal
            while x < size_a and y < size_b and a[x] == b[y]:
                x += 1
                y += 1
            now[diagonal] = x
            if x >= size_a and y >= size_b:
                trace.append(now)
                return trace
        trace.append(now)
        best = now
    return trace


def _walked_back(
    a: Sequence[str], b: Sequence[str], trace: Sequence[dict[int, int]]
) -> list[tuple[int, int]]:
    """Return the pairs of places that agree, first to last."""
    x, y = len(a), len(b)
    pairs: list[tuple[int, int]] = []
    for differences in range(len(trace) - 1, 0, -1):
        best = trace[differences - 1]
        diagonal = x - y
        less, more = best.get(diagonal - 1, -1), best.get(diagonal + 1, -1)
        down = diagonal == -differences or (diagonal != differences and less < more)
        from_x = more if down else less
        from_y = from_x - (diagonal + 1 if down else diagonal - 1)
        stop = from_x if down else from_x + 1
        while x > stop:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = from_x, from_y
    while x > 0 and y > 0:
        x, y = x - 1, y - 1
        pairs.append((x, y))
    return pairs[::-1]


def _joined(pairs: Sequence[tuple[int, int]], size_a: int, size_b: int) -> list[Block]:
    found: list[Block] = []
    i = j = 0
    for x, y in [*pairs, (size_a, size_b)]:
        if x > i or y > j:
            found.append((False, i, x, j, y))
        if (x, y) != (size_a, size_b):
            last = found[-1] if found else None
            if last is not None and last[0] and last[2] == x and last[4] == y:
                found[-1] = (True, last[1], x + 1, last[3], y + 1)
            else:
                found.append((True, x, x + 1, y, y + 1))
        i, j = x + 1, y + 1
    return found
