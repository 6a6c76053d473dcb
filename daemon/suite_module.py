"""What a suite declares in a module of a known name, such as `routes.py`. A suite without it declares nothing."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TypeVar

Declared = TypeVar("Declared")


def declared(package: str, module: str, kind: type[Declared], problems: list[str]) -> dict[str, Declared]:
    """The values of a kind in `package.module` by their names there, in their order. That it cannot be loaded goes to
    `problems`.
    """
    name = f"{package}.{module}"
    try:
        if importlib.util.find_spec(name) is None:
            return {}
        loaded = importlib.import_module(name)
    except Exception as error:  # noqa: BLE001 - a suite's module may raise anything; all of it is its author's to see
        problems.append(f"{name} cannot be loaded: {type(error).__name__}: {error}")
        return {}
    return {key: value for key, value in vars(loaded).items() if isinstance(value, kind)}
