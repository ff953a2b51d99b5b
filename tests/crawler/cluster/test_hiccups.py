"""What must be written down is asked again, while it is the asker's to write."""

from __future__ import annotations

import pytest
from procrastinate.exceptions import ConnectorException

from crawler.cluster.hiccups import past_hiccups


class Database:
    """Answers after so many hiccups. State: how often it was asked."""

    def __init__(self, hiccups: int) -> None:
        self._hiccups = hiccups
        self.asked = 0

    async def ask(self) -> str:
        self.asked += 1
        if self.asked <= self._hiccups:
            raise ConnectorException("cut")
        return "written"


async def test_what_is_cut_is_asked_again_until_there_is_an_answer() -> None:
    database = Database(hiccups=3)
    assert await past_hiccups(database.ask, lambda: True) == "written"
    assert database.asked == 4


async def test_who_is_taken_for_dead_asks_once() -> None:
    database = Database(hiccups=9)
    with pytest.raises(ConnectorException, match="cut"):
        await past_hiccups(database.ask, lambda: False)
    assert database.asked == 1
