"""A backup put back: all of it or nothing, never over what is in use, and with nothing that goes on by itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from daemon.actions_deed import Actor
from daemon.backup import manifest
from daemon.backup.errors import Damaged, Differs, RestoreRefused
from daemon.backup.manifest import FILE, Manifest
from daemon.backup.restore import Restored, Wish, restore
from daemon.catchup import CatchUp
from daemon.clock import utc_now
from daemon.database_url import database_of, on_database
from daemon.events import InstantsSettled, RunEnded
from daemon.job import OnEvent, Overlap
from daemon.schedule import Every
from tests.daemon.backup.conftest import Vault
from tests.daemon.harness import a_job, node, rows


async def nothing(_: Any) -> None: ...


HEARD = a_job(nothing, OnEvent("order.paid"), "test.heard", overlap=Overlap.ALLOW)


async def migrated_already(_: asyncpg.Connection) -> None:
    """The database of a test has every migration."""


def wish(database: str, **options: Any) -> Wish:
    plain = Wish(
        "latest", database, replace=False, owners=True, alone=False, migrate=migrated_already, handlers=[HEARD],
        actor=Actor("ann", reason="the disk died"),
    )  # fmt: skip
    return replace(plain, **options)


async def restored(vault: Vault, wanted: Wish) -> Restored:
    return await restore(vault.service.place, wanted, lambda *_: None)


@pytest.fixture
async def target(url: str) -> AsyncIterator[str]:
    """The name of a database that is not there, and of none that begins with it afterwards."""
    name = f"restored_{os.getpid()}_{database_of(url)}"
    yield name
    admin = await asyncpg.connect(on_database(url, "postgres"))
    for row in await admin.fetch("SELECT datname FROM pg_database WHERE datname LIKE $1", f"{name[:20]}%"):
        await admin.execute(f'DROP DATABASE "{row["datname"]}" WITH (FORCE)')
    assert await admin.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'sexton_scratch%'") == []
    await admin.close()


@asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(on_database(url, name))
    try:
        yield connection
    finally:
        await connection.close()


async def test_everything_is_there_again(hasty: Vault, url: str, connection: asyncpg.Connection, target: str) -> None:
    await connection.execute("CREATE TABLE flights.kept AS SELECT g AS n FROM generate_series(1, 777) g")
    made = await hasty.service.create()
    done = await restored(hasty, wish(target))
    assert (done.name, done.rows, done.kept_as) == (made.name, made.rows, None)
    async with connected(url, target) as other:
        assert await other.fetchval("SELECT sum(n) FROM flights.kept") == 777 * 389
        row = await other.fetchrow("SELECT * FROM sexton.restored")
        assert (row["backup"], row["restored_by"], row["taken_at"]) == (made.name, "ann", made.taken_at)
        audit = await other.fetchrow("SELECT who, action, target, reason FROM sexton.audit ORDER BY id DESC LIMIT 1")
        assert tuple(audit) == ("ann", "restore", target, "the disk died")


async def test_an_empty_database_is_filled_and_what_is_there_is_kept_or_not_touched(
    hasty: Vault, url: str, connection: asyncpg.Connection, target: str
) -> None:
    await hasty.service.create()
    await connection.execute(f'CREATE DATABASE "{target}" TEMPLATE template0')
    assert (await restored(hasty, wish(target))).kept_as is None
    async with connected(url, target) as other:
        await other.execute("CREATE TABLE flights.since (n int)")
    with pytest.raises(RestoreRefused, match=f"{target} is not empty: it has .* --into NAME, or say --replace"):
        await restored(hasty, wish(target))
    done = await restored(hasty, wish(target, replace=True))
    assert done.kept_as is not None
    for name, there in ((target, False), (done.kept_as, True)):
        async with connected(url, name) as other:
            assert await other.fetchval("SELECT to_regclass('flights.since') IS NOT NULL") is there


async def test_a_database_a_daemon_works_on_is_left_alone(hasty: Vault, url: str, target: str) -> None:
    await hasty.service.create()
    async with node(url):
        with pytest.raises(RestoreRefused, match=r"a daemon works on test_.*stop it first \(systemctl stop sexton"):
            await restored(hasty, wish(str(database_of(url)), replace=True))


async def test_a_template_of_the_server_is_left_alone(hasty: Vault) -> None:
    await hasty.service.create()
    with pytest.raises(RestoreRefused, match=r"template1 is a template .* name another one"):
        await restored(hasty, wish("template1", replace=True))


async def test_one_that_somebody_is_connected_to_is_left_alone(
    hasty: Vault, url: str, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.backup.restore.PATIENCE", 0.2)
    await hasty.service.create()
    await connection.execute("SET application_name = 'a web app'; CREATE TABLE flights.since (n int)")
    with pytest.raises(RestoreRefused, match=r"is in use \(a web app\): nothing was changed"):
        await restored(hasty, wish(str(database_of(url)), replace=True))
    assert await connection.fetchval("SELECT to_regclass('flights.since') IS NOT NULL")


async def test_a_restore_that_does_not_come_out_right_changes_nothing(
    hasty: Vault, url: str, connection: asyncpg.Connection, target: str
) -> None:
    made = await hasty.service.create()
    path = hasty.directory / made.name / FILE
    found = manifest.read(path.parent)
    path.write_text(Manifest.model_validate({**found.model_dump(), "objects": {"tables": 1}}).text)
    with pytest.raises(Differs, match="instead of 1"):
        await restored(hasty, wish(target))
    assert not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", target)


async def test_a_damaged_one_is_not_restored_and_the_one_to_take_instead_is_named(hasty: Vault, target: str) -> None:
    good, rotten = await hasty.service.create(), await hasty.service.create()
    (hasty.directory / rotten.name / "data" / "toc.dat").write_bytes(b"rotten")
    with pytest.raises(Damaged, match="nothing was changed; to take another one: no other one is verified"):
        await restored(hasty, wish(target))
    for backup in (good, rotten):
        hasty.shelf.mark_verified(backup.name, backup.sha256, utc_now())
    with pytest.raises(
        Damaged, match=rf"toc\.dat: has 6 bytes instead of .*\n.*sexton backup restore {good.name}, which"
    ):
        await restored(hasty, wish(target))
    assert [b.verified for b in await hasty.service.listed()] == [False, True]


async def test_what_was_under_way_waits_for_a_person(
    hasty: Vault, url: str, connection: asyncpg.Connection, target: str
) -> None:
    await connection.execute("""
        INSERT INTO sexton.run (job, due_at, logical_date, trigger, state, not_before, token, node)
        SELECT 'test.' || s, '2026-11-26 01:00+00', '2026-11-26', 'schedule', s, '2026-11-26 01:00+00',
            nextval('sexton.token'), CASE WHEN s = 'running' THEN gen_random_uuid() END
        FROM unnest(ARRAY['ready', 'running', 'waiting', 'succeeded']) s;
        INSERT INTO sexton.job (name, schedule_fingerprint, evaluated_until, running_run)
        SELECT job, 'x', due_at, id FROM sexton.run WHERE state = 'running';
        INSERT INTO sexton.event (kind) VALUES ('order.paid'), ('nobody.listens');
        INSERT INTO sexton.outbox (address, template, dedupe_key) VALUES ('ada@example.org', 'alert', 'k')""")
    made = await hasty.service.create()
    done = await restored(hasty, wish(target))
    assert (done.held, done.messages) == (4, 1)
    async with connected(url, target) as other:
        states = {r["job"]: (r["state"], r["reason"]) for r in await other.fetch("SELECT * FROM sexton.run")}
        held = ("held", f"restored from backup {made.name}")
        assert states == {
            "test.ready": held, "test.running": held, "test.waiting": held, "test.succeeded": ("succeeded", None),
            "test.heard": held,
        }  # fmt: skip
        assert await other.fetchval("SELECT running_run FROM sexton.job") is None
        message = await other.fetchrow("SELECT state, last_error FROM sexton.outbox")
        assert tuple(message) == ("unknown", f"restored from backup {made.name}: it may have been sent since")


async def test_a_restored_database_does_not_catch_up_by_itself(
    hasty: Vault, url: str, connection: asyncpg.Connection, target: str
) -> None:
    """What was due between the backup and the restore is held, of either kind; what is due later runs."""
    performed: list[str] = []

    def job_of(name: str, catch_up: CatchUp, seconds: int) -> Any:
        async def body(ctx: Any) -> None:
            performed.append(name)

        options: dict[str, Any] = {"overlap": Overlap.QUEUE} if catch_up.is_each else {}
        return a_job(body, Every(timedelta(seconds=seconds)), f"test.{name}", catch_up=catch_up, **options)

    jobs = [job_of("pay", CatchUp.EACH(100), 86_400), job_of("mail", CatchUp.LATEST, 86_400)]
    async with node(url, *jobs):
        pass
    await connection.execute("UPDATE sexton.job SET evaluated_until = evaluated_until - interval '5 days'")
    performed.clear()
    made = await hasty.service.create()
    await restored(hasty, wish(target))
    reason = f"restored from backup {made.name}"
    async with node(on_database(url, target), *jobs) as running:
        await running.event(InstantsSettled, lambda e: (e.job, e.state, e.reason) == ("test.pay", "held", reason), 5)
        await running.event(InstantsSettled, lambda e: (e.job, e.state, e.reason) == ("test.mail", "held", reason))
        assert performed == []
        async with connected(url, target) as other:
            await other.execute(
                "UPDATE sexton.run SET state = 'ready', reason = NULL WHERE job = 'test.mail' AND state = 'held'"
            )
            await other.execute("NOTIFY sexton, 'run'")
        await running.event(RunEnded, lambda e: e.job == "test.mail" and e.outcome == "succeeded")
        assert performed == ["mail"]
    async with connected(url, target) as other:
        assert await rows(other, "SELECT count(*) AS n FROM sexton.run WHERE job = 'test.pay' AND state = 'held'") in (
            [{"n": 5}], [{"n": 6}],
        )  # fmt: skip


async def test_a_restore_that_is_stopped_leaves_nothing(
    hasty: Vault, url: str, connection: asyncpg.Connection, target: str
) -> None:
    await hasty.service.create()
    begun = asyncio.Event()
    place = hasty.service.place
    work = asyncio.create_task(restore(place, wish(target), lambda step, done, _: done and begun.set()))
    await begun.wait()
    work.cancel()
    await asyncio.wait({work})
    assert work.cancelled()
    names = [r["datname"] for r in await connection.fetch("SELECT datname FROM pg_database")]
    assert [name for name in names if name.startswith(("sexton_scratch", target))] == []


def test_names_are_found_in_urls() -> None:
    assert database_of("postgresql://ann@db:5432/house%20x?sslmode=require") == "house x"
    assert database_of("postgresql:///?host=/run&dbname=y") == "y"
    assert database_of("postgresql://db") is None
    assert on_database("postgresql://ann:s%40@db/x?a=b", "odd name") == "postgresql://ann:s%40@db/odd%20name?a=b"
