"""What tests of the engine may ask for by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.daemon import embedded_support


@pytest.fixture
async def heard(url: str) -> AsyncIterator[list[str]]:
    """What the nodes are told."""
    listener = await asyncpg.connect(url)
    said: list[str] = []
    await listener.add_listener("sexton", lambda *a: said.append(str(a[-1])))
    yield said
    await listener.close()


@pytest.fixture(scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with a complete cluster that nothing runs."""
    return await embedded_support.make_cluster(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
async def state(cluster: Path) -> AsyncIterator[Path]:
    """The cluster that all tests share, because copies are slow; each leaves it stopped."""
    yield cluster
    assert embedded_support.leftovers(cluster) == []


@pytest.fixture
async def own_state(cluster: Path, tmp_path: Path) -> AsyncIterator[Path]:
    """A copy for a test that spoils it."""
    with embedded_support.copied(cluster, tmp_path / "state") as path:
        yield path
