"""The system's clock: what a run reads the date by, and passes to whatever must know it."""

from __future__ import annotations

from datetime import UTC, datetime


def now_utc() -> datetime:
    """Return the date and time, in UTC."""
    return datetime.now(UTC)
