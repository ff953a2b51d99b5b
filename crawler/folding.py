"""White space folded: the one way in which texts are made comparable. Pure."""

from __future__ import annotations

import unicodedata

#: Characters folded at once: a list of all the words of a long text takes fifteen times its room.
STRETCH = 1 << 18
#: Characters from which a text is worth looking at before it is taken apart.
LONG = 64
#: ASCII's white space beside the blank and the usual line end.
_RARE = "\t\r\x0b\x0c\x1c\x1d\x1e\x1f"


def fold(text: str) -> str:
    """Return ``text`` with every run of white space as one blank, stripped."""
    if len(text) > STRETCH:
        return _folded_in_stretches(text)
    # Most texts are lines with single blanks between their words: a third of the time for these.
    if len(text) >= LONG:
        words = text.strip()
        # At one mark, a text is split in a third of the time that `splitlines` takes for all.
        if "\n" in words:
            words = " ".join([line for each in words.split("\n") if (line := each.strip())])
        # From the end, two blanks are looked for three times as fast.
        if _is_spaced_by_blanks(words) and words.rfind("  ") < 0:
            return words
    return " ".join(text.split())


def is_folded(words: str) -> bool:
    """Say whether ``fold`` would surely leave ``words``, which are stripped, as they are."""
    return "\n" not in words and _is_spaced_by_blanks(words) and words.rfind("  ") < 0


def comparable(text: str | None) -> str:
    """Return ``text`` in NFC with its white space folded, as titles and words are compared."""
    return fold(unicodedata.normalize("NFC", text)) if text else ""


def _folded_in_stretches(text: str) -> str:
    folded: list[str] = []
    gap = False
    for at in range(0, len(text), STRETCH):
        stretch = text[at : at + STRETCH]
        words = fold(stretch)
        if words:
            if folded and (gap or stretch[0].isspace()):
                folded.append(" ")
            folded.append(words)
        gap = stretch[-1].isspace() or (gap and not words)
    return "".join(folded)


def _is_spaced_by_blanks(line: str) -> bool:
    """Say whether a blank is surely the only white space in ``line``."""
    if not line.isascii():
        # No white space but the blank is printable.
        return line.isprintable()
    for mark in _RARE:  # noqa: SIM110  - a generator takes four times as long
        if mark in line:
            return False
    return True
