"""Telling the administrators: one message each, in the job's own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daemon import Transaction


async def tell(
    tx: Transaction, administrators: Sequence[str], template: str, *, key: str, data: Mapping[str, Any], kind: str
) -> int:
    """How many messages were new: the same `key` is told each administrator once. `kind` as in `tx.notify`."""
    told = 0
    for address in administrators:
        told += await tx.notify(template, address=address, key=f"{key}:{address}", data=data, kind=kind)
    return told
