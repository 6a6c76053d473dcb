"""How the outbox finds the people that messages name."""

from __future__ import annotations

from pathlib import Path

import asyncpg

import daemon
from daemon import sql

(RECIPIENTS,) = sql.load(str(Path(daemon.__file__).with_name("delivery_recipients.sql")), "recipients")
MANY = """
INSERT INTO investment.app_user (id, email)
SELECT n, n || '@example.org' FROM generate_series(1, 5000) AS n
"""


async def test_a_page_of_messages_reads_its_own_people_and_not_everybody(connection: asyncpg.Connection) -> None:
    await connection.execute(MANY)
    await connection.execute("ANALYZE investment.app_user")
    lookup = RECIPIENTS.on(view="investment.sexton_recipient").text.replace("$1", "'{17,4711}'")
    plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {lookup}"))
    assert "app_user_id_as_text" in plan
    assert "Seq Scan" not in plan
