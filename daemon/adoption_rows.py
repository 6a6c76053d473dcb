"""What the rows of adopted relations have to be: keys that name one row, words that the suite knows."""

from __future__ import annotations

import asyncpg

from daemon import sql
from daemon.adoption import Relation

DOUBLE, STRANGERS = sql.load(__file__, "double", "strangers")


async def wrong_rows(connection: asyncpg.Connection, name: str, relation: Relation) -> list[str]:
    """A sentence each; reads all rows. A view has no constraints, and what it is made of may have many."""
    found = []
    double = await connection.fetchval(DOUBLE.on(table=name, key=relation.key).text)
    if double is not None:
        found.append(
            f"{name}.{relation.key} = {double} stands there more than once or is empty: it has to name one row"
        )
    for column, words in relation.values.items():
        strange = await connection.fetchval(STRANGERS.on(table=name, column=column).text, list(words))
        if strange:
            found.append(
                f"{name}.{column} has {', '.join(strange)}, and the suite knows only {', '.join(words)}: translate it "
                "in the view"
            )
    return found
