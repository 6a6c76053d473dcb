"""`make install` again with the next release, and back: under a running service, on one database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.system.machine import Machine
from tests.system.service import SOURCE, Service
from tests.system.template import Template
from tests.system.waiting import row

pytestmark = [pytest.mark.xdist_group("machine"), pytest.mark.timeout(400)]

CURRENT = "/opt/sexton/current"
DEPLOY = f"{CURRENT}/share/sexton/systemd/deploy.sh"
FURTHER = "ALTER TABLE sexton.job ADD COLUMN further integer NOT NULL DEFAULT 0;\n"


async def install(machine: Machine) -> tuple[int, str]:
    return await machine.tried("make", "-s", "-C", f"/{SOURCE}", "install", f"PYTHON={machine.python}")


async def in_force(machine: Machine) -> str:
    return (await machine.run("readlink", CURRENT)).strip()


def next_release(source: Path) -> None:
    """One migration further, and called 0.2.0."""
    migrations = source / "daemon/migrations"
    number = max(int(path.name[:4]) for path in migrations.glob("*.sql")) + 1
    (migrations / f"{number:04}_further.sql").write_text(FURTHER)
    version = source / "daemon/version.py"
    version.write_text(re.sub(r'VERSION = ".*"', 'VERSION = "0.2.0"', version.read_text()))


async def test_an_upgrade_and_the_way_back_lose_no_instant(
    service: Service, seeded: Template, counted: Callable[..., Any]
) -> None:
    """Whatever goes wrong on the way, the old release runs on; and so it does on the new one's schema."""
    machine, source = service.machine, service.machine.root / SOURCE
    old = await in_force(machine)
    await service.control("start")
    status, said = await install(machine)
    assert (status, said.splitlines()[-1]) == (0, f"{old.rpartition('/')[2]} is in force already")

    with changed(source / "pyproject.toml", lambda _: "no TOML"):
        await refused(service, old, "TOML")
    with changed(
        source / "daemon/cli/run.py", lambda text: text + "\n\ndef run_daemon(_):\n    raise RuntimeError('broken')\n"
    ):
        await refused(service, old, "RuntimeError: broken", f"{old.rpartition('/')[2]} is in force again and runs")
    next_release(source)
    with changed(
        machine.root / "etc/sexton/config.toml", lambda text: text + "\n[jobs.trial.tick]\ntimeout = 'soon'\n"
    ):
        await refused(service, old, "jobs.trial.tick.timeout")

    await cut_off(machine)
    status, said = await install(machine)
    assert status == 0, said
    assert re.search(r"^0\.2\.0-\w+ runs$", said, re.MULTILINE)
    assert "0.2.0" in await in_force(machine)
    await service.says(r"schema migrated: .*_further")
    async with service.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sexton.job WHERE further = 0") > 0

    await machine.run(DEPLOY, "rollback")
    assert await in_force(machine) == old
    async with service.connection() as connection:
        ran = "SELECT max(id) FROM sexton.run WHERE job = 'trial.tick' AND state = 'succeeded'"
        last = await connection.fetchval(ran)
        await row(connection, f"SELECT ({ran}) > $1", last)
    await service.ingested()
    await service.control("stop")
    counted(await service.balance(seeded.expected))


async def cut_off(machine: Machine) -> None:
    """As after an upgrade that was killed between putting the new release in force and the restart."""
    await machine.run("sh", "-c", f"ln -sfn releases/$(ls /opt/sexton/releases | grep ^0.2.0) {CURRENT}")


async def refused(service: Service, old: str, *words: str) -> None:
    """An installation that says so, and the old release in force and running."""
    status, said = await install(service.machine)
    assert status != 0
    assert [word for word in words if word not in said] == [], said
    assert await in_force(service.machine) == old
    assert await service.machine.run("find", "/opt/sexton/releases", "-name", ".draft*") == ""
    await service.becomes(ActiveState="active", SubState="running")


@contextmanager
def changed(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    before = path.read_text()
    path.write_text(change(before))
    try:
        yield
    finally:
        path.write_text(before)


async def test_uninstalling_leaves_what_is_not_the_programs_unless_it_is_told_to(service: Service) -> None:
    machine = service.machine
    await machine.run("cp", "-a", "/opt/sexton", "/opt/kept")
    await machine.run("cp", "-a", "/etc/sexton", "/etc/kept")
    await service.control("start")
    try:
        await machine.run(DEPLOY, "uninstall")
        for gone in ("opt/sexton", "usr/local/bin/sexton", "etc/systemd/system/sexton.service"):
            assert not (machine.root / gone).exists()
        assert (service.state / "postgres-17/data/PG_VERSION").exists()
        assert (machine.root / "etc/sexton/config.toml").exists()
        assert (await service.facts())["LoadState"] == "not-found"
        await machine.run(f"/{SOURCE}/systemd/deploy.sh", "uninstall", "--delete-data")
        assert not service.state.exists()
        assert not (machine.root / "etc/sexton").exists()
    finally:
        await machine.run("rm", "-rf", "/opt/sexton", "/etc/sexton")
        await machine.run("mv", "/opt/kept", "/opt/sexton")
        await machine.run("mv", "/etc/kept", "/etc/sexton")
        status, said = await install(machine)
        assert status == 0, said


async def test_the_command_line_sees_what_the_service_sees(service: Service) -> None:
    await service.control("start")
    said = await service.machine.run("sexton", "jobs")
    assert "trial.tick" in said  # a job of a suite that only the service's environment names
    await service.control("stop")
