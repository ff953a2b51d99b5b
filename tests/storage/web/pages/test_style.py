"""The style sheet: read in light and dark, and nothing fetched from anywhere."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

#: WCAG 2.2, success criterion 1.4.3, and 1.4.11 for what is no text.
TEXT, SHAPE = 4.5, 3.0
GROUNDS = ("ground", "raised", "sunk")
PAIRS = [
    *(
        (ink, ground, TEXT)
        for ink in ("ink", "soft", "link", "plus", "minus")
        for ground in GROUNDS
    ),
    ("ground", "link", TEXT),
    ("ground", "ink", TEXT),
    ("plus", "plus-ground", TEXT),
    ("minus", "minus-ground", TEXT),
    ("ink", "mark", TEXT),
    *((shape, "ground", SHAPE) for shape in ("edge", "focus", "bar", "silent")),
]


def sheet() -> str:
    return files("storage.web").joinpath("static/style.css").read_text()


def colours(theme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", sheet(), re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    return (
        found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark)) if theme == "dark" else found
    )


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_contrast_is_enough(theme: str, ink: str, ground: str, least: float) -> None:
    found = colours(theme)
    bright, dim = sorted((luminance(found[ink]), luminance(found[ground])), reverse=True)
    assert (bright + 0.05) / (dim + 0.05) >= least, (ink, ground, theme)


def test_nothing_is_fetched() -> None:
    assert not re.search(r"url\(|@import|@font-face", sheet())
