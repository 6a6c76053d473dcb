"""A school of its own for each test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.conftest import FAILED, soaking
from tests.system.tutoring.stage import SchoolStage, many, staged


@pytest.fixture
async def school(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> AsyncIterator[SchoolStage]:
    with tempfile.TemporaryDirectory(prefix="sexton-") as name:
        async with staged(Path(name), many(5_000 if soaking(pytestconfig) else 60)) as own:
            yield own
            if not request.node.stash.get(FAILED, True):
                left = await own.left_behind()
                assert not left, "left behind:\n" + "\n".join(left)
