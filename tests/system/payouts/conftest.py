"""The house that all these tests pay, and a place of its own for each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.system.conftest import FAILED, soaking
from tests.system.payouts.house import House, house
from tests.system.payouts.stage import PayoutStage, staged
from tests.system.place import external_bindir

IN_CI, IN_A_SOAK = 5_000, 100_000


@pytest.fixture(scope="session")
def houses(shared: Path, pytestconfig: pytest.Config) -> Callable[[str], Awaitable[House]]:
    """The house for a kind of place, made when first asked for."""
    made: dict[Path | None, House] = {}
    size = int(os.environ.get("SEXTON_TEST_INVESTMENTS") or (IN_A_SOAK if soaking(pytestconfig) else IN_CI))

    async def get(kind: str) -> House:
        bindir = external_bindir() if kind == "external" else None
        if bindir not in made:
            made[bindir] = await house(shared, bindir, size)
        return made[bindir]

    return get


@pytest.fixture
async def stage(
    request: pytest.FixtureRequest, houses: Callable[[str], Awaitable[House]]
) -> AsyncIterator[PayoutStage]:
    """On an embedded database, and on an external one; `mark.on("external")` and the like choose one of them."""
    of = await houses(request.param)
    with tempfile.TemporaryDirectory(prefix="sexton-") as name:
        async with staged(of, request.param, Path(name)) as own:
            yield own
            if not request.node.stash.get(FAILED, True):
                left = await own.left_behind()
                assert not left, "left behind:\n" + "\n".join(left)
