"""Give back the space of dead rows, refresh the planner's statistics, and rebuild indexes, table by table."""

from __future__ import annotations

from typing import Any

import asyncpg

from daemon import CatchUp, Context, Cron, Priority, Reader, job, minutes, sql

BE_BRIEF, BACKUP_UNDER_WAY, TABLES, MEASURE, LEFTOVERS = sql.load(
    __file__, "be_brief", "backup_under_way", "tables", "measure", "leftovers"
)
LOCK_TIMEOUT = "5s"
FIGURES = ("table_bytes", "index_bytes", "dead_rows", "bloat_bytes")
UNDER_WAY = "a backup is under way"

Skipped = dict[str, str]


class NothingDoneError(Exception):
    """Not a single table could be seen to."""


@job(
    Cron("0 2 * * 6", tz="UTC"),
    priority=Priority.HIGH,
    timeout=minutes(60),
    expected=minutes(10),
    catch_up=CatchUp.LATEST,
    aliases=("database-maintenance",),
)
async def database_maintenance(ctx: Context) -> dict[str, Any]:
    """Give back the space of dead rows, refresh the planner's statistics, and rebuild indexes, table by table."""
    done: dict[str, Any] = {}
    skipped: Skipped = {}
    async with ctx.autocommit() as session:
        await session.fetchval(BE_BRIEF, LOCK_TIMEOUT)
        removed = await remove_leftovers(session, skipped)
        try:
            tables = await session.fetch(TABLES)
            for n, table in enumerate(tables):
                await see_to(session, table, done, skipped)
                await ctx.progress(n + 1, len(tables))
        finally:
            removed += await remove_leftovers(session, skipped)
    for name, why in skipped.items():
        ctx.log.warning("%s was skipped: %s", name, why)
    if skipped and not done and UNDER_WAY not in skipped.values():
        raise NothingDoneError("; ".join(f"{name}: {why}" for name, why in skipped.items()))
    return {"tables": done, "skipped": skipped, "removed_indexes": removed, **total(done)}


async def see_to(session: Reader, table: Any, done: dict[str, Any], skipped: Skipped) -> None:
    """One table. What fails skips it and is reported; a lost connection ends the try."""
    name = table["name"]
    if await session.fetchval(BACKUP_UNDER_WAY):
        skipped[name] = UNDER_WAY
        return
    step = "measure"
    try:
        before = await figures(session, table["id"])
        for step in ("vacuum", "reindex"):
            await session.execute(sql.Statement(step, table[step], f"database_maintenance.sql:tables.{step}"))
        done[name] = {"before": before, "after": await figures(session, table["id"])}
    except asyncpg.PostgresError as error:
        skipped[name] = f"{step}: {error}"


async def figures(session: Reader, table: int) -> dict[str, int | None]:
    """Sizes in bytes, dead rows, and an estimate of the bloat; nothing of a table that is gone by now."""
    row = await session.fetchrow(MEASURE, table)
    return {} if row is None else {what: row[what] for what in FIGURES}


async def remove_leftovers(session: Reader, skipped: Skipped) -> list[str]:
    """Names of the invalid indexes that are gone now."""
    removed = []
    for index in await session.fetch(LEFTOVERS):
        try:
            await session.execute(sql.Statement("remove", index["remove"], "database_maintenance.sql:leftovers"))
        except asyncpg.PostgresError as error:
            skipped[index["name"]] = f"drop: {error}"
        else:
            removed.append(index["name"])
    return removed


def total(done: dict[str, Any]) -> dict[str, int]:
    """PURE: what all tables and their indexes took before, and take now."""
    return {
        f"bytes_{when}": sum(of[when].get(what) or 0 for of in done.values() for what in ("table_bytes", "index_bytes"))
        for when in ("before", "after")
    }
