"""The addresses of all pages."""

from __future__ import annotations

from storage.web.routes import ROUTES


def test_each_route_has_its_own_address() -> None:
    assert len({route.path for route in ROUTES}) == len(ROUTES)
