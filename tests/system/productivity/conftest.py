"""A database of its own for each test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.conftest import FAILED
from tests.system.productivity.stage import NightStage, staged


@pytest.fixture
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[NightStage]:
    with tempfile.TemporaryDirectory(prefix="sexton-") as name:
        async with staged(Path(name)) as own:
            yield own
            if not request.node.stash.get(FAILED, True):
                left = await own.left_behind()
                assert not left, "left behind:\n" + "\n".join(left)
