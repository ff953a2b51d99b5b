"""The README's compose file and Kubernetes manifests say what the command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from crawler.cli import app
from crawler.cluster.heart import Times
from crawler.cluster.place import queue_place
from crawler.config.settings import parse_config
from storage import layout

README = (Path(__file__).parents[3] / "README.md").read_text()
SECTION = README.split("\n## Many machines\n")[1].split("\n## ")[0]
COMPOSE, KUBERNETES = (
    list(yaml.safe_load_all(block))
    for block in re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
)
WORKER: dict[str, Any] = COMPOSE[0]["services"]["worker"]
STATEFUL: dict[str, Any] = next(each for each in KUBERNETES if each["kind"] == "StatefulSet")
POD: dict[str, Any] = STATEFUL["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]
ENVIRONMENTS: tuple[dict[str, str], ...] = (
    WORKER["environment"],
    {each["name"]: each["value"] for each in CONTAINER["env"]},
)


def commands() -> Iterator[list[str]]:
    yield shlex.split(WORKER["command"])
    yield [str(each) for each in CONTAINER["args"]]
    for shell in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL):
        for line in re.findall(r"^slugline (.*)$", shell, re.MULTILINE):
            yield shlex.split(line, comments=True)


@pytest.mark.parametrize("arguments", list(commands()), ids=" ".join)
def test_every_command_is_one_that_slugline_takes(arguments: list[str]) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    with group.make_context("slugline", list(arguments)) as context:
        name, command, rest = group.resolve_command(context, arguments)
        assert command is not None
        command.make_context(name, rest, parent=context).close()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_places_are_ones_that_a_mirror_can_have(environment: dict[str, str]) -> None:
    places = layout.Places(
        root=Path(environment["SLUGLINE_MIRROR"]),
        index=environment["SLUGLINE_INDEX"],
        segments=environment["SLUGLINE_SEGMENTS"],
    )
    layout.check_urls(places)
    assert queue_place(environment["SLUGLINE_INDEX"], places).schema == "news_queue"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_new_mirror_is_made_with_them(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    places = layout.make(tmp_path)
    assert places.index == environment["SLUGLINE_INDEX"]
    assert places.segments == environment["SLUGLINE_SEGMENTS"]


def test_the_settings_are_ones_that_slugline_reads() -> None:
    (settings,) = (each["data"]["news.toml"] for each in KUBERNETES if each["kind"] == "ConfigMap")
    assert parse_config(settings, {}).site[0].label == "example.net~news"


def test_the_image_is_made_of_a_clone_and_asks_no_index_for_slugline() -> None:
    build = WORKER["build"]
    assert build["context"] == "./slugline"
    assert f"clone in `{build['context']}`" in SECTION
    (installed,) = re.findall(r"RUN --mount=target=(\S+) pip (.*)", build["dockerfile_inline"])
    where, arguments = installed
    assert shlex.split(arguments)[-3:] == ["-c", f"{where}/requirements.lock", f"{where}[cluster]"]


def test_a_worker_has_time_to_end_well() -> None:
    needed = 2 * Times().grace
    assert int(WORKER["stop_grace_period"].removesuffix("s")) > needed
    assert POD["terminationGracePeriodSeconds"] > needed


def test_every_worker_has_a_folder_of_its_own_where_its_mirror_is() -> None:
    (anonymous,) = (each for each in WORKER["volumes"] if ":" not in each)
    (claim,) = STATEFUL["spec"]["volumeClaimTemplates"]
    mounted = {each["name"]: each["mountPath"] for each in CONTAINER["volumeMounts"]}
    for environment, folder in zip(
        ENVIRONMENTS, (anonymous, mounted[claim["metadata"]["name"]]), strict=True
    ):
        assert Path(environment["SLUGLINE_MIRROR"]).is_relative_to(folder)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("has a\nheartbeat every {:.0f} seconds", Times().beat),
        ("Without an answer from the database for {:.0f} it stops", Times().silence),
        ("stops its own jobs; {:.0f} seconds\nafter its last heartbeat", Times().dead),
        ("take them up within {:.0f} in all", Times().taken_up),
        ("in hand, for {:.0f} seconds at most", Times().grace),
    ],
)
def test_the_times_are_those_of_the_code(words: str, value: float) -> None:
    assert words.format(value) in SECTION
