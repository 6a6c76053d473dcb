"""SIGHUP: settings are read again. What is right takes effect at once; what is wrong changes nothing, and says so."""

from __future__ import annotations

import signal

import pytest

from tests.system.stage import Stage
from tests.system.waiting import row

pytestmark = pytest.mark.quiet

SLOWER = """
[jobs.trial.batches]
schedule = "every 3600"
[jobs.trial.tick]
enabled = false
"""
BROKEN = """
[jobs.trial.batches]
schedule = "61 * * * *"
[jobs.trial.tik]
enabled = false
[node]
leese = "3s"
"""
BECOMES = "SELECT schedule_fingerprint LIKE $2 FROM sexton.job WHERE name = $1"
FINGERPRINT = "SELECT schedule_fingerprint FROM sexton.job WHERE name = $1"


async def test_a_changed_job_setting_takes_effect_and_no_instant_is_lost(stage: Stage) -> None:
    node = await stage.daemon()
    await node.says("trial.tick succeeded", count=2)
    (stage.folder / "config.toml").write_text(SLOWER)
    node.signal(signal.SIGHUP)
    said = await node.says("reloaded: ")
    assert "trial.batches" in said["event"]
    assert "trial.tick" in said["event"]
    connection = await stage.connect()
    await row(connection, BECOMES, "trial.batches", "every 3600%")
    await row(connection, BECOMES, "trial.tick", "disabled")
    (stage.folder / "config.toml").write_text("")
    node.signal(signal.SIGHUP)
    await node.says("reloaded: ", count=2)
    await row(connection, BECOMES, "trial.tick", "every 1 phase 0")
    await connection.close()
    ticks = len(node.said("trial.tick succeeded"))
    await node.says("trial.tick succeeded", count=ticks + 2)
    await stage.settled()
    assert await node.stop() == 0
    await stage.balance()  # recomputes every instant from each schedule while it was in force


async def test_a_broken_configuration_changes_nothing_and_says_everything_that_is_wrong(stage: Stage) -> None:
    node = await stage.daemon()
    await node.says("trial.tick succeeded")
    (stage.folder / "config.toml").write_text(BROKEN)
    node.signal(signal.SIGHUP)
    refused = await node.says("reload refused")
    for said in ("trial.tik", "trial.tick", "leese", "lease"):
        assert said in refused["event"]
    ticks = len(node.said("trial.tick succeeded"))
    await node.says("trial.tick succeeded", count=ticks + 2)
    connection = await stage.connect()
    assert await connection.fetchval(FINGERPRINT, "trial.batches") == "every 2 phase 0.5"
    await connection.close()
    await stage.settled()
    assert await node.stop() == 0
    await stage.balance()
