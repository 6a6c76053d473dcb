"""A shop whose tables were there first: made as Prisma makes them, adopted as docs/adopting.md says, by a poor role."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from daemon import migrate
from tests.databases import drop, on_database
from tests.workers.jewellery.shop import Shop

ROOT = Path(__file__).parents[3]
PRISMA = Path(__file__).with_name("prisma_shop.sql")
BLOCK = re.compile(r"<!-- (views|shop): begin -->\n```sql\n(.*?)```\n", re.DOTALL)
STATEMENTS = dict(BLOCK.findall((ROOT / "docs/adopting.md").read_text(encoding="utf-8")))
SUITE = {"jewellery": "workers.jewellery"}

_numbers = itertools.count(1)


@asynccontextmanager
async def adopted(server: str) -> AsyncIterator[Shop]:
    """`url` is the daemon's, whose role has what the documentation grants; `connection` is the superuser's."""
    name = role = f"adopted_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(server)
    await admin.execute(f"CREATE ROLE {role} LOGIN")
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.execute(f"GRANT CREATE ON DATABASE {name} TO {role}")
    superuser = await asyncpg.connect(on_database(server, name))
    url = on_database(server, name).replace("sexton@", f"{role}@")
    daemon = await asyncpg.connect(url)
    try:
        await superuser.execute(PRISMA.read_text(encoding="utf-8"))
        await migrate.migrate(daemon, [*migrate.engine_migrations(), *migrate.suite_migrations(SUITE)])
        await superuser.execute(re.sub(r"\bTO sexton;", f"TO {role};", STATEMENTS["shop"]))
        await daemon.execute(STATEMENTS["views"])
        yield Shop(url, superuser)
    finally:
        await daemon.close()
        await superuser.close()
        await drop(server, name)
        await admin.execute(f"DROP ROLE {role}")
        await admin.close()
