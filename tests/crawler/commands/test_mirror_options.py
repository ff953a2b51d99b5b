"""The flags that scripts rely on are there."""

from __future__ import annotations

from tests.crawler.commands.calling import slugline

FLAGS = [
    "--into, --mirror",
    "--records",
    "--format",
    "--rate",
    "--concurrency",
    "--include",
    "--exclude",
    "--max-articles",
    "--ignore-robots",
    "--resolve",
    "--ca-bundle",
    "--allow-address",
    "--proxy",
    "--header",
    "--verify",
    "--no-files",
    "--json",
    "--quiet",
    "--log-format",
    "--config",
]


def test_mirror_has_every_flag_of_the_contract() -> None:
    shown = slugline("mirror", "--help").stdout
    for flag in FLAGS:
        assert f"\n  {flag} " in shown
