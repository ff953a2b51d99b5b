"""What every test shares: property tests have no deadline, since CI machines are slow at times."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("slugline", deadline=None)
settings.load_profile("slugline")
