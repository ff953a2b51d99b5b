"""Where the peers written in Python put a body: under its URL's path, as plain files."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit


class Folder:
    """A folder of bodies. State: the folders made so far, so that none is made twice."""

    def __init__(self, root: str) -> None:
        """Put everything under ``root``."""
        self._root = Path(root)
        self._made: set[Path] = set()

    def save(self, url: str, body: bytes) -> None:
        """Write ``body`` where ``url`` says."""
        name = unquote(urlsplit(url).path).lstrip("/")
        file = self._root / (f"{name}index.html" if name == "" or name.endswith("/") else name)
        if file.parent not in self._made:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(file.parent)
        file.write_bytes(body)
