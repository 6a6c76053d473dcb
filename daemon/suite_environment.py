"""Environment variables that suites understand by names that are not ours: those of the systems before them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any

NAME = "ENVIRONMENT"


def read(
    packages: Iterable[str], environment: Mapping[str, str], problems: list[str]
) -> list[tuple[str, tuple[str, ...], object]]:
    """Variable, place in the configuration and value, of each that is set.

    A suite's `settings.py` may have `ENVIRONMENT`: a variable's name → a key of the suite's section; or the place, such
    as `("jobs", "tea", "brew", "schedule")`, with a function from its text to the value there, whose `ValueError` goes
    to `problems`. A suite that cannot be loaded has none here; the catalogue tells why.
    """
    found: list[tuple[str, tuple[str, ...], object]] = []
    for package in packages:
        for name, declared in _declared(package).items():
            text = environment.get(name, "").strip()
            if not text:
                continue
            try:
                suite = package.rpartition(".")[2]
                place, value_of = (("suite", suite, declared), str) if isinstance(declared, str) else declared
                found.append((name, place, value_of(text)))
            except ValueError as error:
                problems.append(f"{name}: {error}")
    return found


def _declared(package: str) -> Mapping[str, Any]:
    name = f"{package}.settings"
    try:
        if importlib.util.find_spec(name) is None:
            return {}
        declared = getattr(importlib.import_module(name), NAME, {})
    except Exception:  # noqa: BLE001 - told by the catalogue, which imports the same module, with its place
        return {}
    return declared if isinstance(declared, Mapping) else {}
