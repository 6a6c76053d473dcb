"""What the tests of payouts ask for by name."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from tests.daemon.cli.console import Console, environment
from tests.workers.investment.payouts import MINE, Payouts


@pytest.fixture
async def payouts(url: str, connection: asyncpg.Connection) -> Payouts:
    """1 was referred by 2, and 2 by 3; plan 1 pays 1 % a day; 10 % and 5 % of it go to the uplines."""
    house = Payouts(url, connection)
    await connection.execute(MINE)
    for id_, referrer in ((3, None), (2, 3), (1, 2)):
        await house.user(id_, referrer=referrer)
    await house.plan(1)
    await house.levels("0.10", "0.05")
    return house


@pytest.fixture
def sexton(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Console:  # fmt: skip
    """`sexton` on this test's database, with this suite."""
    suites = {"SEXTON_SUITES": "workers.investment"}
    return Console({**environment(url, tmp_path / "state"), **suites}, capsys, monkeypatch)
