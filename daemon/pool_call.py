"""One call to a worker process: a function by name, its arguments as bytes, and the future of its outcome."""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from daemon.pool_messages import PoolError, RemoteError


@dataclass(eq=False, slots=True)
class Call:
    """`request` is the frame to send, sent `sends` times so far; `timeout` is in seconds from the sending."""

    task: str
    request: bytes
    timeout: float | None
    future: asyncio.Future[Any]
    sends: int = 0

    @classmethod
    def of(
        cls,
        function: Callable[..., object],
        args: tuple[object, ...],
        timeout: float | None,
        name: str,
        future: asyncio.Future[Any],
    ) -> Call:
        """TypeError for a function that a child cannot import, or arguments that cannot be pickled."""
        module, qualname = reference(function)
        task = name or f"{module}.{qualname}"
        try:
            request = pickle.dumps((module, qualname, args), protocol=5)
        except Exception as error:
            raise TypeError(f"the arguments of {task} cannot be pickled: {error}") from error
        return cls(task, request, timeout, future)

    def fail(self, error: PoolError) -> None:
        """End the call with an error, unless it has ended."""
        if not self.future.done():
            self.future.set_exception(error)

    def settle(self, outcome: memoryview) -> None:
        """End the call with what the child answered, unless it has ended."""
        if self.future.done():
            return
        try:
            good, *rest = pickle.loads(outcome)  # noqa: S301 - from our own child
        except Exception as error:  # noqa: BLE001 - the code of the value's classes; it becomes the outcome
            what = f"the outcome of {self.task} cannot be unpickled: {error}"
            self.future.set_exception(_remote(type(error).__qualname__, what, what, error))
            return
        if good:
            self.future.set_result(rest[0])
        else:
            self.future.set_exception(_remote(rest[0], rest[1], rest[2], _loaded(rest[3])))


def reference(function: Callable[..., object]) -> tuple[str, str]:
    """The module and qualified name under which a child finds the function. TypeError when it will not."""
    module = getattr(function, "__module__", None)
    qualname = getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str):
        raise TypeError(f"{function!r} is not a function: a worker process imports what it computes by name")
    if "<" in qualname:
        raise TypeError(f"{module}.{qualname} is a lambda or a closure: move it to the top level of its module")
    if module == "__main__":
        raise TypeError(f"{qualname} is defined in __main__, which a worker process cannot import")
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    if found != function:
        raise TypeError(f"{module}.{qualname} is not {function!r}: a worker process would compute another function")
    return module, qualname


def _remote(type_name: str, message: str, traceback: str, cause: BaseException | None) -> RemoteError:
    error = RemoteError(type_name, message, traceback)
    error.__cause__ = cause
    return error


def _loaded(pickled: bytes | None) -> BaseException | None:
    """The child's exception; None when its class does not exist on this side, where the text has to do."""
    if pickled is None:
        return None
    try:
        error = pickle.loads(pickled)  # noqa: S301 - from our own child
    except Exception:  # noqa: BLE001 - RemoteError carries type, message and traceback all the same
        return None
    return error if isinstance(error, BaseException) else None
