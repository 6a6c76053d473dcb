"""For suites: the same message to several addresses, one each, in the job's own transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daemon.transaction import Transaction


async def tell_each(
    tx: Transaction, addresses: Sequence[str], template: str, *, key: str, data: Mapping[str, Any], kind: str
) -> int:
    """How many messages were new: the same `key` is told each address once. `kind` as in `tx.notify`.

    Raises `MessageError` as that does.
    """
    told = 0
    for address in addresses:
        told += await tx.notify(template, address=address, key=f"{key}:{address}", data=data, kind=kind)
    return told
