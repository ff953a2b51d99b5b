"""serve: a mirror in the browser, and for programs that speak the web archives' protocols."""

from __future__ import annotations

from typing import Annotated

import typer

from crawler.commands.failures import UsageError, complain, guarded
from crawler.commands.options import DEFAULT_MIRROR, MirrorDir

_LOOPBACK = ("127.", "::1", "localhost")


@guarded
def serve(
    *,
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="PORT", min=0, max=65_535, help="0: a free one.")
    ] = 8000,
    mirror: MirrorDir = DEFAULT_MIRROR,
    public_url: Annotated[
        str,
        typer.Option(
            "--public-url",
            metavar="URL",
            help="This server's address as readers type it, where a proxy stands before it.",
        ),
    ] = "",
    private: Annotated[
        bool, typer.Option("--private", help="Show what was fetched with private headers, too.")
    ] = False,
) -> None:
    """Show a mirror in the browser: what changed, every article, any two editions side by side.

    It only reads, a run may write meanwhile, and no script runs on its pages. Memento clients find
    /timegate/URL, /timemap/link/URL and /memento/YYYYMMDDhhmmss/URL; feed readers /feed.atom.
    Ctrl-C stops it.

    Examples:
      slugline serve
      slugline serve --mirror news --host 0.0.0.0 --port 80
      slugline serve --public-url https://archive.example.org
    """
    import asyncio

    from storage.web import server

    if public_url and not public_url.startswith(("https://", "http://")):
        raise UsageError(f"--public-url {public_url}: it begins with https:// or http://")
    settings = server.ServeSettings(
        root=mirror, host=host, port=port, public_url=public_url, private=private
    )

    def ready(address: str) -> None:
        complain(f"{mirror} is served at {address}/ (Ctrl-C stops it)")
        if not host.startswith(_LOOPBACK):
            complain("everybody who reaches this address can read it")

    try:
        asyncio.run(server.serve(settings, ready))
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{host} port {port}: {why}: choose another --host or --port") from error
