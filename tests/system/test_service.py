"""The unit under a real systemd: start, stop, reload, accidents, and nothing lost by any of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.service import SUITES_INSIDE, UNIT, Service
from tests.system.template import Template
from tests.system.waiting import row

pytestmark = [pytest.mark.xdist_group("machine"), pytest.mark.timeout(400)]

FROZEN = 600
SAVED = r"flight_processing_queue: saved"


async def test_the_unit_is_flawless_and_closed(service: Service) -> None:
    assert await service.machine.run("systemd-analyze", "verify", f"/etc/systemd/system/{UNIT}") == ""
    said = await service.machine.run("systemd-analyze", "security", "--offline=true", f"/etc/systemd/system/{UNIT}")
    last = said.strip().splitlines()[-1]
    print(last)
    assert float(last.split(": ")[1].split()[0]) <= 2.0


async def test_the_alerts_of_an_installation_lead_to_the_runbook_beside_them(service: Service) -> None:
    shared = await service.machine.run(
        "sh", "-c", "cat /opt/sexton/current/share/sexton/monitoring/rules/*.yml; ls /opt/sexton/current/share/sexton"
    )
    (runbook,) = set(re.findall(r"runbook_url: file://(\S+)#", shared))
    assert "### SextonNodeDown" in await service.machine.run("cat", runbook)


async def test_a_first_start_makes_the_database_and_says_what_it_does(service: Service) -> None:
    """As a user that exists only now, who may do next to nothing, with PostgreSQL and workers as its children."""
    secret = service.machine.root / "etc/sexton/credentials/suite.flights.pinot_token"
    secret.write_text("hunter2\n")
    try:
        await service.control("start")
    finally:
        secret.unlink()
    facts = await service.becomes(ActiveState="active", SubState="running", NRestarts="0")
    await service.says(r"cluster created in")
    status = await service.becomes(StatusText=facts["StatusText"])
    assert "jobs, " in status["StatusText"]
    server = (service.state / "postgres-17/data/postmaster.pid").read_text().splitlines()[0]
    for pid in (facts["MainPID"], server):
        said = await service.machine.run("cat", f"/proc/{pid}/status")
        state = dict(line.split(":\t", 1) for line in said.splitlines() if ":\t" in line)
        assert (state["NoNewPrivs"], state["Seccomp"], state["CapEff"]) == ("1", "2", "0" * 16)
        assert int(state["Uid"].split()[0]) >= 61184  # a dynamic user
    shown = await service.machine.run("ls", f"/run/credentials/{UNIT}")
    assert shown.split() == ["sexton_suite.flights.pinot_token"]
    await service.control("stop")


async def test_a_start_may_take_longer_than_the_unit_allows(service: Service) -> None:
    """Here a migration does; while it lasts systemd is asked for more time."""
    await service.drop_in(TimeoutStartSec="6s")
    slow = service.machine.root / SUITES_INSIDE.lstrip("/") / "trial/migrations/0002_slow.sql"
    slow.write_text("SELECT pg_sleep(7);\n")
    try:
        await service.control("start")
    finally:
        slow.unlink()
    await service.says(r"schema migrated: .*0002_slow")
    await service.control("stop")


async def test_journald_keeps_the_priority_and_the_fields(service: Service) -> None:
    await service.configure(SEXTON_JOBS__TRIAL__TICK__TIMEOUT="soon")
    await service.machine.tried("systemctl", "start", UNIT)
    await service.becomes(ActiveState="failed", ExecMainStatus="2", NRestarts="0")
    await service.configure()
    await service.control("start")
    await service.says(r"is ready$")
    said = await service.machine.run("journalctl", "-u", UNIT, "-o", "json", "--no-pager", service.since)
    entries = [json.loads(line) for line in said.splitlines()]
    (refused,) = (e for e in entries if "TRIAL__TICK__TIMEOUT" in e["MESSAGE"] or "trial.tick.timeout" in e["MESSAGE"])
    assert refused["PRIORITY"] == "3"
    (ready,) = (e for e in entries if "is ready" in e["MESSAGE"])
    assert (ready["PRIORITY"], ready["SYSLOG_IDENTIFIER"], ready["_SYSTEMD_UNIT"]) == ("6", "sexton", UNIT)
    fields = json.loads(ready["MESSAGE"])
    assert fields["jobs"] > 3
    await service.control("stop")


async def test_a_stop_while_flights_are_ingested_loses_nothing(
    service: Service, seeded: Template, counted: Callable[..., Any]
) -> None:
    await service.configure(SEXTON_JOBS__FLIGHTS__FLIGHT_INGESTION__ENABLED="false")
    await service.control("start")
    await service.withhold()
    await service.configure()
    await service.control("restart")
    for _ in range(2):
        saved = len(service.said(SAVED))
        await service.give(seeded.flights // 3)
        await service.says(SAVED, count=saved + 1)
        await service.control("stop")
        facts = await service.facts()
        assert (facts["Result"], facts["ExecMainStatus"], facts["ActiveState"]) == ("success", "0", "inactive")
        assert await service.processes() == {}
        await service.control("start")
    await service.give()
    await service.ingested()
    await service.control("stop")
    counted(await service.balance(seeded.expected))


async def test_a_reload_puts_new_settings_in_force(service: Service) -> None:
    await service.control("start")
    before = await service.facts()
    config = service.machine.root / "etc/sexton/config.toml"
    old = config.read_text()
    try:
        config.write_text(old + "\n[jobs.trial.tick]\nenabled = false\n")
        await service.control("reload")
        await service.says(r"reloaded: .*trial\.tick")
    finally:
        config.write_text(old)
    after = await service.becomes(ActiveState="active", SubState="running")
    assert after["MainPID"] == before["MainPID"]
    await service.control("stop")
    await service.balance()


async def test_a_frozen_event_loop_is_killed_by_the_watchdog_and_the_service_started_again(service: Service) -> None:
    await service.drop_in(WatchdogSec="3", RestartSec="100ms")
    await service.control("start")
    run = await service.ask_for("trial.block", seconds=FROZEN)
    assert (await service.says(r"event loop blocked"))["run"] == run
    await service.says(r"Watchdog timeout")
    await service.says(r"^Fatal Python error: Aborted")
    await service.says(r"suites/trial/block.py")
    await service.becomes(ActiveState="active", SubState="running", NRestarts="1")
    async with service.connection() as connection:
        await row(connection, "SELECT state = 'succeeded' AND rescues = 1 FROM sexton.run WHERE id = $1", run)
    await service.control("stop")
    await service.balance()


async def test_kill_9_is_answered_by_a_restart_that_loses_nothing(service: Service, seeded: Template) -> None:
    await service.drop_in(RestartSec="100ms")
    await service.control("start")
    await service.says(SAVED)
    await service.control("kill", "--kill-whom=main", "--signal=KILL")
    await service.becomes(ActiveState="active", SubState="running", NRestarts="1")
    await service.ingested()
    await service.control("stop")
    await service.balance(seeded.expected)


async def test_sigterm_to_every_process_of_the_service_loses_nothing(service: Service, seeded: Template) -> None:
    """PostgreSQL and the workers get it too: a shutdown of the machine by hand, or a container runtime's."""
    await service.control("start")
    await service.says(SAVED)
    names = " ".join((await service.processes()).values())
    assert "pool_worker" in names
    assert "postgres: " in names
    await service.control("kill", "--kill-whom=all", "--signal=TERM")
    facts = await service.becomes(ActiveState="inactive")
    assert (facts["Result"], facts["ExecMainStatus"], facts["NRestarts"]) == ("success", "0", "0")
    assert await service.processes() == {}
    await service.control("start")
    await service.ingested()
    await service.control("stop")
    await service.balance(seeded.expected)


async def test_a_drain_may_take_longer_than_the_unit_allows_a_stop(service: Service) -> None:
    await service.configure(SEXTON_NODE__DRAIN_TIMEOUT="60s")
    await service.drop_in(TimeoutStopSec="1s")
    await service.control("start")
    await service.ask_for("trial.long", seconds=4)
    await service.says(r"trial\.long started")
    await service.control("stop")
    facts = await service.facts()
    assert (facts["Result"], facts["ExecMainStatus"]) == ("success", "0")
    await service.says(r"trial\.long succeeded")
    await service.balance()
