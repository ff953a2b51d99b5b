"""The README's picture of the rooms is the one that import-linter holds the code to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def test_the_rooms_are_drawn_as_they_are_checked() -> None:
    section = (CHECKOUT / "README.md").read_text().split("## How it is built")[1].split("\n## ")[0]
    (picture,) = re.findall(r"```\n(crawler\n.*?)```", section, re.DOTALL)
    drawn = {
        package: [
            set(re.split(r" {3,}", line.strip())[0].split(" · ")) for line in rooms.splitlines()
        ]
        for package, rooms in re.findall(r"^(\w+)\n((?:  .*\n)+)", picture, re.MULTILINE)
    }
    checked = {
        contract["containers"][0]: [set(re.split(r" [|:] ", layer)) for layer in contract["layers"]]
        for contract in CONTRACTS
        if contract["type"] == "layers"
    }
    assert drawn == checked


def test_every_room_is_in_the_picture() -> None:
    rooms = {
        each.parent.name
        for package in ("crawler", "storage")
        for each in (CHECKOUT / package).glob("*/__init__.py")
    }
    named = {
        name
        for contract in CONTRACTS
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for name in re.split(r" [|:] ", layer)
    }
    assert rooms <= named
