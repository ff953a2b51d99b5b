"""From flags and a config file to one MirrorRequest: checked here, before anything is created."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from crawler.commands.failures import UsageError, wrong_input
from crawler.commands.options import DEFAULT_MIRROR
from crawler.config.errors import ConfigError
from crawler.config.settings import Config, Settings, load_config, mirror_folder
from crawler.discovery.records import RecordHint, RecordsError, parse_records
from crawler.request import MirrorRequest
from crawler.urls import normalise

_SPELLED = {"formats": "format", "headers": "header"}


def make(
    urls: Sequence[str],
    into: Path | None,
    flags: Mapping[str, Any],
    config: Path | None,
    records: Path | None,
    *,
    ignore_robots: bool,
    verify: Literal["all", "due", "none"],
) -> MirrorRequest:
    """Return what the conductor is asked for; ``flags`` are settings by name, None: not given.

    Raises UsageError or ConfigError, with a sentence that names the thing.
    """
    scopes = tuple(dict.fromkeys(scope(url) for url in urls))
    settings, folder = _configured(scopes, config)
    settings = with_flags(settings, flags)
    return MirrorRequest(
        urls=scopes,
        into=into or folder,
        records=read_records(records) if records is not None else None,
        ignore_robots=ignore_robots,
        verify=verify,
        settings=settings,
    )


def scope(text: str) -> str:
    """Return the normalised URL of a site, section or article; raises UsageError."""
    shown = repr(text)
    if "://" not in text:
        raise UsageError(f"{shown} has no scheme: write https://{text.lstrip('/')}")
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in {"http", "https"}:
        raise UsageError(f"{shown}: only http:// and https:// can be mirrored")
    if "@" in rest.partition("/")[0]:
        raise UsageError(
            f"{scheme}://…: a URL must hold no name or password; "
            "write --header 'Authorization: …' instead"
        )
    url = normalise(text)
    if url is None:
        raise UsageError(f"{shown} is no valid URL: check the host, and that it is not too long")
    return url


def read_records(path: Path) -> tuple[RecordHint, ...]:
    """Read a list of articles; raises UsageError with the file's name and line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--records {path} cannot be read: {error.strerror}") from error
    with wrong_input(RecordsError, prefix="--records "):
        return parse_records(data, str(path))


def with_flags(settings: Settings, flags: Mapping[str, Any]) -> Settings:
    """Return ``settings`` with the flags that were given over them; raises ConfigError."""
    given = {name: value for name, value in flags.items() if value is not None}
    if "headers" in given:
        given["headers"] = dict(settings.headers) | _headers(given["headers"])
    try:
        return settings.changed(**given)
    except ConfigError as error:
        raise ConfigError(
            tuple(replace(one, path=_flag(one.path)) for one in error.problems)
        ) from None


def _flag(path: str) -> str:
    name, _, _ = path.replace("[", ".").partition(".")
    return f"--{_SPELLED.get(name, name).replace('_', '-')}"


def _headers(lines: Iterable[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise UsageError("--header: must be 'Name: value', such as 'Authorization: Bearer …'")
        headers[name.strip()] = value.strip()
    return headers


def _configured(scopes: Sequence[str], path: Path | None) -> tuple[Settings, Path]:
    """Return the settings for these URLs, one site's or the defaults, and the mirror's folder."""
    if path is None:
        return Config().settings(), DEFAULT_MIRROR
    config = load_config(path, os.environ)
    sites = [config.site_of(url) for url in scopes]
    if any(site is not sites[0] for site in sites):
        hosts = ", ".join(sorted({urlsplit(url).netloc for url in scopes}))
        raise UsageError(f"{path} has different settings for {hosts}: mirror them one at a time")
    # a file that names no folder changes nothing: the mirror is where the command is typed
    named = "mirror" in config.store.model_fields_set
    folder = mirror_folder(config, path) if named else DEFAULT_MIRROR
    return config.settings(sites[0] if sites else None), folder
