"""Sample items."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class SampleError(Exception):
    """The sample cannot be had."""


async def seed(
    connection: Any, *, scale: float, cache: Path, progress: Callable[[str, int, int], None]
) -> Mapping[str, int]:
    if scale > 200:
        progress("items", 1, 2)
        await connection.execute("SELECT pg_sleep(60)")
    if scale > 100:
        raise SampleError(f"the sample ends at 100; nothing was written to {cache.name}")
    wanted = int(10 * scale)
    for done in range(wanted + 1):
        progress("items", done, wanted)
    status = await connection.execute(
        "INSERT INTO house.todo (item_id) SELECT generate_series(1, $1::int) ON CONFLICT DO NOTHING", wanted
    )
    return {"items": int(status.split()[-1])}
