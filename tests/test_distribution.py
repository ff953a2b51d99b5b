"""What is published: wheel and sdist, whole, the same each time, in no need of the checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]


def build(into: Path, source: Path = CHECKOUT) -> dict[str, Path]:
    """Build both; returns them by their endings."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", into],
        cwd=source, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}, check=True,
        capture_output=True,
    )  # fmt: skip
    return {each.suffix: each for each in into.iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build(tmp_path_factory.mktemp("dist"))


def test_the_same_source_makes_the_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    again = build(tmp_path)
    assert {kind: hashlib.sha256(each.read_bytes()).digest() for kind, each in built.items()} == {
        kind: hashlib.sha256(each.read_bytes()).digest() for kind, each in again.items()
    }


def test_the_wheel_holds_both_packages_with_all_that_is_no_python(built: dict[str, Path]) -> None:
    names = set(zipfile.ZipFile(built[".whl"]).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "crawler", "storage"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert {"crawler/py.typed", "storage/py.typed", *tracked} <= names
    assert {name.split("/")[0] for name in names} == {
        "crawler", "storage", f"slugline-{VERSION}.dist-info"
    }  # fmt: skip


def test_the_sdist_makes_the_same_wheel(built: dict[str, Path], tmp_path: Path) -> None:
    with tarfile.open(built[".gz"]) as sdist:
        sdist.extractall(tmp_path, filter="data")
    again = build(tmp_path / "dist", tmp_path / f"slugline-{VERSION}")
    assert again[".whl"].read_bytes() == built[".whl"].read_bytes()


def test_the_wheel_runs_without_the_checkout(built: dict[str, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(built[".whl"]) as wheel:
        wheel.extractall(tmp_path / "installed")  # noqa: S202  - our own
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    where, version, told = (
        subprocess.run(
            [sys.executable, "-P", "-c", code],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
        ).stdout
        for code in (
            "import crawler, storage; print(crawler.__file__, storage.__file__)",
            "import sys; sys.argv[1:] = ['--version']; from crawler.cli import main; main()",
            "import sys; sys.argv[1:] = ['demo']; from crawler.cli import main; main()",
        )
    )  # fmt: skip
    assert all(each.startswith(str(tmp_path / "installed")) for each in where.split())
    assert version == f"slugline {VERSION}\n"
    assert "silent-edit" in told
